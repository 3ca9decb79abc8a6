"""What the study of W++ does, how much of it, and where it is kept."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from latentfu import data_dir, write_whole

MAPPINGS = ("mlp", "attention")
"""The plain mapping, whose codes are w and w+, and that of W++."""
_FIGURES = "figures.json"


@dataclass(frozen=True)
class StudyPlan:
    """All sizes and seeds; both networks have the same.

    Attributes:
        folder: Where everything is kept; a step that is done is not done again.
        renderer: Who draws what the networks learn.
        resolution: Pixels of the pictures.
        z_dim: Numbers of z, of each token's in W++.
        start: The network whose first layers both syntheses begin from; the mappings begin anew.
        mapping_layers: Between z and w.
        pairs: Renders to learn from.
        paired_images: Pictures whose z each network learns first.
        images: Pictures that each learns against a discriminator then.
        samples: Pictures of each that are compared with renders.
        encoder_images: Pictures that each encoder is trained on.
        inverted: Renders that are inverted.
        projector_steps: Of optimization each.
        scored: Samples that boundaries are learned from.
        edited: Inverted pictures that are edited.
        frames: Distances on the way from one end to the other.
        attributes: What is edited, as the scorer calls it.
        given_over: What is given from one picture to another.
        mapping_images: Pictures that each conditional mapping is trained on.
        pairs_edited: Pairs of pictures that are edited by each other.
        seed: Of everything.
    """

    folder: Path
    renderer: str = "portraits"
    resolution: int = 64
    z_dim: int = 64
    start: str = "portraits"
    mapping_layers: int = 2
    pairs: int = 8000
    paired_images: int = 40_000
    images: int = 8_000
    samples: int = 2000
    encoder_images: int = 24_000
    inverted: int = 100
    projector_steps: int = 80
    scored: int = 100_000
    edited: int = 20
    frames: int = 61
    attributes: tuple[str, ...] = ("age", "gender", "smile")
    given_over: tuple[str, ...] = ("smile", "mouth_open", "eye_open", "brow_height")
    mapping_images: int = 8_000
    pairs_edited: int = 50
    seed: int = 7

    def network_file(self, mapping: str) -> Path:
        """The trained network with one of the two mappings."""
        return self.folder / f"{mapping}.safetensors"

    def place(self, name: str) -> Path:
        """A file or folder of the study whose name may hold a space's: w++ is spelled wpp."""
        return self.folder / name.replace("+", "p")

    def strip_file(self, attribute: str, space: str) -> Path:
        """Frames of one attribute's edit in one space."""
        return self.place(f"{attribute}-{space}.png")

    def mapping_checkpoint(self, mapping: str) -> Path:
        """The training of the conditional mapping of that network."""
        return self.folder / f"transfer-{mapping}.checkpoint"

    def read_figures(self) -> dict[str, Any]:
        """What was measured so far, by the step."""
        path = self.folder / _FIGURES
        found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        return found

    def keep_figures(self, step: str, figures: object) -> None:
        """Add what a step measured."""
        self.folder.mkdir(parents=True, exist_ok=True)
        whole = {**self.read_figures(), step: figures}
        write_whole(self.folder / _FIGURES, (json.dumps(whole, indent=1) + "\n").encode())


def choose_plan(out: Path | None, **changes: Any) -> StudyPlan:
    """The plan in a folder, or in the data folder."""
    return replace(StudyPlan(out or data_dir() / "work" / "wplusplus"), **changes)
