"""For every test: servers to talk to, and the marks that choose tests by file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.program import latentfu_program
from tests.support.server_fixtures import server, start

__all__ = ["latentfu_program", "server", "start"]

# What works with any network is tested with the drawn portraits: small, quick, and every factor of
# their pictures known. tests/people_network switches the network of people on again.
os.environ.setdefault("LATENTFU_DISABLED_PLUGINS", "people-network")

# Files that train, render many pictures or start many processes. All others are the fast tests.
SLOW_FILES = frozenset(  # by name: a file may move
    {
        "test_apply_and_packs.py",
        "test_applying.py",
        "test_attention_mapping.py",
        "test_author_commands.py",
        "test_bare_and_tuned.py",
        "test_bench.py",
        "test_bodies.py",
        "test_bringing_in.py",
        "test_build.py",
        "test_bystanders.py",
        "test_chaos.py",
        "test_choice.py",
        "test_cluster.py",
        "test_computed_directions.py",
        "test_confinement.py",
        "test_connections.py",
        "test_crafted_pickles.py",
        "test_default_generator.py",
        "test_deformation_training.py",
        "test_deformations.py",
        "test_deformations_by_command.py",
        "test_demo.py",
        "test_detail_and_pivot.py",
        "test_details_in_a_mix.py",
        "test_directions_in_w_plus_plus.py",
        "test_doors.py",
        "test_downloads_command.py",
        "test_editing.py",
        "test_edits_of_edits.py",
        "test_encoder_training.py",
        "test_engine_commands.py",
        "test_evaluate.py",
        "test_evaluate_generator.py",
        "test_every_door.py",
        "test_example.py",
        "test_faces.py",
        "test_faults_of_plugins.py",
        "test_finder.py",
        "test_fit.py",
        "test_flat_memory.py",
        "test_foreign_encoders.py",
        "test_foreign_latents.py",
        "test_formats_of_others.py",
        "test_found_by_tensors.py",
        "test_generator_info.py",
        "test_generator_render.py",
        "test_hostile_files.py",
        "test_identity.py",
        "test_idle.py",
        "test_import_command.py",
        "test_import_published.py",
        "test_install_script.py",
        "test_interfacegan.py",
        "test_invert_command.py",
        "test_latents_and_faces.py",
        "test_laws.py",
        "test_listing.py",
        "test_local.py",
        "test_locator.py",
        "test_memory_groups.py",
        "test_mutated_files.py",
        "test_names_of_own.py",
        "test_navigan.py",
        "test_networks.py",
        "test_new_plugins.py",
        "test_openapi_fuzz.py",
        "test_optimisation.py",
        "test_own_noise.py",
        "test_package_client.py",
        "test_parser.py",
        "test_photograph_files.py",
        "test_photographs.py",
        "test_pix2pixhd.py",
        "test_plugin_commands.py",
        "test_plugins_of_a_server.py",
        "test_plugins_of_a_worker.py",
        "test_preview_agreement.py",
        "test_previews.py",
        "test_published_sets.py",
        "test_quarantine.py",
        "test_ray.py",
        "test_readme.py",
        "test_real_editor.py",
        "test_regions.py",
        "test_reliability.py",
        "test_remote.py",
        "test_renderer.py",
        "test_review_attacks.py",
        "test_reviving.py",
        "test_sbom.py",
        "test_scorer.py",
        "test_seen_at_once.py",
        "test_servers.py",
        "test_setup.py",
        "test_shards.py",
        "test_short_memory.py",
        "test_sitting.py",
        "test_steady.py",
        "test_studio_door.py",
        "test_studio_network.py",
        "test_studio_users.py",
        "test_stylegan2_files.py",
        "test_stylegan3_files.py",
        "test_teacher.py",
        "test_tensorflow_labels.py",
        "test_tokens.py",
        "test_training.py",
        "test_training_commands.py",
        "test_w_plus.py",
        "test_what_fits_what.py",
        "test_wheel.py",
        "test_z_only_networks.py",
    }
)
# Files that run what the docs say.
DOCS_FILES = frozenset(
    {"test_author_commands.py", "test_documentation.py", "test_links.py", "test_readme.py"}
)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what the fast tests leave out."""
    is_left_out = config.option.markexpr == "fast" and collection_path.name in SLOW_FILES
    return True if is_left_out else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of each file as fast or docs."""
    for item in items:
        is_slow = item.get_closest_marker("slow") or item.get_closest_marker("gimp")
        if item.path.name not in SLOW_FILES and not is_slow:
            item.add_marker(pytest.mark.fast)
        if item.path.name in DOCS_FILES:
            item.add_marker(pytest.mark.docs)


@pytest.fixture(autouse=True)
def memory_limit() -> Iterator[None]:
    """A limit that a test leaves behind would end another test, or the start of a thread, later."""
    if sys.platform != "linux":
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_DATA)
    yield
    after = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, before)
    assert after == before, "the test leaves this process with another limit of memory"
