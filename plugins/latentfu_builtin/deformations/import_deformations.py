"""Taking in deformations that others found: a file, a folder or an archive of them.

The authors' archives hold a file for each control, named after its effect (``nose_size.pt``), and
pictures. Some sets number their directions and say in a text what the numbers mean.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

import latentfu
import torch
from latentfu import BadInputError, Deformation, Generator, LatentFuError, Progress, random_latents

from latentfu_builtin.deformations.convolution import ShiftedConvolution
from latentfu_builtin.deformations.measurement import StrengthCalibration
from latentfu_builtin.deformations.read_published import make_deformations, read_published
from latentfu_builtin.deformations.search import choose_picture_distance

_SAMPLES, _SEED = 8, 20
SINGLE_FILE_ENDINGS = (".pt", ".pth", ".pkl")
"""Endings of a file by itself; of anything else, archives and folders are taken."""
_LARGEST, _MOST_FILES = 512 << 20, 2000
_PORTION = 1 << 20
_NOTES = (".txt", ".json")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, zlib.error)


@dataclass(frozen=True)
class DeformationImportOptions:
    """How foreign deformations are taken in.

    ``name``: of a file's deformation (numbered where it holds several); "" is the file's own.
    ``layer`` and ``basis``: as ``read_published`` takes them. ``directions``: only these of a file
    with several. ``shift``: the norm that strength 1 gets where the file gives none; None
    measures it, so that strength 1 is a clear change.
    """

    generator: Generator
    name: str = ""
    plus: str = ""
    group: str = "published deformations"
    layer: int | None = None
    basis: Path | None = None
    directions: Sequence[int] = ()
    shift: float | None = None
    author: str = ""
    licence: str = ""
    source: str = ""


def import_deformations(
    path: Path,
    options: DeformationImportOptions,
    progress: Progress,
    left_out: list[str] | None = None,
) -> list[Deformation]:
    """The deformations in a .pt (.pth, .pkl) file, a .tar or .zip archive, or a folder.

    In archives and folders every file is named after itself, or as the notes beside it say; files
    that do not fit are an error only when none does; else ``left_out`` gets a sentence for each.
    Raises BadInputError in one sentence.
    """
    if path.is_file() and path.suffix in SINGLE_FILE_ENDINGS:
        return _import_file(path, options, {}, progress)
    found: list[Deformation] = []
    refused: list[LatentFuError] = []
    with _unpack_archive(path) as folder:
        files, notes = _list_files(folder, path), _read_notes(folder)
        for place, file in enumerate(files):
            progress(place / len(files), file.name)
            try:
                part = replace(options, name="", source=options.source or path.name)
                found += _import_file(file, part, notes, lambda _part, _text="": None)
            except LatentFuError as error:
                # Where an archive was unpacked is nobody's business.
                refused.append(type(error)(str(error).replace(str(folder), str(path))))
    if not found:
        raise refused[0]
    if left_out is not None:
        left_out += [str(error) for error in refused]
    return found


def _import_file(
    path: Path, options: DeformationImportOptions, notes: dict[str, str], progress: Progress
) -> list[Deformation]:
    """The deformations of one file, named, and scaled where the file does not say how far."""
    published = read_published(path, options.generator, options.layer, options.basis)
    name = options.name or _make_usable_name(path.stem)
    made = make_deformations(published, options.generator, name, options.source or path.name)
    chosen = options.directions or range(len(made))
    if not set(chosen) <= set(range(len(made))):
        raise BadInputError(f"{path} holds the directions 0 to {len(made) - 1} only.")
    result = []
    for count, place in enumerate(chosen):
        progress(count / len(chosen), f"Direction {place}")
        one = replace(
            made[place],
            plus=options.plus,
            group=options.group,
            author=options.author or made[place].author,
            licence=options.licence,
        )
        told = notes.get(str(place) if len(made) > 1 else path.name) or notes.get(path.stem, "")
        if told and len(made) > 1:
            one = replace(one, name=_make_usable_name(told))
        one = replace(one, plus=one.plus or told)
        result.append(one if published.scaled else _scale(one, options))
    return result


def _scale(deformation: Deformation, options: DeformationImportOptions) -> Deformation:
    """``deformation`` (of norm 1) as long as strength 1 should be."""
    if options.shift is not None:
        return replace(deformation, shift=deformation.shift * options.shift)
    generator = options.generator
    latents = random_latents(generator, _SAMPLES, _SEED, psi=0.8)
    bench = StrengthCalibration(
        ShiftedConvolution(generator, deformation.layer),
        latents,
        choose_picture_distance(generator, ""),
    )
    shift = bench.calibrate(torch.from_numpy(deformation.shift).to(generator.device))
    return replace(deformation, shift=shift.cpu().numpy())


@contextmanager
def _unpack_archive(path: Path) -> Iterator[Path]:
    """A folder with the .pt files and notes of a .tar, .zip or folder.

    Only plain files with a plain name are taken out, each under its own name in a folder of our
    own, and never more than 512 MiB. Raises BadInputError for anything that is none of these.
    """
    if path.is_dir():
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="latentfu-") as made:
        folder, left = Path(made), _LARGEST
        for name, data in _read_members(path):
            left -= len(data)
            if left < 0:
                raise BadInputError(f"{path} holds more than {_LARGEST >> 20} MiB.")
            (folder / PurePosixPath(name).name).write_bytes(data)
        yield folder


class _Capped(io.RawIOBase):
    """A file that gives little at once: what a tar calls a name can claim to be gigabytes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0 or size > 4 * _PORTION:
            raise tarfile.ReadError("it claims a name of impossible size")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        if offset > 8 * _LARGEST:
            raise tarfile.ReadError("it unpacks to more than any set of deformations")
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


@contextmanager
def _open_capped(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a tar, unpacked if it is compressed, in portions of bounded size."""
    with path.open("rb") as file:
        start = file.read(6)
    kinds: dict[bytes, Callable[[Path], Any]] = {
        b"\x1f\x8b": gzip.open,
        b"BZh": bz2.open,
        b"\xfd7zXZ\0": lzma.open,
    }
    opener = next((o for magic, o in kinds.items() if start.startswith(magic)), None)
    with path.open("rb") if opener is None else opener(path) as opened:
        yield cast(IO[bytes], _Capped(opened))


def _is_archive(path: Path) -> bool:
    """Whether a file is a .tar (compressed or not) or a .zip."""
    return _is_tar(path) or zipfile.is_zipfile(path)


def _is_tar(path: Path) -> bool:
    try:
        with _open_capped(path) as file, tarfile.open(fileobj=file, mode="r:"):
            return True
    except (*_BROKEN, OSError, EOFError):
        return False


def _read_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Name and content of each .pt file and note in an archive."""
    try:
        # A tar of torch files ends as a zip does, so tar is asked first.
        if _is_tar(path):
            with _open_capped(path) as file, tarfile.open(fileobj=file, mode="r:") as tar:
                for place, entry in enumerate(tar):
                    if (
                        place < _MOST_FILES
                        and entry.isfile()
                        and _is_wanted(entry.name, entry.size)
                    ):
                        member = tar.extractfile(entry) or io.BytesIO()
                        yield entry.name, b"".join(iter(partial(member.read, _PORTION), b""))
            return
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for item in archive.infolist()[:_MOST_FILES]:
                    if _is_wanted(item.filename, item.file_size):
                        yield item.filename, archive.read(item)
            return
    except (*_BROKEN, OSError, EOFError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise BadInputError(f"{path} is not a whole archive of deformations: {reason}.") from error
    raise BadInputError(
        f"{path} is not a whole archive of deformations: give a .pt file, or a folder, .tar or "
        ".zip of them (our own .safetensors are taken in by latentfu deformations keep)."
    )


def _is_wanted(name: str, size: int) -> bool:
    """Whether a member is a tensor file or a note, and not too large."""
    return PurePosixPath(name).suffix in (".pt", *_NOTES) and size <= _LARGEST


def _list_files(folder: Path, source: Path) -> list[Path]:
    """The .pt files below the folder that came from ``source``; BadInputError for none."""
    found = sorted(folder.rglob("*.pt"))
    if not found:
        raise BadInputError(f"{source} holds no .pt files.")
    return found


def _read_notes(folder: Path) -> dict[str, str]:
    """What the notes of a set say: file name or number -> what it does.

    Lines ``12: wheel size`` (or ``nose_size.pt: longer nose``), and JSON objects of the same.
    """
    said: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix not in _NOTES or path.stat().st_size > 1 << 20:
            continue
        text = path.read_text("utf-8", errors="replace")
        with suppress(ValueError):
            tree = json.loads(text)
            if isinstance(tree, dict):
                said |= {str(key): value for key, value in tree.items() if isinstance(value, str)}
            continue
        for line in text.splitlines():
            key, colon, meaning = line.partition(":")
            if colon and key.strip() and meaning.strip():
                said[key.strip()] = meaning.strip()
    return said


def _make_usable_name(text: str) -> str:
    """``text`` as the name of a control: a-z 0-9 . _ -."""
    name = re.sub(r"[^a-z0-9._-]+", "_", text.lower()).strip("._-")[:64]
    return name or "deformation"


PUBLISHED_TERMS = (
    "The authors publish these files without a licence: try them, and ask the authors before you "
    "publish what you make of them."
)
_HOST = "https://www.dropbox.com/s"


@dataclass(frozen=True)
class PublishedSet:
    """An archive of .pt files named after their effects, for one network."""

    name: str
    title: str
    address: str
    network: str


PUBLISHED_SETS = {
    found.name: found
    for found in (
        PublishedSet(
            "ffhq", "Faces", f"{_HOST}/7m838ewhzgcb3v5/ffhq_weights_deformations.tar?dl=1",
            "StyleGAN2 config-f, FFHQ 1024 px",
        ),
        PublishedSet(
            "car", "Cars", f"{_HOST}/rojdcfvnsdue10o/car_weights_deformations.tar?dl=1",
            "StyleGAN2 config-f, LSUN Car 512 px",
        ),
        PublishedSet(
            "horse", "Horses", f"{_HOST}/ir1lg5v2yd4cmkx/horse_weights_deformations.tar?dl=1",
            "StyleGAN2 config-f, LSUN Horse 256 px",
        ),
        PublishedSet(
            "church", "Churches", f"{_HOST}/do9yt3bggmggehm/church_weights_deformations.tar?dl=1",
            "StyleGAN2 config-f, LSUN Church 256 px",
        ),
    )
}  # fmt: skip
"""By name; from arXiv 2011.13786's repository (yandex-research/navigan)."""


def fetch_set(known: PublishedSet, address: str, progress: Progress) -> tuple[Path, str]:
    """The archive on this disk, and its sha256 (hex; empty where it was here already).

    ``address``: another place that has it, which is always asked. What is not an archive (a page
    that says sorry, say) is not kept: BadInputError.
    """
    path = latentfu.data_dir() / "downloads" / f"{known.name}_weights_deformations.tar"
    if path.is_file() and not address:
        return path, ""
    offer = latentfu.Offer(address or known.address, name=path.name)
    digest = latentfu.download(offer, path, progress)
    if not _is_archive(path):
        path.unlink()
        raise BadInputError(
            f"What {offer.address} sent is not an archive of deformations; it was not kept, give "
            "another address with --from."
        )
    return path, digest
