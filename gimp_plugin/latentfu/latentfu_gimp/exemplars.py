"""The pictures that controls are set to: files, and layers of the image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gi.repository import Gimp, Gio

from .arguments import LAYER, TATTOO, Edits, is_layer, is_picture
from .errors import PluginError
from .jobs import Work
from .layers import check_layer
from .pixels import read_layer
from .translate import _
from .wire import Picture

LARGEST_SIDE = 2048
"""A larger file is made smaller: networks look at far less."""


class PictureReader:
    """Reads each picture once; a layer that is painted on is read again after :meth:`forget`."""

    def __init__(self, image: Gimp.Image) -> None:
        self.image = image
        self._read: dict[str, Picture] = {}

    def give(self, work: Work) -> Work:
        """``work`` with the pictures that its edits name; raises PluginError."""
        named = [each for each in work.edits.values() if isinstance(each, str) and is_picture(each)]
        return replace(work, pictures={each: self.read(each) for each in named})

    def read(self, name: str) -> Picture:
        """The picture of that name; raises PluginError in one sentence."""
        if name not in self._read:
            self._read[name] = self._read_now(name)
        return self._read[name]

    def forget(self, name: str) -> None:
        """Read it anew the next time."""
        self._read.pop(name, None)

    def _read_now(self, name: str) -> Picture:
        if not is_layer(name):
            return read_file(name.removeprefix("@"))
        layer = find_layer(self.image, name)
        if layer is None:
            raise PluginError(
                _("The image has no layer {name}: choose another picture.").format(
                    name=name.partition(":")[2]
                )
            )
        return read_layer(check_layer(layer))


def read_file(path: str) -> Picture:
    """A picture file of any kind that GIMP opens, at most 2048 pixels wide and high."""
    if not Path(path).is_file():
        raise PluginError(_("There is no picture {path}: choose another.").format(path=path))
    opened = None
    try:
        opened = Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))
        if opened is None:
            raise PluginError
        if opened.get_base_type() != Gimp.ImageBaseType.RGB:
            opened.convert_rgb()
        wide, high = opened.get_width(), opened.get_height()
        shrink = LARGEST_SIDE / max(wide, high)
        if shrink < 1.0:
            opened.scale(max(1, round(wide * shrink)), max(1, round(high * shrink)))
        return read_layer(opened.merge_visible_layers(Gimp.MergeType.CLIP_TO_IMAGE))
    except Exception as error:
        raise PluginError(
            _("{path} cannot be opened as a picture: choose another.").format(path=path)
        ) from error
    finally:
        if opened is not None:
            opened.delete()


def find_layer(image: Gimp.Image, name: str) -> Gimp.Layer | None:
    """The layer that a picture is, by its name or by what GIMP knows it by."""
    if name.startswith(TATTOO):
        number = name.removeprefix(TATTOO)
        return image.get_layer_by_tattoo(int(number)) if number.isdecimal() else None
    return image.get_layer_by_name(name.removeprefix(LAYER))


def keep_layers(image: Gimp.Image, edits: Mapping[str, float | str]) -> Edits:
    """Edits whose layers are found again when somebody has renamed them."""
    return {name: _by_tattoo(image, value) for name, value in edits.items()}


def _by_tattoo(image: Gimp.Image, value: float | str) -> float | str:
    layer = find_layer(image, str(value)) if is_layer(value) else None
    return value if layer is None else f"{TATTOO}{layer.get_tattoo()}"


def recall_layers(image: Gimp.Image, edits: Mapping[str, float | str]) -> tuple[Edits, list[str]]:
    """Kept edits with the layers' names of now; also the controls whose pictures are gone."""
    found: Edits = {}
    gone = []
    for name, value in edits.items():
        there = value
        if isinstance(value, str) and is_layer(value):
            layer = find_layer(image, value)
            there = "" if layer is None else f"{LAYER}{layer.get_name()}"
        elif isinstance(value, str) and is_picture(value) and not Path(value[1:]).is_file():
            there = ""
        if there == "" and value:
            gone.append(name)
        else:
            found[name] = there
    return found, gone


def tell_gone(controls: list[str]) -> str:
    """A sentence on controls whose pictures are no longer there, empty for none."""
    if not controls:
        return ""
    text = _("The picture of {names} is no longer there: choose another.")
    return text.format(names=", ".join(controls))
