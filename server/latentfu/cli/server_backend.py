"""The running server as a place to work."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import asdict

from latentfu.cli.backend import Done
from latentfu.cli.options import Choice
from latentfu.client.client import Client
from latentfu.core.errors import LatentFuError, ServerError
from latentfu.core.layer import Layer
from latentfu.core.progress import Progress
from latentfu.protocol.layer_body import body_layer, layer_body, mask_body


def find_server() -> Server | None:
    """The server of this user if one runs and answers, else None."""
    try:
        return Server(Client.connect())
    except ServerError:
        return None


class Server:
    """Sends the layer and the mask, waits for the job, fetches the layer that came out."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def edit(
        self, layer: Layer, edits: Mapping[str, float], choice: Choice, progress: Progress
    ) -> Done:
        request = {**self._common(layer, choice), "kind": "edit", "edits": dict(edits)}
        return self._run(request, progress)

    def mix(
        self,
        layer: Layer,
        source: Layer,
        layers: tuple[int, int],
        choice: Choice,
        progress: Progress,
    ) -> Done:
        request = {
            **self._common(layer, choice),
            "kind": "mix",
            "source": self._client.send_layer(layer_body(source)),
            "layers": list(layers),
        }
        return self._run(request, progress)

    def _common(self, layer: Layer, choice: Choice) -> dict[str, object]:
        mask = choice.mask
        return {
            "layer": self._client.send_layer(layer_body(layer)),
            "mask": None if mask is None else self._client.send_layer(mask_body(mask)),
            "generator": choice.generator,
            "inverter": choice.inverter,
            "aligner": choice.aligner,
            "feather": choice.feather,
            "psi": choice.psi,
            **{name: said for name, said in asdict(choice.place).items() if said is not None},
            # The server drops the job by itself if this process is killed.
            "interactive": True,
        }

    def _run(self, request: Mapping[str, object], progress: Progress) -> Done:
        job_id = self._client.put_job(request).id
        try:
            job = self._client.wait(job_id, progress)
        except BaseException:  # Ctrl-C too: nobody wants the result any more
            with contextlib.suppress(LatentFuError):
                self._client.cancel(job_id)
            raise
        report = job.report if isinstance(job.report, Mapping) else {}
        return Done(body_layer(self._client.result(job_id)), report, "server")
