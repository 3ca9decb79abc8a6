"""Real GIMP 3 with its window: the dialog is used with keys and mouse, as a person would."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.gimp.desktop import Desktop, wait_for
from tests.gimp.gimp import Gimp
from tests.gimp.machine import Shell
from tests.gimp.steps import SETUP

OPEN = """
procedure = Gimp.get_pdb().lookup_procedure("{name}")
config = procedure.create_config()
config.set_property("run-mode", Gimp.RunMode.INTERACTIVE)
config.set_property("image", image)
config.set_core_object_array("drawables", [{layer}])
for key, argument in {arguments}.items():
    config.set_property(key, argument)
values = procedure.run(config)
text = str(values.index(1)) if values.length() > 1 else ""
value = [values.index(0).value_nick, [l.get_name() for l in image.get_layers()], text]
"""
SMALL = {"generator": "small", "inverter": "instant"}
OTHERS = (
    ("latentfu-transfer", "Make it like another layer"),
    ("latentfu-sweep", "Sweep to layers"),
    ("latentfu-several", "Edit several layers"),
    ("latentfu-direction", "Make a direction"),
)
ANTS = 0.003
"""The part of GIMP's window that the border of a selection may keep moving."""

LAYERS = "value = [l.get_name() for l in image.get_layers()]"


@pytest.fixture(scope="module")
def desktop(shell: Shell, share: Path) -> Desktop:
    return Desktop(shell, share)


@pytest.fixture(scope="module")
def ui(shell: Shell, share: Path, desktop: Desktop, home: Path, portrait: Path) -> Iterator[Gimp]:
    gimp = Gimp(shell, share / "window", desktop.display)
    gimp.run(SETUP + f'PORTRAIT = "{portrait}"')
    yield gimp
    gimp.quit()


@pytest.fixture
def image(ui: Gimp, desktop: Desktop) -> Iterator[Gimp]:
    """``ui`` with the portrait open in a display as ``image``."""
    desktop.rest()
    ui.run("image = load(PORTRAIT); display = Gimp.Display.new(image); Gimp.displays_flush()")
    yield ui
    for title in ("Edit portrait", "Mix with layer", *(title for _, title in OTHERS)):
        desktop.dismiss(title)  # A test that failed must not block the next.
    ui.run("display.delete()")


def open_dialog(image: Gimp, name: str, layer: str, **arguments: object) -> int:
    """Call the procedure interactively; the number under which GIMP answers when it is done."""
    return image.send(OPEN.format(name=name, layer=layer, arguments=arguments))


def wait_ready(desktop: Desktop, dialog: str) -> np.ndarray:
    """Until the dialog takes input and its first preview has come; the preview."""
    desktop.wait_still(dialog)
    return desktop.preview(dialog)


def set_first_slider(desktop: Desktop, dialog: str, number: str) -> None:
    """Type into the first slider's number until the dialog has it (it opens with the focus)."""
    desktop.activate(dialog)
    desktop.keys("ctrl+a")
    desktop.type(number)
    desktop.keys("Tab")


def wait_changed(desktop: Desktop, dialog: str, before: np.ndarray, limit: float = 0.5) -> None:
    """Learning the portrait takes seconds, on a busy machine a minute."""

    def changed() -> bool:
        return bool(np.abs(desktop.preview(dialog) - before).mean() > limit)

    wait_for(changed, "the preview did not change", 240)


def shows_a_change(desktop: Desktop, dialog: str) -> bool:
    """Whether Before shows something else: the first preview may come before one can look."""
    after = wait_ready(desktop, dialog)
    desktop.keys("alt+b")
    before = wait_ready(desktop, dialog)
    desktop.keys("alt+b")
    wait_ready(desktop, dialog)
    return bool(np.abs(after - before).mean() > 0.5)


def test_edit_with_the_mouse_and_undo(
    desktop: Desktop, image: Gimp, screenshots: Path | None
) -> None:
    order = open_dialog(image, "latentfu-edit", "image.get_layers()[-1]")
    dialog = desktop.window("Edit portrait")
    wait_for(lambda: desktop.has_sliders(dialog), "no sliders")
    before = wait_ready(desktop, dialog)
    set_first_slider(desktop, dialog, "2.5")
    wait_changed(desktop, dialog, before)
    after = wait_ready(desktop, dialog)
    if screenshots:
        desktop.shoot(dialog, screenshots / "gimp-dialog.png")
    desktop.keys("alt+b")
    wait_changed(desktop, dialog, after)
    shown = wait_ready(desktop, dialog)
    distance = [np.abs(picture - before).mean() for picture in (shown, after)]
    assert distance[0] < distance[1] / 2, "Before shows the layer as it is"
    desktop.keys("alt+b", "alt+a")
    status, layers, text = image.answer(order)
    assert status == "success", text
    assert len(layers) == 2 and layers[0].endswith(" (Latent-Fu)")
    assert "+2.5" in layers[0]
    wait_for(lambda: not desktop.windows("Edit portrait"), "the dialog stays")
    main = desktop.window("GNU Image Manipulation Program|GIMP")
    desktop.activate(main)
    if screenshots:
        desktop.maximize(main)
        desktop.wait_still(main)
        desktop.shoot(main, screenshots / "gimp-result.png")
    desktop.keys("ctrl+z")
    wait_for(lambda: len(image.run(LAYERS)) == 1, "one undo did not remove the new layer", 10)


def test_cancel_leaves_the_image_alone(desktop: Desktop, image: Gimp) -> None:
    order = open_dialog(image, "latentfu-edit", "image.get_layers()[-1]")
    dialog = desktop.window("Edit portrait")
    desktop.activate(dialog)
    desktop.keys("alt+c")
    status, layers, _ = image.answer(order, 20)
    assert status == "cancel" and len(layers) == 1


def test_edit_again_starts_from_the_original(desktop: Desktop, image: Gimp) -> None:
    image.run("""
        layer = image.get_layers()[0]
        image.select_rectangle(Gimp.ChannelOps.REPLACE, 100, 120, 240, 280)
        first = made("latentfu-edit", image, layer, edits="red=2", feather=4.0)
        Gimp.Selection.none(image)
    """)
    order = open_dialog(image, "latentfu-edit", "image.get_layers()[0]", **SMALL)
    dialog = desktop.window("Edit portrait again")
    wait_for(lambda: desktop.has_sliders(dialog), "no sliders")
    desktop.activate(dialog)
    desktop.keys("alt+a")
    status, layers, text = image.answer(order)
    assert status == "success" and len(layers) == 2, f"the earlier result was not replaced {text}"
    seen = image.run("""
        new, old = image.get_layers()
        value = [about(new)["state"], changed(old, new)["box"]]
    """)
    assert seen[0]["edits"] == {"red": 2.0} and seen[0]["feather"] == 4.0
    x0, y0, x1, y1 = seen[1]
    desktop.activate(desktop.window("GNU Image Manipulation Program|GIMP"))
    desktop.keys("ctrl+z")
    same = "value = [len(image.get_layers()), image.get_layers()[0] == first]"
    wait_for(lambda: image.run(same) == [2, True], "one undo did not bring the earlier result back")
    assert x0 >= 100 and y0 >= 120 and x1 <= 340 and y1 <= 400, "the selection was remembered"


def open_from_menu(desktop: Desktop, *keys: str) -> None:
    """By keys: GIMP 3.2 leaves shortcuts alone on a screen without a real keyboard."""
    main = desktop.window("GNU Image Manipulation Program|GIMP")
    desktop.activate(main)
    desktop.wait_still(main, ANTS)
    desktop.keys("alt+r")
    for key in keys:
        time.sleep(1.0)  # A menu opens with a movement.
        desktop.keys(key)


def repeat_last(desktop: Desktop, is_done: Callable[[], bool], what: str) -> None:
    """The first entry of Filters, pressed again where nothing followed.

    A layer is there a moment before its plug-in has ended, and only then GIMP knows it as the
    last filter: a key pressed in between goes nowhere, here as for a person who is quick.
    """
    press_until(desktop, ("Return",), is_done, what)


def open_window(desktop: Desktop, title: str, *keys: str) -> None:
    """A window of ours from the menu, pressed again where none came, as for :func:`repeat_last`."""
    press_until(desktop, keys, lambda: bool(desktop.windows(title)), f"no window {title!r}")


def press_until(
    desktop: Desktop, keys: tuple[str, ...], is_done: Callable[[], bool], what: str
) -> None:
    """The keys of a menu, up to three times; a menu that stayed open is closed in between."""
    for _ in range(3):
        open_from_menu(desktop, *keys)
        with contextlib.suppress(AssertionError):
            wait_for(is_done, what, 25)
            return
        desktop.keys("Escape")
        desktop.keys("Escape")
    raise AssertionError(what)


def test_repeat_does_the_same_to_another_image(desktop: Desktop, image: Gimp) -> None:
    """Filters > Repeat Last, the first entry: the last values are used without a window."""
    open_window(desktop, "Edit portrait", "u", "e")
    dialog = desktop.window("Edit portrait")
    wait_for(lambda: desktop.has_sliders(dialog), "no sliders")
    wait_ready(desktop, dialog)
    set_first_slider(desktop, dialog, "1.5")
    desktop.keys("alt+a")
    wait_for(lambda: len(image.run(LAYERS)) == 2, "no new layer")
    image.run("image.remove_layer(image.get_layers()[0]); Gimp.displays_flush()")
    repeat_last(desktop, lambda: len(image.run(LAYERS)) == 2, "it did not repeat the edit")
    assert "+1.5" in image.run(LAYERS)[0]


REPEATED = {
    "latentfu-mix": ("m", {"layers": "2-3"}, ["2-3 of Second (Latent-Fu)"]),
    "latentfu-transfer": ("l", {"along": "tall", "scale": 0.5}, ["tall like Second (Latent-Fu)"]),
    "latentfu-sweep": ("w", {"control": "red", "count": 4}, ["red -2 ... +2 (Latent-Fu)"]),
    "latentfu-several": ("v", {"which": "image", "edits": "red=2"}, ["red +2 (Latent-Fu)"] * 2),
}
TITLES = {"latentfu-mix": "Mix with layer", **dict(OTHERS)}


@pytest.mark.parametrize("name", REPEATED)
def test_repeat_does_the_rest_without_a_window(
    desktop: Desktop, image: Gimp, second_portrait: Path, name: str
) -> None:
    """Applied once from the menu with what was set the last time, then repeated."""
    key, arguments, wanted = REPEATED[name]
    title = TITLES[name]
    image.run(f"""
        mode = Gimp.RunMode.NONINTERACTIVE
        other = Gimp.file_load_layer(mode, image, Gio.File.new_for_path("{second_portrait}"))
        image.insert_layer(other, None, 0); other.set_name("Second")
        image.set_selected_layers([image.get_layers()[-1]])
    """)

    def made() -> list[str]:
        return sorted(one.partition(" #")[0] for one in image.run(LAYERS) if "Latent-Fu" in one)

    def apply() -> bool:
        for window in desktop.windows(title):
            if not desktop.activate_if_there(window):
                continue
            if name == "latentfu-several":
                desktop.keys("alt+l")
            desktop.keys("alt+a")
            time.sleep(1.0)
        return not desktop.windows(title)

    order = open_dialog(image, name, "image.get_layers()[-1]", **SMALL, **arguments)
    desktop.window(title)
    wait_for(apply, "it cannot be applied", 60)
    assert image.answer(order)[0] == "success" and made() == wanted
    undo = """
        for one in image.get_layers():
            if "Latent-Fu" in one.get_name(): image.remove_layer(one)
        image.set_selected_layers([image.get_layers()[-1]]); Gimp.displays_flush()
    """
    image.run(undo)
    open_window(desktop, title, "u", key)
    wait_for(apply, "it cannot be applied from the menu", 60)
    wait_for(lambda: made() == wanted, f"from the menu: {made()}")
    image.run(undo)
    repeat_last(desktop, lambda: made() == wanted, "it did not repeat")
    assert not desktop.windows(title), "it opened the window"


def test_mix_with_the_second_layer(
    desktop: Desktop, image: Gimp, second_portrait: Path, screenshots: Path | None
) -> None:
    image.run(f"""
        mode = Gimp.RunMode.NONINTERACTIVE
        other = Gimp.file_load_layer(mode, image, Gio.File.new_for_path("{second_portrait}"))
        image.insert_layer(other, None, 0); other.set_name("Second")
    """)
    # The picture for the documentation shows the shipped network, which takes longer to learn.
    quick = {} if screenshots else SMALL
    order = open_dialog(image, "latentfu-mix", "image.get_layers()[-1]", layers="2-3", **quick)
    dialog = desktop.window("Mix with layer")
    desktop.activate(dialog)
    wait_for(lambda: shows_a_change(desktop, dialog), "the preview shows no mixture", 240)
    if screenshots:
        desktop.shoot(dialog, screenshots / "gimp-mix.png")
    desktop.keys("alt+a")
    status, layers, text = image.answer(order)
    assert status == "success", text
    assert layers[:2] == ["Second", "2-3 of Second (Latent-Fu)"]


@pytest.mark.parametrize(("name", "title"), OTHERS, ids=[name for name, _ in OTHERS])
def test_a_window_opens_and_cancel_leaves_the_image_alone(
    desktop: Desktop, image: Gimp, name: str, title: str
) -> None:
    image.run("""
        other = image.get_layers()[-1].copy(); other.set_name("Second")
        image.insert_layer(other, None, 0)
    """)
    order = open_dialog(image, name, "image.get_layers()[-1]", **SMALL)
    dialog = desktop.window(title)
    desktop.activate(dialog)
    desktop.keys("alt+c")
    status, layers, text = image.answer(order, 60)
    assert status == "cancel" and len(layers) == 2, text


def test_a_sweep_is_one_undo_step(desktop: Desktop, image: Gimp) -> None:
    """From the window, with Alt+A."""
    # GIMP opens the window with what was used last: in the test of Repeat, 4 layers as well.
    arguments = {**SMALL, "control": "red", "count": 4}
    order = open_dialog(image, "latentfu-sweep", "image.get_layers()[-1]", **arguments)
    dialog = desktop.window("Sweep to layers")
    desktop.activate(dialog)
    wait_ready(desktop, dialog)

    def applied() -> bool:
        desktop.keys("alt+a")
        return not desktop.windows("Sweep to layers")

    wait_for(applied, "it cannot be applied", 60)
    status, layers, text = image.answer(order)
    assert status == "success", text
    group = "red -2 ... +2 (Latent-Fu)"
    assert layers[0] == group and len(layers) == 2
    assert image.run("value = len(image.get_layers()[0].get_children())") == 4
    main = desktop.window("GNU Image Manipulation Program|GIMP")
    desktop.activate(main)
    desktop.keys("ctrl+z")
    wait_for(lambda: len(image.run(LAYERS)) == 1, "one undo did not take all layers back")


def test_several_layers_are_one_undo_step(desktop: Desktop, image: Gimp) -> None:
    image.run("""
        other = image.get_layers()[-1].copy(); image.insert_layer(other, None, 0)
        procedure = Gimp.get_pdb().lookup_procedure("latentfu-several")
        config = procedure.create_config()
        config.set_property("image", image)
        config.set_property("which", "image"); config.set_property("edits", "red=2")
        for key, argument in SMALL.items():
            config.set_property(key, argument)
        value = procedure.run(config).index(1)
    """)
    assert len(image.run(LAYERS)) == 4
    desktop.activate(desktop.window("GNU Image Manipulation Program|GIMP"))
    desktop.keys("ctrl+z")
    wait_for(lambda: len(image.run(LAYERS)) == 2, "one undo did not take both back")


def test_the_servers_window_says_what_runs(desktop: Desktop, ui: Gimp) -> None:
    order = ui.send("""
        procedure = Gimp.get_pdb().lookup_procedure("latentfu-server")
        config = procedure.create_config()
        config.set_property("run-mode", Gimp.RunMode.INTERACTIVE)
        values = procedure.run(config)
        value = [values.index(0).value_nick, str(values.index(1))]
    """)
    window = desktop.window("Latent-Fu server")
    desktop.activate(window)
    desktop.wait_still(window)
    desktop.keys("alt+c")
    status, text = ui.answer(order)
    assert status == "success" and "Latent-Fu server" in text
