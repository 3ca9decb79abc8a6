"""The plug-in's texts in the language of GIMP.

A text in the code is English and wrapped: ``_("Cancel")``; ``N_("Cancel")`` where it is looked up
later; ``ngettext("{count} face", "{count} faces", count)`` where a number decides. What stands in
braces is filled in after: ``_("No {name} here.").format(name=name)``. The translations are in
``gimp_plugin/po`` and compiled into the folder ``locale`` beside this package.
"""

from __future__ import annotations

import gettext
import os
from itertools import takewhile
from pathlib import Path

DOMAIN = "latentfu"
LOCALE_FOLDER = Path(__file__).parents[1] / "locale"
"""Where GIMP, too, expects the catalogs of a plug-in: ``LANGUAGE/LC_MESSAGES/latentfu.mo``."""


def read_languages() -> list[str]:
    """The languages before English that are asked for, the most wanted first.

    GIMP tells its plug-ins the language of its settings by LANGUAGE. As in GIMP, LANGUAGE means
    nothing where the locale is ``C``.
    """
    locale = next(
        (os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), ""
    )
    if locale in ("C", "POSIX"):
        return []
    asked = (os.environ.get("LANGUAGE") or locale).split(":")
    return [one for one in takewhile(_is_foreign, asked) if one]


def _is_foreign(language: str) -> bool:
    """Whether the language is not that of the code; without this, ``en:de`` would be German."""
    return language.replace("_", ".").replace("-", ".").split(".")[0] not in ("en", "C", "POSIX")


def load_catalog(languages: list[str]) -> gettext.NullTranslations:
    """The first catalog there is for the languages, else the texts as they stand in the code."""
    if not languages:
        return gettext.NullTranslations()
    try:
        return gettext.translation(DOMAIN, LOCALE_FOLDER, languages, fallback=True)
    except (OSError, ValueError):  # A damaged catalog must not take the plug-in away.
        return gettext.NullTranslations()


_catalog = load_catalog(read_languages())
_ = _catalog.gettext
ngettext = _catalog.ngettext


def N_(text: str) -> str:  # noqa: N802 (gettext's own name)
    """``text`` itself, marked to be translated later."""
    return text


def translate_sent(text: str) -> str:
    """A text that the server sent: translated if the catalog knows it, else as it was sent."""
    return _(text) if text else ""
