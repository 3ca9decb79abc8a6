"""The plug-in's texts in the language of GIMP.

A text in the code is English and wrapped: ``_("Cancel")``; ``N_("Cancel")``, or ``NP_`` with a
context, where it is looked up later; ``ngettext("{count} face", "{count} faces", count)`` where a
number decides. What stands in braces is filled in after: ``_("No {name}.").format(name=name)``.
A function that translates cannot have ``_`` as a name for what it does not use.

The translations are in ``gimp_plugin/po`` and compiled into the folder ``locale`` beside this
package; after a change of a text run ``gimp_plugin/po/update.py``.
"""

from __future__ import annotations

import gettext
import os
import struct
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
    except (OSError, ValueError, struct.error):  # A damaged catalog must not take the plug-in away.
        return gettext.NullTranslations()


_catalog = load_catalog(read_languages())
_ = _catalog.gettext
ngettext = _catalog.ngettext
pgettext = _catalog.pgettext


def N_(text: str) -> str:  # noqa: N802 (gettext's own name)
    """``text`` itself, marked to be translated later."""
    return text


def NP_(_context: str, text: str) -> str:  # noqa: N802
    """``text`` itself, marked to be translated later as what it means in a context."""
    return text


def format_share(share: float) -> str:
    """A part of 1 as a percentage: ``12%``, in German ``12 %``."""
    return _("{percent}%").format(percent=round(100 * share))
