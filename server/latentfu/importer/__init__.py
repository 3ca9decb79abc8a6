"""Files of other projects, read without running anything in them.

``read_foreign`` starts a child process with limits on memory, time and file size; the child
takes the file apart with an allow-list unpickler and writes plain tensors and a JSON tree, and
only those come back.
"""

from __future__ import annotations

from latentfu.importer.parent import read_foreign as read_foreign
from latentfu.importer.torched import read_torch as read_torch
from latentfu.importer.tree import Converted as Converted
from latentfu.importer.tree import Foreign as Foreign
from latentfu.importer.tree import Thing as Thing
from latentfu.importer.tree import tensors_of as tensors_of
