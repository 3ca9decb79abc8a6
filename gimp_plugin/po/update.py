"""Bring the translations up to date with the code: ``python gimp_plugin/po/update.py``.

It collects the texts of the GIMP plug-in into ``latentfu.pot``, takes new ones over into each
``LANGUAGE.po``, empty where nobody has translated them yet, and compiles each into the folder
``locale`` that GIMP reads. Run it after each change of a text and of a translation.

A new language: copy ``latentfu.pot`` to ``LANGUAGE.po``, run this, translate, run this again, and
add its folder to the data files in ``pyproject.toml``.
"""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po, write_po

PO_FOLDER = Path(__file__).parent
PLUG_IN = PO_FOLDER.parent / "latentfu"
TEMPLATE = PO_FOLDER / "latentfu.pot"
KEYWORDS = {
    "_": None,
    "N_": None,
    "NP_": ((1, "c"), 2),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
COMMENT = "Translators:"
_NOBODY = {
    "msgid_bugs_address": "the issues of Latent-Fu",
    "last_translator": "The Latent-Fu authors",
    "language_team": "The Latent-Fu authors",
}


def extract_texts() -> Catalog:
    """All texts of the code that are marked to be translated."""
    catalog = Catalog(project="Latent-Fu", version="0", charset="utf-8", fuzzy=False, **_NOBODY)
    catalog.header_comment = "# Texts of Latent-Fu in GIMP, written by gimp_plugin/po/update.py"
    found = extract_from_dir(
        PLUG_IN, [("**.py", "python")], keywords=KEYWORDS, comment_tags=(COMMENT,)
    )
    for name, line, text, comments, context in sorted(found, key=lambda one: one[:2]):
        catalog.add(text, None, [(name, line)], auto_comments=comments, context=context)
    return catalog


def list_translations() -> dict[str, Path]:
    """The file of each language."""
    return {path.stem: path for path in sorted(PO_FOLDER.glob("*.po"))}


def read_translation(path: Path) -> Catalog:
    """A ``.po`` file; ValueError where it is damaged."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem, abort_invalid=True)


def compiled_path(language: str) -> Path:
    """Where GIMP looks for a language."""
    return PLUG_IN / "locale" / language / "LC_MESSAGES" / "latentfu.mo"


def read_compiled(path: Path) -> Catalog:
    """A ``.mo`` file."""
    with path.open("rb") as file:
        return read_mo(file)


def is_same(one: Catalog, other: Catalog) -> bool:
    """Whether two catalogs have the same texts, in whatever order."""
    return _contents(one) == _contents(other)


def _contents(catalog: Catalog) -> dict[object, object]:
    """Translations by their English text, or by both forms of it; without the header."""
    return {_key(message): _value(message) for message in catalog if message.id}


def _key(message: Message) -> object:
    text = tuple(message.id) if isinstance(message.id, (list, tuple)) else message.id
    return message.context, text


def _value(message: Message) -> object:
    return tuple(message.string) if isinstance(message.string, (list, tuple)) else message.string


def update_translations() -> None:
    """Write what has changed."""
    template = extract_texts()
    if not TEMPLATE.exists() or not is_same(read_translation(TEMPLATE), template):
        _write_text(template, TEMPLATE)
    for language, path in list_translations().items():
        catalog = read_translation(path)
        before = _as_text(catalog)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        if _as_text(catalog) != before:
            _write_text(catalog, path)
        empty = [message.id for message in catalog if message.id and not all(_strings(message))]
        if empty:
            print(f"{path.name}: {len(empty)} of {len(catalog)} texts are not translated.")
        compiled = compiled_path(language)
        if not compiled.exists() or not is_same(read_compiled(compiled), _translated(catalog)):
            compiled.parent.mkdir(parents=True, exist_ok=True)
            with compiled.open("wb") as file:
                write_mo(file, catalog)


def _strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, (list, tuple)) else (message.string,)


def _translated(catalog: Catalog) -> Catalog:
    """What of a catalog goes into the compiled one."""
    packed = io.BytesIO()
    write_mo(packed, catalog)
    packed.seek(0)
    return read_mo(packed)


def _as_text(catalog: Catalog) -> bytes:
    text = io.BytesIO()
    write_po(text, catalog, width=100, ignore_obsolete=True, include_lineno=False)
    return text.getvalue()


def _write_text(catalog: Catalog, path: Path) -> None:
    path.write_bytes(_as_text(catalog))


if __name__ == "__main__":
    update_translations()
