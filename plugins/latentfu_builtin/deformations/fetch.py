"""Fetching the archive of a published set."""

from __future__ import annotations

from pathlib import Path

import latentfu
from latentfu import BadInputError, Progress

from latentfu_builtin.deformations.archive import is_archive
from latentfu_builtin.deformations.sets import PublishedSet


def fetched(known: PublishedSet, address: str, progress: Progress) -> tuple[Path, str]:
    """The archive on this disk, and its sha256 (hex; empty where it was here already).

    ``address``: another place that has it, which is always asked. What is no archive (a page that
    says sorry, say) is not kept: BadInputError.
    """
    path = latentfu.data_dir() / "downloads" / f"{known.name}_weights_deformations.tar"
    if path.is_file() and not address:
        return path, ""
    offer = latentfu.Offer(address or known.address, name=path.name)
    digest = latentfu.download(offer, path, progress)
    if not is_archive(path):
        path.unlink()
        raise BadInputError(
            f"What {offer.address} sent is no archive of deformations; it was not kept, give "
            "another address with --from."
        )
    return path, digest
