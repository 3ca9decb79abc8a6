"""Every command that the docs show to authors of plug-ins is run, in a scratch environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from latentfu.testing import tiny_spec

from tests.support.own_environment import Stranger, make_environment

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("howto/write-a-plug-in.md", "howto/publish-a-pack.md", "explanation/plug-ins-at-work.md")
PROGRAMS = "latentfu|pip|pytest|python"

# A small network takes the name of the one that is shipped, so that all of this takes minutes.
HOUSE = """
import latentfu

ID = "{id}"

def load(device):
    from latentfu.testing import TinyGenerator

    class Small(TinyGenerator):
        name, domain = "portraits", "portraits"

    return Small(device=device)

def score(images):
    return images.mean(dim=(2, 3))[:, :1]

@latentfu.hookimpl
def latentfu_generators():
    return [latentfu.GeneratorSpec("portraits", "Small", "portraits", 16, ID, load)]

@latentfu.hookimpl
def latentfu_scorers():
    return [latentfu.Scorer("light", "Light", "portraits", ("light",), lambda device: score)]
"""
OFF = "portraits,regions,faces,people,people-network"
DIRECTIONS = """
import numpy as np, sys, latentfu
from pathlib import Path
for place, name in enumerate(("my-wink", "my-blink", "my-top-hat")):
    vector = np.eye(8, dtype=np.float32)[place]
    made = latentfu.Direction(
        vector, "z", name, generator_id=latentfu.generators()["portraits"].id,
        generator="portraits", attribute="light", plus="more", author="A", licence="CC0-1.0",
    )
    for folder in (Path.cwd(), latentfu.data_dir() / "directions"):
        folder.mkdir(parents=True, exist_ok=True)
        latentfu.write_direction(folder / f"{name}.safetensors", made)
"""


@dataclass(frozen=True)
class Shell:
    """A folder in which a person types, with the commands of a scratch environment."""

    stranger: Stranger
    folder: Path

    def type(self, line: str, code: int = 0) -> str:
        """What the line prints; it must end with ``code``."""
        where = self.folder / "where"
        begin = f"cd {where.read_text().strip() if where.exists() else self.folder}\n"
        done = subprocess.run(
            ["bash", "-e", "-c", f"{begin}{line}\npwd > {where}"],
            env={**self.stranger.environment, **self.settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == code, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    @property
    def settings(self) -> dict[str, str]:
        """pip asks no index and takes what is here."""
        return {
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",
            "LATENTFU_DISABLED_PLUGINS": OFF,
        }


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    folder = tmp_path_factory.mktemp("author")
    stranger = make_environment(folder)
    made = Shell(stranger, folder)
    (folder / "bin").mkdir()
    options = "-p no:cacheprovider -W ignore::pytest.PytestConfigWarning --rootdir ."
    for name, module in (
        ("python", ""),
        ("pip", "-m pip"),
        ("latentfu", "-P -m latentfu"),
        ("pytest", f"-m pytest {options}"),
    ):
        script = folder / "bin" / name
        script.write_text(f'#!/bin/sh\nexec {stranger.python} {module} "$@"\n')
        script.chmod(0o755)
    plugins = stranger.home / "config" / "plugins"
    plugins.mkdir(parents=True)
    (plugins / "house.py").write_text(HOUSE.replace("{id}", tiny_spec().id))
    (folder / "directions.py").write_text(DIRECTIONS)
    made.type("python directions.py")
    made.type("latentfu generators render portraits --count 1 -o people; cp people/*.png photo.png")
    return made


def read_commands(text: str) -> list[str]:
    """Indented lines that are commands, without what is said beside them, and those in a text."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL).replace("\\\n", "")
    lines = re.findall(rf"^ {{4,8}}((?:{PROGRAMS}|cd)\b.*)$", text, re.MULTILINE)
    blocks = [
        re.split(r"(?<!directions) {3,}", re.sub(r" {5,}--", " --", line))[0] for line in lines
    ]
    words = " ".join(text.split())
    inline = re.findall(rf"`((?:[A-Z_]+=\S+ )*(?:{PROGRAMS}) [^`]+)`", words)
    return list(dict.fromkeys(" ".join(one.split()) for one in [*blocks, *inline]))


GUIDE = {
    "latentfu plugins list": "",
    "latentfu edit photo.png -o out.png --set vivid=2": "latentfu edit photo.png -o out.png "
    "--set vivid=2 --local",
    "latentfu plugins new vivid": "mv $LATENTFU_HOME/config/plugins/vivid.py kept.py && "
    "latentfu plugins new vivid",
    "latentfu plugins install ./latentfu-vivid": "",
    "latentfu plugins list --static": "",
    "latentfu plugins doctor": "",
    "latentfu plugins disable NAME": "latentfu plugins disable vivid",
    "latentfu plugins enable NAME": "latentfu plugins enable vivid",
    "latentfu plugins prefer NAME": "latentfu plugins prefer vivid",
    "latentfu plugins install ...": "latentfu plugins uninstall vivid && latentfu plugins install "
    "./latentfu-vivid",
    "latentfu plugins search WORDS": "latentfu plugins search direction",
    "latentfu plugins bisect -- generators list": "latentfu plugins bisect -- generators list "
    "2>&1 | grep 'works with all plug-ins'",
    "latentfu plugins prefer": "latentfu plugins prefer --help",
    "latentfu settings set NAME ...": "latentfu settings set networks unload_minutes 5",
    "latentfu plugins new NAME --kind choice": "latentfu plugins new hats --kind choice",
    "latentfu generators default NAME": "latentfu generators default portraits",
}
PACK = {
    "latentfu directions report portraits --direction my-wink --out report": "",
    "latentfu sweep photo.png -o wink.gif --set my-wink=-3..3": "",
    "latentfu plugins new winks --directions my-wink.safetensors --directions my-blink.safetensors "
    '--author "Your Name" --licence Apache-2.0': "",
    "cd latentfu-winks": "",
    'pip install -e ".[test]"': "",
    "pytest": "",
    "pip wheel --no-deps --wheel-dir dist .": "",
    "latentfu plugins install dist/latentfu_winks-0.1.0-py3-none-any.whl": "",
    "latentfu controls list": "",
    "latentfu plugins doctor": "",
    "python -m twine upload dist/*": "test -f dist/*.whl",  # nothing is sent away from here
    "latentfu directions show NAME": "latentfu directions show my-wink",
    "latentfu directions clean my-wink": "latentfu directions clean my-wink --without my-blink",
    "latentfu plugins list": "",
    "latentfu plugins uninstall winks": "",
    "latentfu plugins install latentfu-winks": "PIP_FIND_LINKS=$PWD/dist latentfu plugins install "
    "latentfu-winks",
    "latentfu plugins upgrade winks": "PIP_FIND_LINKS=$PWD/dist latentfu plugins upgrade winks",
    "PIP_NO_INDEX=1 PIP_FIND_LINKS=/srv/wheels latentfu plugins install latentfu-winks": "latentfu "
    "plugins uninstall winks && PIP_NO_INDEX=1 PIP_FIND_LINKS=$PWD/dist latentfu plugins install "
    "latentfu-winks",
    "latentfu plugins search": "",
    "latentfu plugins prefer NAME": "latentfu plugins prefer winks",
}
AT_WORK = {
    "latentfu --help": "",
    "latentfu settings set worker network true": "latentfu settings set worker network true && "
    "latentfu settings reset worker network",
    "latentfu plugins list --static": "",
    "latentfu plugins enable NAME": "latentfu plugins enable house",
    "latentfu plugins disable NAME": "latentfu plugins disable winks",
}
TUTORIAL = {
    "latentfu plugins new vivid": "rm -rf latentfu-vivid && latentfu plugins new vivid --folder .",
    "pip install pytest ./latentfu-vivid": "pip install ./latentfu-vivid",
    "pytest latentfu-vivid": "",
    "latentfu plugins list": "",
    "latentfu plugins new hats --directions FILE": "rm -rf latentfu-hats && latentfu plugins new "
    "hats --directions my-top-hat.safetensors --author A --licence CC0-1.0",
    "latentfu directions show my-top-hat": "",
}
"""What a page says -> what is typed in its place: placeholders filled in; empty for the same."""
TYPED = dict(zip(PAGES, (GUIDE, PACK, AT_WORK), strict=True))


@pytest.mark.parametrize("page", [*PAGES, "tutorial.md"])
def test_every_command_for_authors_works(shell: Shell, page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    typed = TYPED.get(page, TUTORIAL)
    if page == "tutorial.md":
        text = text.split("## 5.")[1]
    assert sorted(read_commands(text)) == sorted(typed), "a command of the page is not tried here"
    (shell.folder / "where").unlink(missing_ok=True)
    if page == PAGES[0]:
        example = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]
        (shell.stranger.home / "config" / "plugins" / "vivid.py").write_text(example)
    for said, instead in typed.items():
        shell.type(instead or said)
    if page == PAGES[0]:
        shell.type("latentfu plugins uninstall vivid")
        shutil.rmtree(shell.folder / "latentfu-hats")
