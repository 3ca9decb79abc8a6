"""The manifests: what Kubernetes' schemas allow, and commands that exist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from tests.support.program import Program

FOLDER = Path(__file__).parents[2] / "docs" / "howto" / "kubernetes"
VERSIONS = ("1.30", "1.34")
OLDEST_RAY = (2, 52)  # the first with a token, and the floor in pyproject.toml


_TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
_COUNT = {"type": "integer", "minimum": 0}


def _fields(required: str, **known: Any) -> dict[str, Any]:
    return {
        "type": "object", "properties": known, "required": required.split(),
        "additionalProperties": False,
    }  # fmt: skip


RAY_CLUSTER = _fields(
    "headGroupSpec",
    rayVersion={"type": "string"},
    authOptions=_fields(
        "mode", mode={"enum": ["disabled", "token"]}, secretName={"type": "string"}
    ),
    headGroupSpec=_fields("template", rayStartParams=_TEXTS, template={"type": "object"}),
    workerGroupSpecs={
        "type": "array",
        "items": _fields(
            "groupName template", groupName={"type": "string"}, replicas=_COUNT,
            minReplicas=_COUNT, maxReplicas=_COUNT, rayStartParams=_TEXTS,
            template={"type": "object"},
        ),
    },
)  # fmt: skip
"""Of KubeRay's reference (1.6) the fields that are used; the pods have Kubernetes' own schema."""


def read(name: str) -> list[Any]:
    return list(yaml.safe_load_all((FOLDER / name).read_text()))


def pods_of(cluster: Any) -> Iterator[Any]:
    groups = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    yield from (group["template"] for group in groups)


def commands() -> Iterator[list[str]]:
    (deployment,) = (each for each in read("server.yaml") if each["kind"] == "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    yield container["command"]
    yield container["lifecycle"]["preStop"]["exec"]["command"]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_server_is_what_the_schemas_allow(version: str) -> None:
    objects = read("server.yaml")
    assert [each["kind"] for each in objects] == ["PersistentVolumeClaim", "Deployment", "Service"]
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_pods_of_the_cluster_are_what_the_schemas_allow(version: str) -> None:
    (cluster,) = read("cluster.yaml")
    pods = list(pods_of(cluster))
    for pod in pods:
        wrapped = {"apiVersion": "v1", "kind": "PodTemplate", "metadata": {"name": "p"}}
        kubernetes_validate.validate({**wrapped, "template": pod}, version, strict=True)
    assert len(pods) == 2


def test_the_cluster_has_the_fields_that_its_operator_knows() -> None:
    (cluster,) = read("cluster.yaml")
    jsonschema.validate(cluster["spec"], RAY_CLUSTER)
    for group in cluster["spec"]["workerGroupSpecs"]:
        assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    cluster["spec"]["authOptions"]["secret"] = "typo"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(cluster["spec"], RAY_CLUSTER)


def test_a_mistake_in_a_manifest_is_found() -> None:
    _, deployment, _ = read("server.yaml")
    deployment["spec"]["template"]["spec"]["containers"][0]["comand"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, VERSIONS[0], strict=True)


def test_the_cluster_keeps_to_rays_token() -> None:
    (cluster,) = read("cluster.yaml")
    assert cluster["apiVersion"] == "ray.io/v1" and cluster["kind"] == "RayCluster"
    assert cluster["spec"]["authOptions"] == {"mode": "token", "secretName": "latentfu-ray"}
    assert tuple(map(int, cluster["spec"]["rayVersion"].split(".")))[:2] >= OLDEST_RAY
    assert cluster["spec"]["headGroupSpec"]["rayStartParams"]["include-dashboard"] == "false"


def test_the_commands_exist(latentfu_program: Program) -> None:
    for program, command, *words in commands():
        assert program == "latentfu"
        known = latentfu_program(command, "--help").out
        assert all(word in known for word in words if word.startswith("--")), (command, words)
