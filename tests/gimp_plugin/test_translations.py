"""The plug-in's texts in other languages: complete, fresh, and none forgotten in the code."""

from __future__ import annotations

import ast
import re
import runpy
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.mofile import read_mo

from tests.gimp_plugin.conftest import PACKAGE

ROOT = Path(__file__).parents[2]
UPDATE = runpy.run_path(str(ROOT / "gimp_plugin" / "po" / "update.py"))
MODULES = sorted(PACKAGE.rglob("*.py"))
LANGUAGES: dict[str, Path] = UPDATE["list_translations"]()
MARKS = ("_", "N_", "NP_", "ngettext", "pgettext")


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def contents(catalog: Catalog) -> dict[tuple[str | None, object], tuple[str, ...]]:
    """The translation of each text, all its forms."""
    found = {}
    for message in catalog:
        if message.id:
            text = tuple(message.id) if isinstance(message.id, list | tuple) else message.id
            forms = message.string if isinstance(message.string, list | tuple) else [message.string]
            found[message.context, text] = tuple(forms)
    return found


def forms_of(text: object) -> tuple[str, ...]:
    return text if isinstance(text, tuple) else (str(text),)


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


# The catalogs


def test_german_and_french_are_there() -> None:
    assert {"de", "fr"} <= set(LANGUAGES)


def test_the_template_has_every_text_of_the_code() -> None:
    template = UPDATE["read_translation"](UPDATE["TEMPLATE"])
    found, there = contents(UPDATE["extract_texts"]()), contents(template)
    assert len(found) > 300
    assert set(found) == set(there), "run: python gimp_plugin/po/update.py"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated(language: str) -> None:
    catalog = UPDATE["read_translation"](LANGUAGES[language])
    translated = contents(catalog)
    missing = set(contents(UPDATE["extract_texts"]())) - set(translated)
    assert not missing, "run: python gimp_plugin/po/update.py"
    assert [key for key, forms in translated.items() if not all(forms)] == [], "not translated"
    assert [message.id for message in catalog if message.id and message.fuzzy] == [], "doubtful"
    for (_, text), forms in translated.items():
        if isinstance(text, tuple):
            assert len(forms) == catalog.num_plurals, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_filled_in_is_the_same(language: str) -> None:
    for (_, text), forms in contents(UPDATE["read_translation"](LANGUAGES[language])).items():
        wanted = placeholders(forms_of(text)[-1])
        assert [placeholders(form) for form in forms] == [wanted] * len(forms), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_mnemonics_and_ends_of_texts_are_kept(language: str) -> None:
    """A label with a key has one in each language; a space at an end is meant."""
    for (_, text), forms in contents(UPDATE["read_translation"](LANGUAGES[language])).items():
        for form in forms:
            first = forms_of(text)[0]
            assert is_mnemonic(first) == is_mnemonic(form), (text, form)
            assert form == form.strip() and first == first.strip(), (text, form)


def is_mnemonic(text: str) -> bool:
    """``_Apply``, ``H_elp``; not the name ``pytorch_stylegan_encoder``."""
    return bool(re.match(r"^[^_]*_[^_]*$", text)) and len(text) < 40


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_gimp_reads_is_compiled_from_it(language: str) -> None:
    with UPDATE["compiled_path"](language).open("rb") as file:
        compiled = contents(read_mo(file))
    source = contents(UPDATE["read_translation"](LANGUAGES[language]))
    assert compiled == source, "run: python gimp_plugin/po/update.py"


# The code

NO_TEXTS = {
    "client.py": {"GET", "PUT", "POST", "DELETE", "Authorization", "Content-Type"},
    "deep_pixels.py": {"R'G'B' float", "R'G'B'A float", "RGB float", "RGBA float", "RGB u16"},
    "finder.py": {"from latentfu.cli.main import main; main(['serve'])"},
    "layers.py": {"Layer"},
    "pixels.py": {"R'G'B' u8", "R'G'B'A u8", "Y u8"},
    "presets.py": {"too large", "another version"},
    "preview.py": {"_1:1"},
    "procedures/__init__.py": {"The Latent-Fu authors"},
    "region_masks.py": {"Y u8"},
    "server_state.py": {"AppData/Local", "Application Support", "Library", "Last start:", "Log:"},
}
"""What looks like a text and is none, or is none that is translated: the report for maintainers."""
EVERYWHERE = {"Latent-Fu"}
UNTRANSLATED = {
    "arguments.py": {"{} (Latent-Fu)"},
    "client.py": {"Bearer {}", "latentfu server {} {}"},
    "measuring.py": {"GIMP cannot open {}"},
    "results.py": {"Latent-Fu: {}"},
    "server_state.py": {
        "Latent-Fu: {}", "Settings: {}", "Worker: {}, {} MB", "Job: {}, {}",
        "Python of GIMP {} on {}",
    },
    "sweeps.py": {"{} {} ({}ms) (replace)", "{} {} ... {} (Latent-Fu)"},
    "wire.py": {"{} bytes are not {} x {} x {}."},
}  # fmt: skip
"""The same of texts with something filled in."""


def spoken(text: str) -> bool:
    """Whether it reads like something for people: words, or one word with a capital letter."""
    words = re.findall(r"[A-Za-z]{2,}", text)
    if re.fullmatch(r"[A-Z][A-Z0-9_]+|[\w.]+/[\w./-]*", text):
        return False  # A name of the environment, a path.
    return bool(words) and (" " in text.strip() or bool(re.match(r"^_?[A-Z]\w*_?\w*:?$", text)))


def texts_of(tree: ast.Module) -> Iterator[str]:
    """The texts of a module that are no docstrings and not marked, ``{}`` for what is filled in."""
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            passed.add(id(node.value))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MARKS:
            passed |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            passed |= {id(inner) for inner in ast.walk(node) if isinstance(inner, ast.Constant)}
    for node in ast.walk(tree):
        if id(node) in passed:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            parts = [one.value if isinstance(one, ast.Constant) else "{}" for one in node.values]
            yield " ".join("".join(map(str, parts)).split())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_text_is_forgotten(path: Path) -> None:
    """A label, a hint or a sentence that is not wrapped in ``_()``; a new word for programs goes
    into the lists above."""
    name = name_of(path)
    known = NO_TEXTS.get(name, set()) | UNTRANSLATED.get(name, set()) | EVERYWHERE
    found = set(texts_of(ast.parse(path.read_text("utf-8"))))
    assert {text for text in found if spoken(text)} - known == set()


LABELS = {
    "set_tooltip_text", "set_label", "set_text", "set_title", "set_name", "add_button",
    "set_placeholder_text", "new_with_mnemonic", "new_with_label", "set_menu_label", "message",
    "progress_init", "progress_set_text", "Label", "set_documentation", "idle", "busy", "warn",
    "error",
}  # fmt: skip
"""Calls whose texts are seen, said or written."""


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_what_is_shown_is_never_a_bare_word(path: Path) -> None:
    """Short ones too, such as "to" between two numbers."""
    bare = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in LABELS:
            shown = [*node.args[:2], *(one.value for one in node.keywords if one.arg == "label")]
            texts = [one.value for one in shown if isinstance(one, ast.Constant)]
            bare += [text for text in texts if re.search(r"[A-Za-z]{2}", str(text))]
    assert [text for text in bare if text is not None] == []


SCOPES = (
    ast.FunctionDef, ast.Lambda, ast.ListComp, ast.DictComp, ast.SetComp, ast.GeneratorExp,
)  # fmt: skip


def names_in(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of the scopes in it."""
    for child in ast.iter_child_nodes(scope):
        yield child
        if not isinstance(child, SCOPES):
            yield from names_in(child)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_that_translates_has_another_underscore(path: Path) -> None:
    """``_, x = ...`` makes ``_("...")`` in the same function fail when it runs."""
    for scope in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(scope, SCOPES):
            nodes = [*names_in(scope), *getattr(getattr(scope, "args", None), "args", [])]
            used = [n for n in nodes if isinstance(n, ast.Name) and n.id == "_"]
            bound = any(isinstance(n.ctx, ast.Store) for n in used)
            bound = bound or any(isinstance(n, ast.arg) and n.arg == "_" for n in nodes)
            assert not (bound and any(isinstance(n.ctx, ast.Load) for n in used)), scope.lineno


def test_a_text_that_is_forgotten_is_found() -> None:
    source = """
def show(count):
    "A docstring."
    label.set_text(_("Marked") + "Not marked")
    raise PluginError(f"{count} faces are here.")
"""
    found = {text for text in texts_of(ast.parse(source)) if spoken(text)}
    assert found == {"Not marked", "{} faces are here."}
