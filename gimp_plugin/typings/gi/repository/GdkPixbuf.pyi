from enum import IntEnum

from gi.repository import GLib, GObject

class Colorspace(IntEnum):
    RGB = ...

class InterpType(IntEnum):
    NEAREST = ...
    BILINEAR = ...

class Pixbuf(GObject.Object):
    @classmethod
    def new_from_bytes(
        cls,
        data: GLib.Bytes,
        colorspace: Colorspace,
        has_alpha: bool,
        bits_per_sample: int,
        width: int,
        height: int,
        rowstride: int,
    ) -> Pixbuf: ...
    def new_subpixbuf(self, src_x: int, src_y: int, width: int, height: int) -> Pixbuf: ...
    def get_width(self) -> int: ...
    def get_height(self) -> int: ...
    def get_has_alpha(self) -> bool: ...
    def composite_color_simple(
        self,
        dest_width: int,
        dest_height: int,
        interp_type: InterpType,
        overall_alpha: int,
        check_size: int,
        color1: int,
        color2: int,
    ) -> Pixbuf | None: ...
    def scale_simple(
        self, dest_width: int, dest_height: int, interp_type: InterpType
    ) -> Pixbuf | None: ...
