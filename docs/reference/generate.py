"""Write what is generated from the code: ``python docs/reference/generate.py``.

- ``docs/reference/python.md``: every public name of ``latentfu`` with its docstring;
- ``docs/reference/hooks.md``: every kind of plug-in object, from ``latentfu.hookspecs.KINDS``;
- ``docs/reference/command-line.md``: every command of the program and of the built-in plug-ins;
- ``docs/reference/http.md``: routes, requests and replies (``latentfu.http.reference``);
- the table of hooks at the top of ``docs/howto/write-a-plug-in.md``;
- the table of formats in ``docs/howto/bring-a-network.md``, from what their converters declare;
- the help page of the GIMP plug-in, from ``docs/howto/gimp.md``;
- ``server/latentfu/__init__.pyi``: the same public names for type checkers.

A test holds that they are fresh.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import latentfu
from latentfu import hookspecs, plugin_objects
from latentfu.cli.main import program
from latentfu.core.deprecation import DEPRECATIONS
from latentfu.http.reference import render_page
from latentfu.plugin_manager import Registry
from latentfu.plugin_manager.registry import use_registry
from latentfu.plugin_manager.sources import Source, installed_sources

ROOT = Path(__file__).parents[2]
_MARK = "<!-- written by docs/reference/generate.py -->"
_TITLES = {
    "latentfu.api": "Editing, and what is installed",
    "latentfu.core": "Pictures",
    "latentfu.pipeline": "Pictures",
    "latentfu.pipeline.generator_pool": "Editing, and what is installed",
    "latentfu.plugin_manager.set_default": "Editing, and what is installed",
    "latentfu.plugin_manager.default_choice": "Editing, and what is installed",
    "latentfu.core.latent": "Latents and generators",
    "latentfu.core.generator": "Latents and generators",
    "latentfu.core.precision": "Latents and generators",
    "latentfu.engine": "Work on many things",
    "latentfu.pipeline.generator_recipe": "Work on many things",
    "latentfu.pipeline.feature_warp": "Latents and generators",
    "latentfu.storage.inversion_cache": "Inversions",
    "latentfu.core.control": "Controls and directions",
    "latentfu.storage.direction": "Controls and directions",
    "latentfu.hookspecs": "Hooks",
    "latentfu.plugin_objects": "Hooks",
    "latentfu.core.names": "Hooks",
    "latentfu.core.installable_network": "Hooks",
    "latentfu.core.errors": "Errors and progress",
    "latentfu.core.progress": "Errors and progress",
    "latentfu": "Files",
    "latentfu.cli": "Commands",
    "latentfu.bench": "Commands",
}
"""The chapter of each module whose names are public, by the longest beginning that fits."""


def modules() -> dict[str, str]:
    """Every public name with the module that it comes from."""
    table = vars(latentfu)  # the stub that this writes does not show these two
    return dict(sorted((table["_MODULE_OF"] | table["_kind_classes"]()).items()))


HELP = ROOT / "gimp_plugin" / "latentfu" / "latentfu_gimp" / "pages" / "help.html"
_HELP_HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Latent-Fu in GIMP</title><style>
body { font: 16px/1.5 sans-serif; max-width: 46em; margin: 2em auto; padding: 0 1em; }
td { padding: .3em .8em .3em 0; vertical-align: top; border-top: 1px solid #8884; }
code { background: #8883; padding: 0 .2em; } pre { background: #8882; padding: .6em; }
@media (prefers-color-scheme: dark) { body { background: #222; color: #ddd; } }
</style></head><body>
"""


def help_page() -> str:
    """The page on GIMP for readers without the repository: no pictures, no links to other pages."""
    from markdown_it import MarkdownIt

    text = (ROOT / "docs" / "howto" / "gimp.md").read_text("utf-8")
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)\n", "", text)
    text = re.sub(r"\[([^\]]*)\]\((?!https?:)[^)]*\)", r"\1", text)
    body = MarkdownIt("commonmark").enable("table").render(text)
    return f"{_HELP_HEAD}{body}</body></html>\n"


def pages() -> dict[Path, str]:
    """What is generated, by the file that it is in."""
    guide = ROOT / "docs" / "howto" / "write-a-plug-in.md"
    networks = ROOT / "docs" / "howto" / "bring-a-network.md"
    return {
        ROOT / "server" / "latentfu" / "__init__.pyi": stub(),
        ROOT / "docs" / "reference" / "python.md": python_page(),
        ROOT / "docs" / "reference" / "hooks.md": hooks_page(),
        ROOT / "docs" / "reference" / "command-line.md": command_line_page(),
        ROOT / "docs" / "reference" / "http.md": render_page(),
        HELP: help_page(),
        guide: _with_table(guide, "hooks", hooks_table()),
        networks: _with_table(networks, "formats", formats_table()),
    }


def stub() -> str:
    """``__init__.pyi``: the public names as type checkers read them."""
    lines = ['"""Written by docs/reference/generate.py from the table in __init__.py."""', ""]
    found = sorted((module, name) for name, module in modules().items())
    lines += [f"from {module} import {name} as {name}" for module, name in found]
    names = [f'    "{name}",' for name in _sorted(["__version__", *modules()])]
    return "\n".join([*lines, "", "__version__: str", "__all__ = [", *names, "]", ""])


def _sorted(names: list[str]) -> list[str]:
    """Constants, classes, then the rest, as ruff wants ``__all__``."""
    return sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name))


def python_page() -> str:
    """``python.md``: chapters of public names, each with signature and docstring."""
    chapters: dict[str, list[str]] = {title: [] for title in _TITLES.values()}
    for name, module in modules().items():
        if name not in _hook_classes():
            chapters[_chapter_of(module)].append("\n\n".join(_entry(name, module)))
    text = [
        f"# Python\n\n{_MARK}",
        "What `import latentfu` gives. These names stay as they are for a minor version; one that "
        "changes works under its old name, with a `DeprecationWarning`, until the next. Everything "
        "else may change at any time. The objects that hooks return are in [hooks.md](hooks.md).",
    ]
    for title, entries in chapters.items():
        text += [f"## {title}", *entries]
    return "\n\n".join([*text, "## Old names", _old_names_table()]) + "\n"


def _old_names_table() -> str:
    """What is deprecated, since when, until when, and what is written instead."""
    lines = [
        "Each works and gives a `DeprecationWarning`; `latentfu plugins doctor` names those that a "
        "plug-in uses.\n",
        "| old | write instead | since | works until | goes in |",
        "|---|---|---|---|---|",
    ]
    for one in DEPRECATIONS:
        period = one.period
        when = f"{period.version}, {period.since} | {period.until} | {period.goes_in}"
        lines.append(f"| `{one.old}` | {one.instead} | {when} |")
    return "\n".join(lines)


def _chapter_of(module: str) -> str:
    return _TITLES[max((start for start in _TITLES if module.startswith(start)), key=len)]


def hooks_page() -> str:
    """``hooks.md``: each hook with its objects, their fields and an example."""
    text = [
        f"# Hooks\n\n{_MARK}",
        "What a plug-in can bring, one hook each. How to write one, and the rules: "
        "[write-a-plug-in.md](../howto/write-a-plug-in.md). A `Name` is 1 to 64 of "
        "`a-z 0-9 . _ -`, a `Sha256` 64 hexadecimal digits; texts are one line. "
        "The examples are plug-ins that work, in `examples/hooks`.",
    ]
    for kind in hookspecs.KINDS.values():
        signature = f"```text\n{_hook_signature(kind.hook)}\n```"
        text += [f"## {kind.hook}", signature, _prose(kind.doc)]
        for cls in [kind.cls, *_requests(kind)]:
            text += [f"### {cls.__name__}", _fields(cls), _prose(inspect.getdoc(cls) or "")]
        example = (ROOT / "examples" / "hooks" / f"{kind.name}.py").read_text(encoding="utf-8")
        text.append(f"### Example\n\n```python\n{example.strip()}\n```")
    return "\n\n".join(text) + "\n"


def _with_table(page: Path, name: str, table: str) -> str:
    """A page with the table between its two marks."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = page.read_text(encoding="utf-8").split(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"


def hooks_table() -> str:
    """Each hook with what it gives."""
    rows = ["| hook | gives | |", "|---|---|---|"]
    for kind in hookspecs.KINDS.values():
        link = f"[`{kind.hook}`](../reference/hooks.md#{kind.hook})"
        rows.append(f"| {link} | `{kind.cls.__name__}` | {_prose(kind.doc)} |")
    return "\n".join(rows)


def formats_table() -> str:
    """The checkpoint formats that can be imported, as they declare themselves."""
    from latentfu_builtin.checkpoints.formats import format_table

    with use_registry(Registry(_own_sources())):
        return format_table(latentfu.checkpoint_formats().values())


def _own_sources() -> list[Source]:
    return [source for source in installed_sources() if source.origin == "package latentfu"]


def command_line_page() -> str:
    """``command-line.md``: each command with its usage, what it does and its options."""
    text = [
        f"# The command line\n\n{_MARK}",
        "The program is `latentfu`: its own commands and those of the built-in plug-ins, as their "
        "`--help` says. `-h` and `--help` work everywhere and are left out below. `--debug` with "
        "any command shows where an error comes from. The exit code is 0 when all is done, 1 when "
        "something failed (one sentence says what), 2 for wrong use, 130 after Ctrl+C.",
    ]
    with use_registry(Registry(_own_sources())):
        for path, command, context in _commands_below(program, _context(program, "latentfu", None)):
            text += _command_entry(path, command, context)
    return "\n\n".join(text) + "\n"


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return click.Context(command, info_name=name, parent=parent)


_Found = tuple[str, click.Command, click.Context]


def _commands_below(group: click.Group, context: click.Context) -> Iterator[_Found]:
    """Every command with its whole name, groups too, each before what is below it."""
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:  # None: of a plug-in that is not among ours
            continue
        below = _context(command, name, context)
        yield below.command_path, command, below
        if isinstance(command, click.Group):
            yield from _commands_below(command, below)


def _command_entry(path: str, command: click.Command, context: click.Context) -> Iterator[str]:
    is_top = len(path.split()) == 2
    yield f"{'##' if is_top else '###'} {path}"
    help_text = inspect.cleandoc(command.help or "").replace("\b\n", "")
    if isinstance(command, click.Group):
        yield help_text
        return
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"```text\n{path} {usage}\n```"
    yield help_text
    options = [option for option in command.get_params(context) if "--help" not in option.opts]
    rows = [option.get_help_record(context) or ("", "") for option in options]
    lines = [f"| `{_cell(names)}` | {_cell(line)} |" for names, line in rows if line]
    if lines:
        yield "\n".join(["| option | what |", "|---|---|", *lines])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _hook_classes() -> set[str]:
    """Classes that stand on the page of hooks; a Control stands on both."""
    kinds = hookspecs.KINDS.values()
    return {cls.__name__ for kind in kinds for cls in [kind.cls, *_requests(kind)]} - {"Control"}


def _requests(kind: hookspecs.Kind[Any]) -> list[type]:
    """The other classes of hooks that a kind's fields name: Level, InversionRequest, ..."""
    named = " ".join(str(field.type) for field in dataclasses.fields(kind.cls))
    others = (getattr(plugin_objects, word, None) for word in re.findall(r"\w+", named))
    own = {kind.cls for kind in hookspecs.KINDS.values()}
    classes = [c for c in others if isinstance(c, type) and dataclasses.is_dataclass(c)]
    return [cls for cls in dict.fromkeys(classes) if cls not in own]


def _hook_signature(hook: str) -> str:
    found = inspect.signature(getattr(hookspecs.Hooks, hook))
    arguments = [_parameter(p) for p in found.parameters.values() if p.name != "self"]
    return f"{hook}({', '.join(arguments)}) -> {found.return_annotation}"


def _fields(cls: type) -> str:
    lines = [f"{cls.__name__}"]
    for field in dataclasses.fields(cls):
        line = f"    {field.name}: {field.type}"
        if field.default is not dataclasses.MISSING:
            line += f" = {field.default!r}"
        elif field.default_factory is not dataclasses.MISSING:
            line += " = {}"
        lines.append(line.replace('"', "'"))
    return "\n".join(["```text", *lines, "```"])


def _entry(name: str, module: str) -> Iterator[str]:
    """Heading, signature and docstring of a public name, then of its public methods."""
    value = getattr(latentfu, name)
    if not isinstance(value, type):
        if inspect.isfunction(value):
            yield f"### {name}\n\n```text\n{_signature(name, value)}\n```"
            yield _prose(inspect.getdoc(value) or "")
        else:
            yield f"### {name}"
            yield _prose(_attribute_docs(module)[name])
        return
    yield f"### class {name}"
    if dataclasses.is_dataclass(value):
        yield _fields(value)
    yield _prose(inspect.getdoc(value) or "")
    for method, member in vars(value).items():
        shown = not method.startswith("_") or method == "__call__"
        function = member.__func__ if isinstance(member, staticmethod) else member
        if shown and isinstance(function, property) and not _is_old(function):
            yield f"**`{name}.{method}`**: {_prose(inspect.getdoc(function) or '')}"
        elif shown and inspect.isfunction(function) and not _is_old(function):
            yield f"#### {name}.{method}\n\n```text\n{_signature(method, function)}\n```"
            yield _prose(inspect.getdoc(function) or "")


def _is_old(value: object) -> bool:
    return (inspect.getdoc(value) or "").startswith("Old name of")


@cache
def _attribute_docs(module: str) -> dict[str, str]:
    """The strings below assignments, by the assigned name."""
    docs: dict[str, str] = {}
    body = ast.parse(inspect.getsource(importlib.import_module(module))).body
    for before, after in pairwise(body):
        if isinstance(before, ast.Assign) and isinstance(after, ast.Expr):
            target, text = before.targets[0], after.value
            if isinstance(target, ast.Name) and isinstance(text, ast.Constant):
                docs[target.id] = inspect.cleandoc(str(text.value))
    return docs


def _signature(name: str, function: Callable[..., object]) -> str:
    found = inspect.signature(function)
    parts: list[str] = []
    keyword_only = False
    for parameter in found.parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            parts.append("*")
        parts.append(_parameter(parameter))
    result = found.return_annotation
    arrow = "" if result is inspect.Signature.empty else f" -> {result}"
    line = f"{name}({', '.join(parts)}){arrow}"
    if len(line) <= 100:
        return line
    return "\n".join([f"{name}(", *(f"    {part}," for part in parts), f"){arrow}"])


def _parameter(parameter: inspect.Parameter) -> str:
    """``name: type = default`` as in code, with ``...`` for defaults that have no short form."""
    star = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
    star = "**" if parameter.kind is parameter.VAR_KEYWORD else star
    text = f"{star}{parameter.name}"
    if parameter.annotation is not parameter.empty:
        text += f": {parameter.annotation}"
    if parameter.default is not parameter.empty:
        default = parameter.default
        short = default.__name__ if inspect.isfunction(default) else repr(default)
        text += f" = {short if '<' not in short else '...'}"
    return text


def _prose(doc: str) -> str:
    """A docstring as Markdown: Google's sections become lists, ``>>>`` a block of code."""
    doc = re.sub(r":\w+:`~?(?:latentfu\.)?([\w.]+)`", r"`\1`", doc)
    doc = re.sub(r"``(.+?)``", r"`\1`", doc, flags=re.DOTALL)
    doc = re.sub(r"(`[^`]+`) s\b", r"\1s", doc)
    blocks = [_block(block) for block in re.split(r"\n\s*\n", doc)]
    return "\n\n".join(block for block in blocks if block)


def _block(block: str) -> str:
    heading, _, rest = block.partition("\n")
    if heading in ("Args:", "Raises:", "Attributes:"):
        items = re.split(r"\n    (?=\S)", "\n" + rest)[1:]
        points = [re.sub(r"^([\w*]+):", r"`\1`:", " ".join(item.split())) for item in items]
        return "\n".join([f"{heading}", "", *(f"- {point}" for point in points)])
    if heading in ("Returns:", "Yields:"):
        return f"{heading} {' '.join(rest.split())}"
    if block.lstrip().startswith(">>>"):
        return f"```python\n{inspect.cleandoc(block)}\n```"
    return block


if __name__ == "__main__":
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
