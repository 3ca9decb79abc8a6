"""W++ (Li et al. 2021, arXiv 2105.14230): a mapping whose styles attend to each other."""

from __future__ import annotations

from latentfu_builtin.networks.stylegan.wplusplus.mapping import (
    AttentionMapping as AttentionMapping,
)
