"""Two networks, one budget: the plain mapping and that of W++ on the same pictures."""

from __future__ import annotations

import torch
from latentfu import Generator, LocalEngine, Progress, between, check_cancelled, open_generator

from latentfu_builtin.networks.stylegan.stylegan2 import StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from latentfu_builtin.stylegan.training.checkpoint import load_checkpoint, save_checkpoint
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.pairs import PairCache, render_pairs
from latentfu_builtin.stylegan.training.run import CHECKPOINT, export_network
from latentfu_builtin.stylegan.training.source import BatchSource, TokenSource, open_teacher
from latentfu_builtin.stylegan.training.trainer import Trainer
from latentfu_builtin.wplusplus_study.study_plan import MAPPINGS, StudyPlan

_SAVED_EVERY = 5_000
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


def _open_start(plan: StudyPlan) -> StyleGAN2:
    """The network that both begin from."""
    opened = open_generator(plan.start, "cpu")
    assert isinstance(opened, StyleGAN2Generator)
    return opened.network


@torch.no_grad()
def _lend_layers(trainer: Trainer, known: StyleGAN2) -> None:
    """Give the run's synthesis the first layers of a larger network's."""
    theirs = known.synthesis.state_dict()
    for name, value in trainer.generator.synthesis.state_dict().items():
        value.copy_(theirs[name])
    trainer.ema.load_state_dict(trainer.generator.state_dict())


def _train(plan: StudyPlan, mapping: str, cache: PairCache, progress: Progress) -> None:
    known = _open_start(plan)
    config = StyleGAN2Config(
        resolution=plan.resolution, z_dim=plan.z_dim, w_dim=known.config.w_dim, mapping=mapping,
        mapping_layers=plan.mapping_layers, mapping_lr_multiplier=1.0,
        channels=known.config.channels[: plan.resolution.bit_length() - 2],
    )  # fmt: skip
    options = TrainingOptions(
        seed=plan.seed,
        batch=min(16, plan.images),
        regression_images=plan.paired_images,
        regression_lr=4e-3,
        style_start=1.0,
        adversarial_images=plan.images,
        head_start_images=plan.images // 10,
        generator_lr=1.2e-3,
        paired_weight=4.0,
        r1_gamma=0.05,
    )
    source: BatchSource = cache
    if mapping == "attention":
        source = TokenSource(cache, config.num_ws)
    kept = plan.folder / f"run-{mapping}" / CHECKPOINT
    kept.parent.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        if kept.is_file():
            trainer = load_checkpoint(kept, source, "cpu", options)
        else:
            trainer = Trainer(config, options, source)
            _lend_layers(trainer, known)
        saved = trainer.images
        while not trainer.done:
            check_cancelled()
            trainer.step()
            told = f"{mapping}: {trainer.images} of {trainer.total_images} pictures"
            progress(trainer.images / trainer.total_images, told)
            if trainer.images - saved >= _SAVED_EVERY:
                save_checkpoint(kept, trainer)
                saved = trainer.images
        save_checkpoint(kept, trainer)
    facts = {"domain": plan.renderer, "licence": "Apache-2.0"}
    export_network(kept, plan.network_file(mapping), facts)
