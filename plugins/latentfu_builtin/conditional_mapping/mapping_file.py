"""A conditional mapping as one safetensors file, whose header is read without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from latentfu import (
    BadInputError,
    Generator,
    data_dir,
    is_name,
    is_sha256,
    read_metadata,
    read_tensors,
    write_tensors,
)

if TYPE_CHECKING:
    from torch import Tensor

    from latentfu_builtin.networks.stylegan.conditional_mapping import ConditionalMapping

FORMAT = "latentfu-conditional-mapping-1"
ENDING = "_like"
"""How the names of these controls end: expression_like takes the expression of a picture."""
_OWN = "mapping."


def mappings_folder() -> Path:
    """Where trained conditional mappings lie."""
    return data_dir() / "conditional-mappings"


@dataclass(frozen=True)
class StoredMapping:
    """All of a file.

    Attributes:
        network: The mapping.
        mean: Of the generator's codes, [rows or 1, D].
        axes: Their spread, [D, D].
        attributes_mean: Of the scorer's attributes over the generator's pictures, [A].
        attributes_spread: One standard deviation of each, [A].
        scorer: Who reads them.
        attributes: Which are given over.
    """

    network: ConditionalMapping
    mean: Tensor
    axes: Tensor
    attributes_mean: Tensor
    attributes_spread: Tensor
    scorer: str
    attributes: tuple[str, ...]

    def save(self, path: Path, generator: Generator, notes: Mapping[str, str]) -> None:
        """Write the file whole, or not at all; raises StorageError."""
        import torch

        state = self.network.state_dict()
        tensors = {_OWN + name: value.to("cpu", torch.float16) for name, value in state.items()}
        for name in ("mean", "axes", "attributes_mean", "attributes_spread"):
            tensors[name] = getattr(self, name).detach().cpu().float()
        metadata = {
            "licence": "unknown",
            "group": "other",
            **notes,
            "format": FORMAT,
            "config": self.network.config.to_json(),
            "generator_id": generator.id,
            "generator": generator.name,
            "scorer": self.scorer,
            "attributes": json.dumps(self.attributes),
        }
        write_tensors(path, {k: v.contiguous() for k, v in tensors.items()}, metadata)


def load_mapping(path: Path, device: str) -> StoredMapping:
    """What a file holds, ready to be used on a device.

    Raises:
        BadInputError: It is none, or its tensors do not fit its config.
        StorageError: It cannot be read.
    """
    from latentfu_builtin.networks.stylegan.conditional_mapping import (
        ConditionalMapping,
        ConditionalMappingConfig,
    )
    from latentfu_builtin.networks.stylegan.files import build_fitting

    facts = read_mapping_facts(path)
    tensors = {name: value.float().to(device) for name, value in read_tensors(path).items()}
    own = {k.removeprefix(_OWN): v for k, v in tensors.items() if k.startswith(_OWN)}
    try:
        network = build_fitting(
            path,
            lambda text: ConditionalMapping(ConditionalMappingConfig.from_json(text)),
            facts["config"],
            own,
        )
        config, names = network.config, read_attribute_names(facts["attributes"])
        if config.attributes != len(names):
            raise ValueError(f"{path} says other attributes than its network takes")
        if tuple(tensors["axes"].shape) != (config.depth, config.depth):
            raise ValueError(f"{path} has axes of another shape than {[config.depth] * 2}")
        ends = [tensors["attributes_mean"], tensors["attributes_spread"]]
        if tensors["mean"].shape[-1] != config.depth or ends[0].shape != ends[1].shape:
            raise ValueError(f"{path} has means of other shapes than its network takes")
    except (KeyError, ValueError) as error:
        raise BadInputError(f"The conditional mapping cannot be used: {error}.") from error
    network.load_state_dict(own)
    network = network.to(device).eval().requires_grad_(False)
    mean, axes, scorer = tensors["mean"], tensors["axes"], facts["scorer"]
    return StoredMapping(network, mean, axes, ends[0], ends[1], scorer, names)


def read_mapping_facts(path: Path) -> dict[str, str]:
    """The header of a file; raises BadInputError when it is that of something else."""
    facts = read_metadata(path)
    needed = ("config", "generator_id", "scorer", "attributes", "name")
    if facts.get("format") != FORMAT or any(name not in facts for name in needed):
        raise BadInputError(f"{path} holds no conditional mapping.")
    if not is_sha256(facts["generator_id"]) or not is_name(facts["name"]):
        raise BadInputError(f"{path} has a name or a generator that cannot be.")
    return facts


def read_attribute_names(text: str) -> tuple[str, ...]:
    """The attributes in a header; ValueError for anything else than a list of texts."""
    names = json.loads(text)
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("its attributes are no list of names")
    return tuple(names)
