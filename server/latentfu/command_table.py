"""The commands of the program itself: where each one is, and its line in ``--help``.

The command line is built from this table, and the plug-in manager keeps its paths from plug-ins.
Nothing is imported until a command is called, so that ``latentfu --help`` takes a blink.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CommandEntry:
    """``target``: ``module:attribute`` of a click command. ``help``: one line."""

    target: str
    help: str


_CLI = "latentfu.cli"

COMMANDS: dict[tuple[str, ...], CommandEntry] = {
    ("edit",): CommandEntry(
        f"{_CLI}.edit:edit_command", "Edit a picture: --set smile=2 --set yaw=-1."
    ),
    ("mix",): CommandEntry(
        f"{_CLI}.edit:mix_command", "Mix layers of a second picture into a first one."
    ),
    ("regions",): CommandEntry(
        f"{_CLI}.regions:regions_command", "Find hair, skin and other regions: a mask or a map."
    ),
    ("sweep",): CommandEntry(
        f"{_CLI}.sweep:sweep_command", "Move controls step by step: a film or a folder."
    ),
    ("transfer",): CommandEntry(
        f"{_CLI}.transfer:transfer_command", "Move a picture to where another one stands."
    ),
    ("invert",): CommandEntry(f"{_CLI}.invert:invert_command", "Find the latent of a picture."),
    ("serve",): CommandEntry(f"{_CLI}.serve:serve_command", "Start the server that GIMP talks to."),
    ("drain",): CommandEntry(
        f"{_CLI}.drain:drain_command", "Stop the server when its work is done."
    ),
    ("users", "add"): CommandEntry(
        f"{_CLI}.users:users_add", "Let somebody use this server from another machine."
    ),
    ("users", "list"): CommandEntry(f"{_CLI}.users:users_list", "List them."),
    ("users", "revoke"): CommandEntry(f"{_CLI}.users:users_revoke", "Take a token back."),
    ("servers", "add"): CommandEntry(
        f"{_CLI}.servers:servers_add", "Work on a server of another machine."
    ),
    ("servers", "list"): CommandEntry(f"{_CLI}.servers:servers_list", "List those added."),
    ("servers", "use"): CommandEntry(f"{_CLI}.servers:servers_use", "Choose one, or this machine."),
    ("servers", "forget"): CommandEntry(f"{_CLI}.servers:servers_forget", "Forget one."),
    ("cluster", "up"): CommandEntry(
        f"{_CLI}.cluster:cluster_up", "Start a cluster of the machines in a file."
    ),
    ("cluster", "down"): CommandEntry(f"{_CLI}.cluster:cluster_down", "End it."),
    ("cluster", "status"): CommandEntry(f"{_CLI}.cluster:cluster_status", "List its machines."),
    ("gimp",): CommandEntry(
        f"{_CLI}.gimp:gimp_group", "Install, check or remove the GIMP 3 plug-in."
    ),
    ("doctor",): CommandEntry(
        f"{_CLI}.doctor:doctor_command", "Say what is wrong with this installation."
    ),
    ("build",): CommandEntry(
        f"{_CLI}.build:build_command", "Rebuild what is shipped for a generator."
    ),
    ("bench", "edit"): CommandEntry(
        f"{_CLI}.bench:bench_edit", "An edit whose inversion is cached."
    ),
    ("bench", "http"): CommandEntry(f"{_CLI}.bench:http", "A large layer through the server."),
    ("bench", "start"): CommandEntry(
        f"{_CLI}.bench:start", "From latentfu serve to the first answer."
    ),
    ("bench", "chaos"): CommandEntry(
        f"{_CLI}.bench:bench_chaos", "Jobs while everything is killed at random."
    ),
    ("bench", "gimp"): CommandEntry(f"{_CLI}.bench:bench_gimp", "What a person waits for in GIMP."),
    ("bench", "scale"): CommandEntry(
        f"{_CLI}.bench:bench_scale", "Several workers, and a crowd that slides."
    ),
    ("bench", "import"): CommandEntry(
        f"{_CLI}.bench:imports", "What every start of the program costs."
    ),
    ("generators", "list"): CommandEntry(f"{_CLI}.listing:generators_list", "List the generators."),
    ("generators", "info"): CommandEntry(
        f"{_CLI}.generators:generators_info", "All about one generator."
    ),
    ("generators", "render"): CommandEntry(
        f"{_CLI}.generators:generators_render", "Draw pictures with a generator."
    ),
    ("generators", "default"): CommandEntry(
        f"{_CLI}.default_generator:generators_default", "Show or choose the default network."
    ),
    ("inverters", "list"): CommandEntry(
        f"{_CLI}.listing:inverters_list", "List the inversion methods."
    ),
    ("controls", "list"): CommandEntry(
        f"{_CLI}.listing:controls_list", "List a generator's controls."
    ),
    ("controls", "regions"): CommandEntry(
        f"{_CLI}.regions:controls_regions", "Say where each control acts."
    ),
    ("directions", "list"): CommandEntry(
        f"{_CLI}.listing:directions_list", "List a generator's directions."
    ),
    ("directions", "show"): CommandEntry(
        f"{_CLI}.listing:directions_show", "All about one direction."
    ),
    ("plugins", "list"): CommandEntry(
        f"{_CLI}.plugins:plugins_list", "List plug-ins and their state."
    ),
    ("plugins", "doctor"): CommandEntry(
        f"{_CLI}.plugins:plugins_doctor", "Try each plug-in in a process of its own."
    ),
    ("plugins", "enable"): CommandEntry(f"{_CLI}.plugins:plugins_enable", "Switch a plug-in on."),
    ("plugins", "disable"): CommandEntry(
        f"{_CLI}.plugins:plugins_disable", "Switch a plug-in off."
    ),
    ("settings", "list"): CommandEntry(
        f"{_CLI}.settings:settings_list", "List the settings of plug-ins."
    ),
    ("settings", "set"): CommandEntry(f"{_CLI}.settings:settings_set", "Change one."),
    ("settings", "reset"): CommandEntry(
        f"{_CLI}.settings:settings_reset", "Take one back to its default."
    ),
    ("plugins", "search"): CommandEntry(
        f"{_CLI}.plugin_search:plugins_search", "Search the catalog of plug-ins."
    ),
    ("plugins", "bisect"): CommandEntry(
        f"{_CLI}.plugin_bisect:plugins_bisect", "Find the plug-in that makes a command fail."
    ),
    ("plugins", "install"): CommandEntry(
        f"{_CLI}.plugin_packages:plugins_install", "Install packages of plug-ins."
    ),
    ("plugins", "upgrade"): CommandEntry(
        f"{_CLI}.plugin_packages:plugins_upgrade", "Install newer versions of some."
    ),
    ("plugins", "uninstall"): CommandEntry(
        f"{_CLI}.plugin_packages:plugins_uninstall", "Remove packages of plug-ins."
    ),
    ("plugins", "prefer"): CommandEntry(
        f"{_CLI}.plugins:plugins_prefer", "Say whose name counts where two have it."
    ),
    ("plugins", "new"): CommandEntry(
        f"{_CLI}.plugins:plugins_new", "Write a new plug-in package to start from."
    ),
}

DEFAULT_COMMANDS: dict[tuple[str, ...], str] = {("evaluate",): "generator"}
"""The command of a group that is meant where a word is none of its commands."""

GROUPS: dict[str, str] = {
    "bench": "Measure how fast this machine is.",
    "evaluate": "Measure how good a generator is.",
    "faces": "Faces in pictures, and their numbers.",
    "generators": "Networks that make pictures.",
    "inverters": "Methods that find the latent of a picture.",
    "controls": "What can be set: directions and deformations.",
    "directions": "Directions in latent space.",
    "deformations": "Deformations of a network's weights.",
    "plugins": "What is installed, what is broken, and why.",
    "settings": "What can be chosen about plug-ins.",
    "servers": "Servers on other machines.",
    "cluster": "Ray on several machines, for --engine.",
    "users": "Who may use this server from other machines.",
    "setup": "Networks with all that fits them, by one name.",
    "train": "Train networks and directions.",
}
