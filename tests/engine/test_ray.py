"""The same work in a Ray cluster: the same bytes, whichever worker or machine is lost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from latentfu.core.errors import (
    BadInputError,
    CancelledError,
    NotInstalledError,
    OutOfMemoryError,
    ServerError,
)
from latentfu.core.progress import Progress, silent
from latentfu.engine.batch_task import BatchTask, WorkerPlace
from latentfu.engine.local import LocalEngine
from latentfu.engine.map_batches import Engine, map_batches
from latentfu.engine.open_engine import open_engine
from latentfu.engine.ray_security import ray_environment
from latentfu.engine.shards import ShardedRows

from tests.engine.test_shards import KEY, files
from tests.support import engine_tasks as tasks
from tests.support.engine_world import furnish

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(find_spec("ray") is None, reason="needs pip install 'latentfu[ray]'"),
    pytest.mark.filterwarnings("default"),  # Ray's own are many
]
# Ray is imported after its variables are set: it looks at them once.


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A token and a cache of our own, for this process and for Ray's."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("LATENTFU_HOME", str(home / "latentfu"))
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.delenv("RAY_AUTH_TOKEN", raising=False)
        patch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
        for name, value in ray_environment().items():
            patch.setenv(name, value)
        yield home


class House:
    """A cluster of two machines with a worker each; the second can be lost."""

    def __init__(self) -> None:
        from ray.cluster_utils import Cluster

        self.port = free_port()
        self.cluster = Cluster(
            initialize_head=True,
            head_node_args={
                "num_cpus": 1,
                "include_dashboard": False,
                "ray_client_server_port": self.port,
                "object_store_memory": 80 << 20,
            },
        )
        self.second: Any = None
        self.add()

    def add(self) -> None:
        if self.second is None:
            self.second = self.cluster.add_node(num_cpus=1, object_store_memory=80 << 20)

    def lose(self) -> None:
        if self.second is not None:
            self.cluster.remove_node(self.second, allow_graceful=False)
            self.second = None

    @property
    def address(self) -> str:
        return f"ray://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def house(home: Path) -> Iterator[House]:
    made = House()
    yield made
    made.cluster.shutdown()


@pytest.fixture(scope="module")
def engine(house: House) -> Iterator[Engine]:
    with open_engine(house.address) as opened:
        yield opened


def digest(
    engine: Engine, task: BatchTask[Any, int, Any], count: int = 58, progress: Progress = silent
) -> bytes:
    found = map_batches(task, range(count), tasks.SMALL, engine=engine, progress=progress)
    return b"".join(row["codes"].tobytes() + row["scores"].tobytes() for _, row in found)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return digest(LocalEngine(1), tasks.multiplying(tmp_path_factory.mktemp("local")))


def test_two_workers_give_the_bytes_of_this_process(
    engine: Engine, whole: bytes, tmp_path: Path
) -> None:
    assert digest(engine, tasks.multiplying(tmp_path / "work", together=2)) == whole
    workers = {path.name for path in (tmp_path / "work").glob("worker-*")}
    assert len(workers) == 2 and f"worker-{os.getpid()}" not in workers


def test_a_worker_that_is_killed_loses_nothing(
    engine: Engine, whole: bytes, tmp_path: Path
) -> None:
    assert digest(engine, tasks.multiplying(tmp_path / "work", tasks.die_once)) == whole
    assert (tmp_path / "work" / "died").exists()


def test_a_batch_that_kills_every_worker_is_a_sentence(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(OutOfMemoryError, match="4 workers in a row died of the same batch"):
        digest(engine, tasks.multiplying(tmp_path / "work", tasks.die_always))


def test_a_machine_that_is_lost_loses_nothing(
    engine: Engine, house: House, whole: bytes, tmp_path: Path
) -> None:
    """In the middle of the work, with batches under way on it."""
    seen: list[float] = []

    def lose(fraction: float, message: str = "") -> None:
        if fraction > 0.3 and house.second is not None:
            seen.append(fraction)
            house.lose()

    house.add()
    task = tasks.multiplying(tmp_path / "work", tasks.multiply_slowly)
    assert digest(engine, task, progress=lose) == whole
    assert len(seen) == 1 and seen[0] < 0.7
    house.add()


def test_shards_are_those_of_this_process(engine: Engine, tmp_path: Path) -> None:
    for name, chosen in (("one", LocalEngine(1)), ("cluster", engine)):
        store = ShardedRows(tmp_path / name, KEY, 4, 4)
        store.draw(50, tasks.multiplying(tmp_path / "log"), tasks.SMALL, engine=chosen)
    assert files(tmp_path / "one") == files(tmp_path / "cluster")


def test_a_cancel_ends_the_work(engine: Engine, tmp_path: Path) -> None:
    def stop(fraction: float, message: str = "") -> None:
        if fraction > 0:
            raise CancelledError

    task = tasks.multiplying(tmp_path / "work", tasks.multiply_slowly)
    with pytest.raises(CancelledError):
        digest(engine, task, 400, stop)
    assert tasks.count_batches(tmp_path / "work") < 20
    assert digest(engine, task, 4)  # and the workers take other work


def read_file(place: WorkerPlace, path: Path) -> tuple[str, bytes]:
    found = place.find(path)
    return str(found), found.read_bytes()


def tell(state: object, batch: object) -> object:
    return state


def test_a_file_is_brought_to_a_machine_once_and_checked(
    engine: Engine, home: Path, tmp_path: Path
) -> None:
    from functools import partial

    path = tmp_path / "network.safetensors"
    path.write_bytes(os.urandom(1 << 20))
    task: Any = BatchTask(partial(read_file, path=path), tell, files=(path,))

    def look() -> Path:
        found = {state for _, state in map_batches(task, range(8), tasks.SMALL, engine=engine)}
        assert len(found) == 1
        place, content = found.pop()
        assert content == path.read_bytes() and Path(place) != path
        return Path(place)

    kept = look()
    assert kept.is_relative_to(home / "latentfu" / "cache" / "engine")
    assert kept.stat().st_mode & 0o077 == 0 and kept.parent.stat().st_mode & 0o077 == 0
    before = kept.stat().st_ino  # whoever writes makes a new file; whoever uses touches this one
    assert look() == kept and kept.stat().st_ino == before
    kept.write_bytes(b"harm")
    assert look() == kept


def test_a_command_sends_its_network_to_the_cluster(
    house: House, home: Path, tmp_path: Path
) -> None:
    """In processes of their own, as a person would."""
    furnish(home / "latentfu")
    words = ["directions", "sample", "--scores", "--generator", "little", "--count", "100"]

    def draw(out: Path, *more: str) -> dict[str, bytes]:
        command = [sys.executable, "-m", "latentfu", *words, "--out", str(out), *more]
        subprocess.run(command, check=True, cwd=tmp_path)
        return files(out)

    assert draw(tmp_path / "here", "--jobs", "1") == draw(
        tmp_path / "cluster", "--engine", house.address
    )
    assert list((home / "latentfu" / "cache" / "engine").glob("*/little.safetensors"))


def test_another_token_is_refused_in_a_sentence(house: House, tmp_path: Path) -> None:
    """In a process of its own: Ray reads the token once. The door stays shut without one, too."""
    token = tmp_path / "token"
    token.write_text("0" * 64)
    program = (
        "from latentfu.engine.open_engine import open_engine\n"
        f"with open_engine({house.address!r}): pass"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={**os.environ, "RAY_AUTH_TOKEN_PATH": str(token)},
    )  # fmt: skip
    assert told.returncode == 1 and "the same token (RAY_AUTH_TOKEN_PATH)" in told.stderr


def test_where_nobody_listens_is_a_sentence() -> None:
    with pytest.raises(ServerError, match="start one with `latentfu cluster up`"):
        open_engine(f"ray://127.0.0.1:{free_port()}").__enter__()
    with pytest.raises(BadInputError, match="no address of a Ray cluster"):
        open_engine("ray://").__enter__()


def test_ray_that_is_not_installed_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(NotInstalledError, match=r"pip install 'latentfu\[ray\]'"):
        open_engine("ray").__enter__()


def test_a_cluster_that_anybody_can_use_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    with pytest.raises(BadInputError, match="take it away, or set it to token"):
        open_engine("ray").__enter__()


def test_our_token_is_private_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LATENTFU_HOME", str(tmp_path / "latentfu"))
    wanted = ray_environment({})
    path = Path(wanted["RAY_AUTH_TOKEN_PATH"])
    assert path.stat().st_mode & 0o777 == 0o600 and len(path.read_text()) == 64
    assert ray_environment({}) == wanted and path.read_text()
    assert wanted["RAY_USAGE_STATS_ENABLED"] == "0"
    assert "RAY_AUTH_TOKEN_PATH" not in ray_environment({"RAY_AUTH_TOKEN": "x"})


def test_a_ray_that_is_started_here_ends_with_its_work(home: Path, tmp_path: Path) -> None:
    """In a process of its own, since this one is connected to the cluster."""
    program = (
        "from pathlib import Path\n"
        "from latentfu.engine.open_engine import open_engine\n"
        "from tests.engine.test_ray import digest, tasks\n"
        "import hashlib\n"
        "with open_engine('ray', 2) as engine:\n"
        f"    found = digest(engine, tasks.multiplying(Path({str(tmp_path / 'work')!r})))\n"
        "print(hashlib.sha256(found).hexdigest())\n"
    )
    import hashlib

    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    whole = digest(LocalEngine(1), tasks.multiplying(tmp_path / "here"))
    assert told.stdout.split() == [hashlib.sha256(whole).hexdigest()]
