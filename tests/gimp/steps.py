"""What the tests say to GIMP: small pieces of Python that run there."""

SETUP = '''
SMALL = {"generator": "small", "inverter": "instant"}  # A network and method of no time at all.

def run(name, image, layer, **arguments):
    arguments = {**SMALL, **arguments}
    procedure = Gimp.get_pdb().lookup_procedure(name)
    config = procedure.create_config()
    config.set_property("run-mode", Gimp.RunMode.NONINTERACTIVE)
    config.set_property("image", image)
    layers = layer if isinstance(layer, list) else [layer]
    config.set_core_object_array("drawables", layers)
    for key, argument in arguments.items():
        config.set_property(key, argument)
    values = procedure.run(config)
    status = values.index(0).value_nick
    return status, values.index(1) if values.length() > 1 else None

def made(name, image, layer, **arguments):
    """The new layer; an exception with the plug-in's own words when there is none."""
    status, new = run(name, image, layer, **arguments)
    if status != "success":
        raise RuntimeError(f"{status}: {new}")
    return new

def attempt(name, image, layer, **arguments):
    """The error text, and how many layers there are afterwards."""
    status, text = run(name, image, layer, **arguments)
    return [status, str(text), len(image.get_layers())]

def load(path):
    return Gimp.file_load(Gimp.RunMode.NONINTERACTIVE, Gio.File.new_for_path(path))

def save(image, path):
    return Gimp.file_save(Gimp.RunMode.NONINTERACTIVE, image, Gio.File.new_for_path(path), None)

def native(layer, x, y, width, height):
    """Pixels in the layer's own format: nothing is converted."""
    rectangle = Gegl.Rectangle.new(x, y, width, height)
    return bytes(layer.get_buffer().get(rectangle, 1.0, None, Gegl.AbyssPolicy.NONE))

def whole(layer):
    return native(layer, 0, 0, layer.get_width(), layer.get_height())

def changed(a, b):
    """The box (x0, y0, x1, y1) and the count of pixels that differ between two layers."""
    width, height = a.get_width(), a.get_height()
    old, new = whole(a), whole(b)
    if len(old) != len(new):
        return "another format"
    size = len(old) // (width * height)
    xs, ys, count = [], [], 0
    for y in range(height):
        start = y * width * size
        p, q = old[start:start + width * size], new[start:start + width * size]
        if p != q:
            hits = [x for x in range(width) if p[x*size:(x+1)*size] != q[x*size:(x+1)*size]]
            ys.append(y); xs += [hits[0], hits[-1]]; count += len(hits)
    box = [min(xs), min(ys), max(xs) + 1, max(ys) + 1] if ys else None
    return {"box": box, "count": count}

def alpha(layer):
    rectangle = Gegl.Rectangle.new(0, 0, layer.get_width(), layer.get_height())
    return bytes(layer.get_buffer().get(rectangle, 1.0, "A u8", Gegl.AbyssPolicy.NONE))

def kind(layer):
    return layer.is_gray(), layer.is_indexed()

def about(layer):
    _, x, y = layer.get_offsets()
    parasite = layer.get_parasite("latentfu/state")
    return {
        "name": layer.get_name(), "x": x, "y": y, "alpha": layer.has_alpha(),
        "width": layer.get_width(), "height": layer.get_height(), "gray": layer.is_gray(),
        "indexed": layer.is_indexed(), "mask": layer.get_mask() is not None,
        "state": json.loads(bytes(parasite.get_data())) if parasite else None,
    }
'''
