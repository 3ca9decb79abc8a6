"""Single-file plug-ins, each wrong in one way, with a word that its reason must contain."""

from __future__ import annotations

_AFTER_IMPORT = "import latentfu\nfrom latentfu import hookimpl\n"
_INVERTER = """
@hookimpl
def latentfu_inverters():
    return [latentfu.Inverter(name={name}, title={title}, spaces=("z",), invert=print)]
"""


def inverter(name: str, title: str = "Fine") -> str:
    """A plug-in with one inverter."""
    return _AFTER_IMPORT + _INVERTER.format(name=repr(name), title=repr(title))


def returning(value: str) -> str:
    """A plug-in whose only hook returns ``value``."""
    return f"{_AFTER_IMPORT}\n@hookimpl\ndef latentfu_inverters():\n    return {value}\n"


def doing(statement: str) -> str:
    """A plug-in with one hook that runs ``statement``."""
    return f"{_AFTER_IMPORT}\n@hookimpl\ndef latentfu_inverters():\n    {statement}\n"


def control(fields: str) -> str:
    """A plug-in with its own generator and one control for it."""
    return f"""{_AFTER_IMPORT}
@hookimpl
def latentfu_generators():
    return [latentfu.GeneratorSpec("mine", "Mine", "test", 16, "a" * 64, print)]

@hookimpl
def latentfu_controls(generator):
    if generator.name == "mine":
        yield latentfu.Control(**dict(
            dict(name="tilt", title="T", positive_means="+", generator_id=generator.id, load=print),
            {fields}
        ))
"""


def network(fields: str) -> str:
    """A plug-in that offers one network for fetching."""
    return f"""{_AFTER_IMPORT}
@hookimpl
def latentfu_public_networks():
    return [latentfu.PublicNetwork(**dict(
        dict(name="n", title="N", file="n.pt", domain="d", resolution=8, licence="CC0",
             non_commercial=False),
        {fields}
    ))]
"""


BROKEN: dict[str, tuple[str, str]] = {
    "raises_at_import": ("raise ValueError('out of\\nluck')", "ValueError: out of luck"),
    "syntax_error": ("def (", "SyntaxError"),
    "exits_at_import": ("import sys; sys.exit(3)", "sys.exit(3)"),
    "fakes_ctrl_c": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "missing_module": ("import there_is_no_such_module", "there_is_no_such_module"),
    "network_outside": (network("file='../../n.pt'"), "not a plain name"),
    "network_hash": (network("sha256='abc'"), "not a sha256 in hex"),
    "network_address": (network("address='file:///etc/passwd'"), "neither https nor http"),
    "network_terms": (network("non_commercial='yes'"), "neither True nor False"),
    "has_no_hook": ("latentfu_inverters = 3", "has no hook"),
    "unknown_hook": (
        _AFTER_IMPORT + "@hookimpl\ndef latentfu_inverterz():\n    return []\n",
        "latentfu_inverterz",
    ),
    "bad_signature": (
        _AFTER_IMPORT + "@hookimpl\ndef latentfu_controls(generatr):\n    return []\n",
        "generatr",
    ),
    "wrapper": (
        _AFTER_IMPORT
        + "@latentfu.hookimpl(wrapper=True)\ndef latentfu_inverters():\n    return (yield)\n",
        "wrapper",
    ),
    "raises_in_hook": (doing("raise RuntimeError('no luck')"), "no luck"),
    "exits_in_hook": (doing("raise SystemExit"), "sys.exit"),
    "returns_none": (returning("None"), "returned None"),
    "returns_a_number": (returning("7"), "returned 7"),
    "returns_text": (returning("'w-plus'"), "'w-plus'"),
    "returns_numbers": (returning("[1, 2]"), "1 instead of an Inverter"),
    "returns_nones": (returning("[None]"), "None instead of an Inverter"),
    "returns_the_class": (returning("[latentfu.Inverter]"), "instead of an Inverter"),
    "never_ends": (returning("iter(int, 1)"), "more than 10000"),
    "raises_while_listed": (returning("(1 / 0 for _ in 'ab')"), "ZeroDivisionError"),
    "line_break_in_name": (inverter("a\r\nSet-Cookie: b"), "not a name"),
    "line_break_in_title": (inverter("fine-name", "a\r\nb"), "line breaks"),
    "upper_case_name": (inverter("Mine"), "'Mine'"),
    "empty_name": (inverter(""), "name = '', which is not a name"),
    "the_same_twice": (
        returning("[latentfu.Inverter('a', 'A', ('z',), print)] * 2"),
        "'a' twice",
    ),
    "spaces_as_text": (returning("[latentfu.Inverter('a', 'A', 'z', print)]"), "spaces"),
    "not_callable": (returning("[latentfu.Inverter('a', 'A', ('z',), 5)]"), "cannot be called"),
    "foreign_control": (control("generator_id='b' * 64"), "compare generator.id"),
    "endless_range": (control("maximum=float('inf')"), "maximum"),
    "backward_range": (control("minimum=3.0, maximum=-3.0"), "range 3.0..-3.0"),
    "odd_layers": (control("layers=(7, 4)"), "layers"),
    "odd_kind": (control("kind='My wish'"), "kind = 'My wish', which is not a name"),
    "rank_as_text": (
        returning(
            "[latentfu.Inverter('a', 'A', ('z',), print, levels={'good': latentfu.Level('1')})]"
        ),
        "levels['good'] = '1', which is not a number",
    ),
    "rank_too_high": (
        returning(
            "[latentfu.Inverter('a', 'A', ('z',), print, levels={'good': latentfu.Level(1e9)})]"
        ),
        "the rank 1e+09 of the level good, which is not 0 to 100",
    ),
    "odd_option": (
        returning("[latentfu.Inverter('a', 'A', ('z',), print, options={'steps': [1]})]"),
        "options['steps'] = [1], which is none of float, int, str, bool",
    ),
    "folder_as_text": (
        _AFTER_IMPORT
        + "@hookimpl\ndef latentfu_watched_folders():\n"
        + "    return [latentfu.WatchedFolder('here', '/tmp')]\n",
        "path = '/tmp', which is not a Path",
    ),
}

CLAIMS_A_COMMAND = (
    inverter("handy")
    + """
@hookimpl
def latentfu_commands():
    return [latentfu.Command(("edit",), "Mine", print)]
"""
)
FINE = inverter("fine")
