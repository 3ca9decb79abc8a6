"""Where the work is done: in the running server (networks warm, shared with GIMP), or here."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import click

from latentfu.cli.options import IN_PROCESS, is_file, request_fields
from latentfu.cli.pictures import PictureFile, read_mask
from latentfu.core.errors import BadInputError, LatentFuError, ServerError
from latentfu.core.layer import Layer
from latentfu.core.progress import Progress
from latentfu.protocol.pictures import PictureStore, body_layer, layer_body
from latentfu.protocol.remote_server import HERE, KnownServer, choose_server
from latentfu.protocol.requests import EditorRequest

if TYPE_CHECKING:
    from latentfu.client.client import Client
    from latentfu.pipeline.editor import Editor
    from latentfu.pipeline.paste_back import Outcome
    from latentfu.pipeline.spare_memory import MemoryReserve


@dataclass(frozen=True)
class Done:
    """The finished layer and its report.

    ``place``: "server", "here", or the address of a server on another machine.
    """

    layer: Layer
    report: Mapping[str, Any]
    place: str


class Backend(Protocol):
    """Something that does requests."""

    def run(self, request: EditorRequest, pictures: PictureStore, progress: Progress) -> Done:
        """Edit, mix or invert; raises LatentFuError."""


OpenedEditor: TypeAlias = "tuple[Editor, str | None]"
"""An editor, and the name under which it knows the generator that was asked for."""


class LocalBackend:
    """This process: loads the networks (seconds), needs no server.

    ``file``: the generator's. ``opened``: an editor that is there already, and the generator's
    name in it, which every request takes.
    """

    def __init__(self, file: str | None = None, opened: OpenedEditor | None = None) -> None:
        self._file = file
        self._opened = opened
        self._has_own_name = file is not None or opened is not None

    def run(self, request: EditorRequest, pictures: PictureStore, progress: Progress) -> Done:
        if self._opened is None:  # the networks are kept for the next request
            self._opened = open_editor(self._file or request.generator)
        editor, name = self._opened
        name = name if self._has_own_name else request.generator
        request = request.model_copy(update={"generator": name})

        def work(able: Editor, told: Progress) -> Outcome:
            return able.run(request, pictures, told)

        outcome = make_reserve(editor, self._file).run(editor, work, progress)
        return Done(outcome.layer, outcome.report.to_wire(), "here")


class ServerBackend:
    """Sends the pictures, waits for the job, fetches the layer that came out.

    ``place``: the address of a server on another machine, or "server" for the one of this.
    """

    def __init__(self, client: Client, place: str = "server") -> None:
        self._client = client
        self._place = place

    def run(self, request: EditorRequest, pictures: PictureStore, progress: Progress) -> Done:
        sent: dict[str, Any] = {
            field: self._client.send_layer(layer_body(pictures.read(reference)))
            for field in ("layer", "mask", "source")
            if (reference := getattr(request, field, None)) is not None
        }
        exemplars = {
            control: self._client.send_layer(layer_body(pictures.read(reference)))
            for control, reference in getattr(request, "exemplars", {}).items()
        }
        if exemplars:
            sent["exemplars"] = exemplars
        # The server drops an interactive job by itself if this process is killed.
        job_id = self._client.put_job(request.model_copy(update={**sent, "interactive": True})).id
        try:
            job = self._client.wait(job_id, progress)
        except BaseException:  # Ctrl-C too: nobody wants the result any more
            with contextlib.suppress(LatentFuError):
                self._client.cancel(job_id)
            raise
        if request.generator is None and self._place == "server":
            _tell_if_not_chosen(str((job.report or {}).get("generator", "")))
        return Done(body_layer(self._client.result(job_id)), job.report or {}, self._place)


def _tell_if_not_chosen(used: str) -> None:
    """On stderr that another network works than the default that was chosen."""
    from latentfu.plugin_manager.default_choice import describe_default

    if note := describe_default({used: None}, used):
        click.echo(note, err=True)


def choose_backend(where: str | None, generator: str | None) -> Backend:
    """The server that was chosen; else the one of this machine if it runs, else this process.

    ``where``: what :func:`latentfu.cli.options.place_options` gives.
    """
    if is_file(generator):
        if where not in (None, IN_PROCESS, HERE):
            raise BadInputError(
                f"{generator} is a file of this machine, which the server cannot open: give the "
                "name of a network that is installed there, or --local."
            )
        return LocalBackend(generator)
    if where == IN_PROCESS:
        return LocalBackend()
    from latentfu.client.client import Client

    chosen = choose_server(where)
    if chosen is not None:
        return _connect_to_other(chosen)
    try:
        return ServerBackend(Client.connect())
    except ServerError:
        return LocalBackend()


def _connect_to_other(server: KnownServer) -> Backend:
    """A server on another machine; says that pictures go there.

    At the first meeting the person is asked about its fingerprint, where there is somebody to ask.
    """
    from latentfu.cli.servers import trust_by_asking
    from latentfu.client.client import Client
    from latentfu.client.trust import ChangedServerError, UnknownServerError

    url = server.address.url
    try:
        client = Client.connect_to(server)
    except ChangedServerError:
        raise
    except UnknownServerError as error:
        if not sys.stdin.isatty():
            raise
        client = Client.connect_to(trust_by_asking(server, error.fingerprint))
    click.echo(f"The pictures are sent to {url}, which was chosen for the work.", err=True)
    return ServerBackend(client, url)


def make_reserve(editor: Editor, generator: str | None) -> MemoryReserve[Editor]:
    """For work that the editor's device has too little memory for; ``generator``: as opened."""
    from latentfu.pipeline.spare_memory import MemoryReserve

    return MemoryReserve(editor.generators.device, lambda: open_editor(generator, "cpu")[0])


def open_editor(generator: str | None, device: str | None = None) -> OpenedEditor:
    """An editor on that or the best device, and the name under which it knows the generator."""
    from latentfu.pipeline.editor import Editor
    from latentfu.pipeline.generator_pool import best_device, open_generator

    editor = Editor(device or best_device())
    if generator is None and device is None:
        _tell_if_not_chosen(editor.generators.find_spec(None).name)
    if generator is None or not is_file(generator):
        return editor, generator
    return editor, editor.generators.adopt(open_generator(generator, device or "auto"))


def collect_fields(
    pictures: PictureStore, picture: PictureFile, mask: Path | None, fields: dict[str, Any]
) -> dict[str, Any]:
    """The fields of a request about ``picture``, which is put among the ``pictures``."""
    selection = read_mask(mask, picture) if mask else None
    return {
        "layer": pictures.add(Layer(picture.pixels)),
        "mask": pictures.add_mask(selection),
        **request_fields(fields),
    }
