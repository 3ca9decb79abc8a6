"""Which language the plug-in speaks: that of GIMP, which it tells by LANGUAGE."""

from __future__ import annotations

from pathlib import Path

import pytest
from latentfu_gimp import translate


@pytest.mark.parametrize(
    ("environment", "languages"),
    [
        ({"LANGUAGE": "de"}, ["de"]),
        ({"LANGUAGE": "de_AT:fr", "LANG": "it_IT.UTF-8"}, ["de_AT", "fr"]),
        ({"LANG": "fr_CA.UTF-8"}, ["fr_CA.UTF-8"]),
        ({"LANG": "it_IT.UTF-8", "LC_ALL": "de_DE.UTF-8"}, ["de_DE.UTF-8"]),
        ({"LANGUAGE": "en_GB:de"}, []),
        ({"LANGUAGE": "pt:en:de"}, ["pt"]),
        ({"LANGUAGE": "de", "LC_ALL": "C"}, []),
        ({"LANGUAGE": "de", "LC_ALL": "C.UTF-8"}, ["de"]),
        ({"LANG": "C.UTF-8"}, []),
        ({}, []),
    ],
)
def test_the_language_is_that_of_gimp(
    environment: dict[str, str], languages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert translate.read_languages() == languages


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de_AT.UTF-8", "_Anwenden"),
        ("fr_CA", "A_ppliquer"),
        ("ja", "_Apply"),
    ],
)
def test_a_text_in_a_language_or_as_it_stands_in_the_code(language: str, text: str) -> None:
    assert translate.load_catalog([language]).gettext("_Apply") == text


def test_a_damaged_catalog_leaves_the_texts_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "de" / "LC_MESSAGES" / "latentfu.mo"
    file.parent.mkdir(parents=True)
    whole = (translate.LOCALE_FOLDER / file.relative_to(tmp_path)).read_bytes()
    monkeypatch.setattr(translate, "LOCALE_FOLDER", tmp_path)
    for content in (b"", b"no catalog", whole[:1000]):
        file.write_bytes(content)
        assert translate.load_catalog(["de"]).gettext("_Apply") == "_Apply"


def test_one_face_and_two_in_each_language() -> None:
    one, many = "{count} face: click the one to edit.", "{count} faces: click the one to edit."
    german, french = (translate.load_catalog([name]).ngettext for name in ("de", "fr"))
    assert german(one, many, 1).startswith("{count} Gesicht:")
    assert german(one, many, 0).startswith("{count} Gesichter:")
    assert french(one, many, 0).startswith("{count} visage\N{NO-BREAK SPACE}:")
    assert french(one, many, 2).startswith("{count} visages")
