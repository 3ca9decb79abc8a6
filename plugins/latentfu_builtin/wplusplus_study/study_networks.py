"""Two networks, one budget: the plain mapping and that of W++ on the same pictures."""

from __future__ import annotations

import torch
from latentfu import Generator, LocalEngine, Progress, between, check_cancelled, open_generator

from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2Config
from latentfu_builtin.stylegan.training.checkpoint import load_checkpoint, save_checkpoint
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.pairs import PairCache, render_pairs
from latentfu_builtin.stylegan.training.run import CHECKPOINT, export_network
from latentfu_builtin.stylegan.training.source import UnpairedSource, open_teacher
from latentfu_builtin.stylegan.training.trainer import Trainer
from latentfu_builtin.wplusplus_study.study_plan import MAPPINGS, StudyPlan

_SAVED_EVERY = 20_000
"""Pictures between two checkpoints."""


def train_study_networks(plan: StudyPlan, progress: Progress) -> None:
    """Render the pictures and train both networks; what is there already is gone on with."""
    cache = _render(plan, between(progress, 0.0, 0.2))
    for number, mapping in enumerate(MAPPINGS):
        part = between(progress, 0.2 + 0.4 * number, 0.2 + 0.4 * (number + 1))
        if not plan.network_file(mapping).is_file():
            _train(plan, mapping, cache, part)


def open_study_network(plan: StudyPlan, mapping: str) -> Generator:
    """One of the two trained networks; raises BadInputError where it was not trained yet."""
    return open_generator(str(plan.network_file(mapping)), "cpu")


def _render(plan: StudyPlan, progress: Progress) -> PairCache:
    """The renders that both learn from."""

    def told(done: int, total: int) -> None:
        check_cancelled()
        progress(done / total, f"Rendering {done} of {total}")

    return render_pairs(
        open_teacher(plan.renderer), plan.folder / "pairs", count=plan.pairs,
        resolution=plan.resolution, z_dim=plan.z_dim, seed=plan.seed, engine=LocalEngine(1),
        progress=told,
    )  # fmt: skip


def _train(plan: StudyPlan, mapping: str, cache: PairCache, progress: Progress) -> None:
    config = StyleGAN2Config(
        resolution=plan.resolution, z_dim=plan.z_dim, w_dim=plan.w_dim, mapping=mapping,
        mapping_layers=4, channels=plan.channels,
    )  # fmt: skip
    options = TrainingOptions(
        adversarial_images=plan.images,
        augment="color,translation",
        r1_gamma=1.0,
        seed=plan.seed,
        batch=min(16, plan.images),
    )
    source, kept = UnpairedSource(cache), plan.folder / f"run-{mapping}" / CHECKPOINT
    kept.parent.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        trainer = (
            load_checkpoint(kept, source, "cpu", options)
            if kept.is_file()
            else Trainer(config, options, source)
        )
        saved = trainer.images
        while not trainer.done:
            check_cancelled()
            trainer.step()
            progress(trainer.images / plan.images, f"{mapping}: {trainer.images} pictures")
            if trainer.images - saved >= _SAVED_EVERY:
                save_checkpoint(kept, trainer)
                saved = trainer.images
        save_checkpoint(kept, trainer)
    told = {"domain": plan.renderer, "licence": "Apache-2.0"}
    export_network(kept, plan.network_file(mapping), told)
