"""Files of other projects, read without running anything in them.

``read_foreign`` starts a child process with limits on memory, time and file size; the child
takes the file apart with an allow-list unpickler and writes plain tensors and a JSON tree, and
only those come back.
"""

from __future__ import annotations

from latentfu.sandbox.parent import read_foreign as read_foreign
from latentfu.sandbox.parent import read_torch as read_torch
from latentfu.sandbox.tree import ConvertedWeights as ConvertedWeights
from latentfu.sandbox.tree import ForeignFile as ForeignFile
from latentfu.sandbox.tree import OpaqueObject as OpaqueObject
from latentfu.sandbox.tree import tensors_of as tensors_of
