"""Pictures of work in progress as a film: GIF, WebP, MP4 or AVI."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from latentfu.core.errors import BadInputError, StorageError
from latentfu.storage.atomic import whole_file

if TYPE_CHECKING:
    import torch

Frame = npt.NDArray[np.uint8]

FRAMES_A_SECOND = 10
SMALLEST_SIDE = 256
_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
ENDINGS = (".gif", ".webp", *_CODECS)


def check_film(path: Path) -> None:
    """Refuse an ending that is not a film (raises BadInputError)."""
    if path.suffix.lower() not in ENDINGS:
        raise BadInputError(f"{path} is not a film: use one of {' '.join(ENDINGS)}.")


@dataclass
class Film:
    """Every ``every``-th picture that it is called with."""

    every: int
    frames: list[Frame] = field(default_factory=list)
    _seen: int = 0

    def __call__(self, image: torch.Tensor) -> None:
        """``[1, 3, R, R]`` in -1..1."""
        if self._seen % self.every == 0:
            self.frames.append(enlarge_frame(make_frame(image[0].detach().float().cpu().numpy())))
        self._seen += 1

    def write(self, path: Path) -> None:
        """The film in the format that the ending names; raises StorageError."""
        with whole_file(path) as temporary:
            if path.suffix.lower() in _CODECS:
                _write_video(temporary, path.suffix.lower(), self.frames)
            else:
                _write_animation(temporary, path.suffix[1:].upper(), self.frames)


def make_frame(image: npt.NDArray[np.float32]) -> Frame:
    """``[3, R, R]`` in -1..1 -> uint8 ``[R, R, 3]``."""
    values = np.clip((image.transpose(1, 2, 0) + 1.0) * 127.5, 0, 255).round()
    return np.asarray(values, dtype=np.uint8)


def enlarge_frame(frame: Frame) -> Frame:
    """At least 256 px a side."""
    from PIL import Image

    side = max(frame.shape[0], SMALLEST_SIDE)
    picture = Image.fromarray(frame).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(picture)


def _write_animation(path: Path, kind: str, frames: list[Frame]) -> None:
    """A GIF or WebP that repeats for ever."""
    from PIL import Image

    first, *rest = [Image.fromarray(frame) for frame in frames]
    duration = 1000 // FRAMES_A_SECOND
    first.save(path, kind, save_all=True, append_images=rest, duration=duration, loop=0)


def _write_video(path: Path, ending: str, frames: list[Frame]) -> None:
    """An MP4 or AVI by OpenCV."""
    import cv2

    height, width = frames[0].shape[:2]
    codec: Any = cv2.VideoWriter.fourcc(*_CODECS[ending])
    named = path.with_suffix(ending)  # OpenCV chooses the container by the ending
    try:
        writer = cv2.VideoWriter(str(named), codec, FRAMES_A_SECOND, (width, height))
        if not writer.isOpened():
            raise StorageError(f"This machine cannot write {ending[1:]}: name a .gif or .webp.")
        for frame in frames:
            writer.write(np.ascontiguousarray(frame[:, :, ::-1]))
        writer.release()
        named.replace(path)
    finally:
        named.unlink(missing_ok=True)
