"""What happens behind a dialog: one worker thread that talks to the server.

Nothing here knows Gtk: results are handed to ``on_main``, which runs them in the main thread.
"""

from __future__ import annotations

import contextlib
import traceback
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote

from . import finder, jobs
from .client import RefusedError, ServerClient
from .errors import NoPortraitError, PluginError, ServerGoneError, StoppedError
from .translate import _
from .wire import Picture
from .worker import Worker

Document = dict[str, Any]
T = TypeVar("T")
OnMain = Callable[[Callable[[], None]], Any]


@dataclass(frozen=True)
class Watcher:
    """Called in the main thread: ``report`` with progress, ``failed`` with one sentence."""

    report: Callable[[float, str], None]
    failed: Callable[[str], None]


@dataclass(frozen=True)
class Catalog:
    """What the server has: generators and inverters (the default first), the sliders of one.

    ``generator``: whose controls they are; the default where the one asked for is not there.
    ``valued``: its controls that are no sliders.
    """

    generator: str
    generators: list[Document]
    inverters: list[Document]
    controls: list[Document]
    valued: list[Document]


FIRST, SHARPER, EXACT = 16, 4, 0
"""How many times smaller than the network's picture the previews are that a move leads to."""


class Session:
    """The requests of one dialog, done one after the other; of previews only the newest."""

    def __init__(self, on_main: OnMain, watcher: Watcher) -> None:
        self._on_main = on_main
        self._watcher = watcher
        self._worker = Worker()
        self._sharpener = Worker()
        self._sharpening: ServerClient | None = None
        self._learning: ServerClient | None = None
        self._previewing: ServerClient | None = None
        self._learned = 0
        self._client: ServerClient | None = None
        self._name = str(uuid.uuid4())
        self._closed = False
        self._asked = 0

    def open(self, generator: str, done: Callable[[Catalog], None]) -> None:
        """Find or start the server and ask what it has for ``generator`` ("" the default)."""
        self.abandon()

        def task() -> None:
            client = self._connect()
            generators = client.get("/v1/generators")["generators"]
            inverters = client.get("/v1/inverters")["inverters"]
            names = [str(one["name"]) for one in generators]
            if not names:
                raise PluginError(_("No generator is installed: run `latentfu doctor` to see why."))
            chosen = generator if generator in names else names[0]
            controls = client.get(f"/v1/controls?generator={quote(chosen)}")["controls"]
            sliders = [each for each in controls if each.get("widget", "slider") == "slider"]
            valued = [each for each in controls if each not in sliders]
            self._hand_over(done, Catalog(chosen, generators, inverters, sliders, valued))

        self._worker.add(lambda: self._guard(task))

    def find_faces(
        self, work: jobs.Work, done: Callable[[jobs.Faces], None], nothing: Callable[[], None]
    ) -> None:
        """Look for the faces; ``nothing`` is called when there is none."""

        def ask(client: ServerClient, report: jobs.Report) -> Callable[[], None]:
            try:
                faces = jobs.find_faces(client, work, report)
            except NoPortraitError:
                return nothing
            return lambda: done(faces)

        self._learn(ask)

    def prepare(self, work: jobs.Work, done: Callable[[Document], None]) -> None:
        """Invert the layer, so that previews are quick; what was being learnt is cancelled."""
        self._learn_one(lambda client, report: jobs.prepare(client, work, report), done)

    def find_regions(self, work: jobs.Work, done: Callable[[jobs.Result], None]) -> None:
        """A mask as :func:`jobs.ask_regions` makes it; what was being learnt is cancelled."""
        self._learn_one(lambda client, report: jobs.ask_regions(client, work, report), done)

    def _learn_one(
        self, question: Callable[[ServerClient, jobs.Report], T], done: Callable[[T], None]
    ) -> None:
        def ask(client: ServerClient, report: jobs.Report) -> Callable[[], None]:
            told = question(client, report)
            return lambda: done(told)

        self._learn(ask)

    def _learn(self, ask: Callable[[ServerClient, jobs.Report], Callable[[], None]]) -> None:
        """Ask on a connection of its own, which the next call cuts off.

        What ``ask`` gives is called in the main thread, unless it was abandoned meanwhile.
        """
        self.abandon()
        mine = self._learned

        def report(fraction: float, message: str) -> None:
            if mine != self._learned:
                raise StoppedError
            self._report(fraction, message)

        def task() -> None:
            client = self._learning = self._connect().another()
            if mine != self._learned:
                return
            with client:
                try:
                    told = ask(client, report)
                except StoppedError:
                    if mine == self._learned:
                        raise
                else:
                    self._hand_over(lambda: told() if mine == self._learned else None)

        self._worker.add(lambda: self._guard(task))

    def abandon(self) -> None:
        """Cancel what is being learnt, also on the server: nobody waits for it any more.

        The previews go too: one of a method that was left would make the server learn by it.
        """
        self._learned += 1
        self._asked += 1
        self._worker.forget_previews()
        self._sharpener.forget_previews()
        for client in (self._learning, self._previewing, self._sharpening):
            if client:
                client.abort()
        self._previewing = None

    def preview(
        self, work: jobs.Work, side: int, done: Callable[[Picture], None], quick: bool = False
    ) -> None:
        """A small picture of ``work``, unless a newer one is asked for before it began.

        A ``quick`` one comes from a very small picture of the network. While nothing newer has
        been asked for a sharper one and the exact one follow; the next call stops them at once.
        """
        self._asked += 1
        asked, mine, first = self._asked, self._learned, FIRST if quick else EXACT

        def task() -> None:
            client = self._previewing = self._previewing or self._connect().another()
            try:
                picture = self._small(client, work, side, first) if mine == self._learned else None
            except (StoppedError, ServerGoneError):
                self._previewing = None
                client.close()
                if mine == self._learned:
                    raise
                return
            if picture is not None and mine == self._learned:
                self._hand_over(done, picture)
                if quick and not self._closed:
                    self._sharpen(work, side, done, asked)

        self._worker.replace(lambda: self._guard(task))

    def _sharpen(
        self, work: jobs.Work, side: int, done: Callable[[Picture], None], asked: int
    ) -> None:
        """Better previews, on a connection of their own, so that a newer one can overtake them."""
        client = self._sharpening = self._connect().another()

        def task() -> None:
            # Where the server is gone the next request says so.
            with client, contextlib.suppress(ServerGoneError, StoppedError):
                for quick in (SHARPER, EXACT):
                    newest = asked == self._asked and not self._closed
                    picture = self._small(client, work, side, quick) if newest else None
                    if picture is None:
                        break
                    self._hand_over(done, picture)

        self._sharpener.replace(lambda: self._guard(task))

    def _small(
        self, client: ServerClient, work: jobs.Work, side: int, quick: int
    ) -> Picture | None:
        """A preview; None when a newer one has overtaken it."""
        try:
            return jobs.preview(client, work, self._name, side, quick)
        except RefusedError as error:
            if error.code in {"overtaken", "cancelled"}:
                return None
            raise

    def try_out(self, work: jobs.Work, done: Callable[[jobs.Result], None]) -> None:
        """The whole layer, unless a newer :meth:`try_out` is asked for before it began."""
        self.ask(lambda client, report: jobs.run_anywhere(client, work, report), done)

    def ask(
        self, question: Callable[[ServerClient, jobs.Report], T], done: Callable[[T], None]
    ) -> None:
        """Anything else, unless something newer is asked for before it began."""

        def task() -> None:
            self._hand_over(done, question(self._connect(), self._report))

        self._worker.replace(lambda: self._guard(task))

    def finish(self, works: Sequence[jobs.Work], done: Callable[[list[jobs.Result]], None]) -> None:
        """The whole layer, for each of ``works``; previews that wait are dropped."""

        def task() -> None:
            client = self._connect()
            results = [jobs.run_anywhere(client, work, self._report) for work in works]
            self._hand_over(done, results)

        self._worker.forget_previews()
        self._sharpener.forget_previews()
        self._worker.add(lambda: self._guard(task))

    def close(self) -> None:
        """Cancel everything; nothing is handed over any more."""
        self._closed = True
        self._learned += 1
        for client in (self._client, self._sharpening, self._learning, self._previewing):
            if client:
                client.abort()
        self._sharpener.stop(lambda: None)
        self._worker.stop(self._forget)

    def _forget(self) -> None:
        clients = (self._client, self._previewing)
        self._client = self._previewing = None
        for client in clients:
            if client:
                client.close()

    def _connect(self) -> ServerClient:
        if self._client is None:
            self._client = finder.connect(self._report)
        return self._client

    def _report(self, fraction: float, message: str) -> None:
        if self._closed:
            raise StoppedError
        self._hand_over(self._watcher.report, fraction, message)

    def _guard(self, task: Callable[[], None]) -> None:
        try:
            task()
        except StoppedError:
            if not self._closed:
                self._hand_over(
                    self._watcher.failed, _("The server cancelled the work: try again.")
                )
        except ServerGoneError as error:
            self._forget()  # The next request finds or starts a server again.
            self._hand_over(self._watcher.failed, str(error))
        except PluginError as error:
            self._hand_over(self._watcher.failed, str(error))
        except Exception as error:
            traceback.print_exc()
            text = _("Latent-Fu met an error it does not know ({error}).").format(
                error=f"{type(error).__name__}: {error}"
            )
            self._hand_over(self._watcher.failed, text)

    def _hand_over(self, callback: Callable[..., None], *arguments: Any) -> None:
        def call() -> None:
            if not self._closed:
                callback(*arguments)

        self._on_main(call)
