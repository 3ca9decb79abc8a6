"""The commands of the program itself: where each one is, and its line in ``--help``.

Nothing is imported until a command is called, so that ``latentfu --help`` takes a blink.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """``target``: ``module:attribute`` of a click command. ``help``: one line."""

    target: str
    help: str


_CLI = "latentfu.cli"

COMMANDS: dict[tuple[str, ...], Entry] = {
    ("edit",): Entry(f"{_CLI}.edit:edit_command", "Edit a picture: --set smile=2 --set yaw=-1."),
    ("mix",): Entry(f"{_CLI}.edit:mix_command", "Mix layers of a second picture into a first one."),
    ("sweep",): Entry(
        f"{_CLI}.sweep:sweep_command", "Move controls step by step: a film or a folder."
    ),
    ("transfer",): Entry(
        f"{_CLI}.transfer:transfer_command", "Move a picture to where another one stands."
    ),
    ("invert",): Entry(f"{_CLI}.invert:invert_command", "Find the latent of a picture."),
    ("serve",): Entry(f"{_CLI}.serve:serve_command", "Start the server that GIMP talks to."),
    ("gimp",): Entry(f"{_CLI}.gimp:gimp_group", "Install, check or remove the GIMP 3 plug-in."),
    ("doctor",): Entry(
        f"{_CLI}.doctor:doctor_command", "Say what is wrong with this installation."
    ),
    ("build",): Entry(f"{_CLI}.build:build_command", "Rebuild what is shipped for a generator."),
    ("bench", "edit"): Entry(f"{_CLI}.bench:edit", "An edit whose inversion is cached."),
    ("bench", "http"): Entry(f"{_CLI}.bench:http", "A large layer through the server."),
    ("bench", "start"): Entry(f"{_CLI}.bench:start", "From latentfu serve to the first answer."),
    ("bench", "import"): Entry(f"{_CLI}.bench:imports", "What every start of the program costs."),
    ("generators", "list"): Entry(f"{_CLI}.listing:generators_list", "List the generators."),
    ("generators", "info"): Entry(f"{_CLI}.listing:generators_info", "All about one generator."),
    ("generators", "render"): Entry(
        f"{_CLI}.generator_render:generators_render", "Draw pictures with a generator."
    ),
    ("inverters", "list"): Entry(f"{_CLI}.listing:inverters_list", "List the inversion methods."),
    ("controls", "list"): Entry(f"{_CLI}.listing:controls_list", "List a generator's controls."),
    ("directions", "list"): Entry(
        f"{_CLI}.listing:directions_list", "List a generator's directions."
    ),
    ("directions", "show"): Entry(f"{_CLI}.listing:directions_show", "All about one direction."),
    ("plugins", "list"): Entry(f"{_CLI}.plugins:plugins_list", "List plug-ins and their state."),
    ("plugins", "doctor"): Entry(
        f"{_CLI}.plugins:plugins_doctor", "Try each plug-in in a process of its own."
    ),
    ("plugins", "enable"): Entry(f"{_CLI}.plugins:plugins_enable", "Switch a plug-in on."),
    ("plugins", "disable"): Entry(f"{_CLI}.plugins:plugins_disable", "Switch a plug-in off."),
    ("plugins", "new"): Entry(
        f"{_CLI}.scaffold:plugins_new", "Write a new plug-in package to start from."
    ),
}

GROUPS: dict[str, str] = {
    "bench": "Measure how fast this machine is.",
    "evaluate": "Measure how good a generator is.",
    "generators": "Networks that make pictures.",
    "inverters": "Methods that find the latent of a picture.",
    "controls": "What can be set: directions and deformations.",
    "directions": "Directions in latent space.",
    "deformations": "Deformations of a network's weights.",
    "plugins": "What is installed, what is broken, and why.",
    "train": "Train networks and directions.",
}
