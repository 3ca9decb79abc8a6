"""A screen without a monitor: Xvfb with a window manager, keys, mouse and screenshots."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from tests.gimp.machine import Shell

SCREEN = (1280, 860)


class Desktop:
    """``display`` is what programs need as DISPLAY."""

    def __init__(self, shell: Shell, folder: Path) -> None:
        self._shell = shell
        numbers = folder / "xvfb.log"
        size = f"{SCREEN[0]}x{SCREEN[1]}x24"
        command = ["Xvfb", "-displayfd", "1", "-screen", "0", size, "-nolisten", "tcp"]
        shell.spawn(*command, log=numbers)
        wait_for(lambda: bool(chosen(numbers)), "Xvfb did not start")
        self.display = f":{chosen(numbers)}"
        shell.spawn("openbox", log=folder / "openbox.log", DISPLAY=self.display)

    def _x(self, *command: str) -> bytes:
        return self._shell.run(*command, DISPLAY=self.display)

    def window(self, title: str, timeout: float = 60) -> str:
        """The id of the visible window of that title, when it is there."""
        found: list[str] = []

        def look() -> bool:
            found[:] = self.windows(title)
            return bool(found)

        wait_for(look, f"no window {title!r}", timeout)
        return found[-1]

    def windows(self, title: str) -> list[str]:
        """The ids of the visible windows of that title, none if there are none."""
        script = f"xdotool search --onlyvisible --name '{title}' 2>/dev/null || true"
        return self._x("sh", "-c", script).decode().split()

    def dismiss(self, title: str) -> None:
        """Close the windows of that title that have not gone by themselves in a moment."""
        deadline = time.monotonic() + 2
        while self.windows(title) and time.monotonic() < deadline:
            time.sleep(0.1)
        for window in self.windows(title):
            if self.activate_if_there(window):
                self.keys("Escape")

    def activate(self, window: str) -> None:
        self._x("xdotool", "windowactivate", "--sync", window)

    def activate_if_there(self, window: str) -> bool:
        """Activate a window that may close by itself meanwhile; whether it was still there."""
        try:
            self.activate(window)
        except AssertionError as error:
            if "BadWindow" not in str(error):
                raise
            return False
        return True

    def keys(self, *keys: str) -> None:
        self._x("xdotool", "key", "--delay", "40", *keys)

    def type(self, text: str) -> None:
        self._x("xdotool", "type", "--delay", "30", "--", text)

    def click(self, window: str, x: int, y: int) -> None:
        self._x("xdotool", "mousemove", "--window", window, str(x), str(y), "click", "1")

    def move(self, window: str, x: int, y: int) -> None:
        """The mouse to a place of a window."""
        self._x("xdotool", "mousemove", "--window", window, str(x), str(y))

    def scroll(self, window: str, x: int, y: int, notches: int, *, up: bool = False) -> None:
        """Turn the wheel over a place of a window."""
        turn = ["click", "--repeat", str(notches), "--delay", "60", "4" if up else "5"]
        self._x("xdotool", "mousemove", "--window", window, str(x), str(y), *turn)

    def see(self, window: str = "root") -> Image.Image:
        """A screenshot of a window."""
        data = self._x("import", "-window", window, "png:-")
        return Image.open(io.BytesIO(data)).convert("RGB")

    def rest(self) -> None:
        """The mouse in the corner, where nothing opens a hint."""
        self._x("xdotool", "mousemove", str(SCREEN[0] - 1), str(SCREEN[1] - 1))

    def shoot(self, window: str, path: Path, moving: float = 0.0) -> None:
        """A picture for the documentation, with the mouse away so that no hint is open."""
        self.rest()
        time.sleep(0.5)
        self.wait_still(window, moving)
        self.see(window).save(path)

    def wait_still(self, window: str, moving: float = 0.0) -> None:
        """Until the window has looked the same three times in a row.

        ``moving``: the part of its pixels that may differ, as the border of a selection does, which
        never rests.
        """
        seen: list[np.ndarray] = []

        def still() -> bool:
            seen.append(np.asarray(self.see(window)))
            last = seen[-3:]
            return len(last) == 3 and all(_differing(last[2], one) <= moving for one in last[:2])

        wait_for(still, "the window never stood still")

    def maximize(self, window: str) -> None:
        self._x("xdotool", "windowmove", window, "0", "0")
        self._x("xdotool", "windowsize", "--sync", window, str(SCREEN[0]), str(SCREEN[1] - 30))

    def preview(self, window: str) -> np.ndarray:
        """The part of the dialog where the preview is."""
        return np.asarray(self.see(window).crop((20, 20, 460, 460)), dtype=np.int16)

    def has_sliders(self, window: str) -> bool:
        """Whether the list beside the preview is filled: before, it is one even surface."""
        image = np.asarray(self.see(window).convert("L"), dtype=np.int16)
        part = image[130:250, 520:-40]
        return bool(part.size and part.std() > 3)


def _differing(one: np.ndarray, other: np.ndarray) -> float:
    """The part of the pixels that differ; 1 for pictures of another size."""
    return float((one != other).any(axis=2).mean()) if one.shape == other.shape else 1.0


def chosen(log: Path) -> str:
    """The display that Xvfb chose, empty before it has.

    Where other screens run, it first complains about each number that is taken.
    """
    lines = log.read_text().splitlines()
    return next((line.strip() for line in lines if line.strip().isdigit()), "")


def wait_for(condition: Callable[[], bool], what: str, timeout: float = 60) -> None:
    """Until ``condition()`` holds; AssertionError otherwise."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.15)
