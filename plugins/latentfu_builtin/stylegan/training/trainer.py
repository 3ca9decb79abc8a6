"""The training loop's one step, and the state that it moves forward."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import replace

import latentfu
import torch
from torch import Tensor, nn
from torch.autograd import backward

from latentfu_builtin.networks.stylegan.layers import EqualLinear
from latentfu_builtin.networks.stylegan.stylegan2 import Discriminator, StyleGAN2, StyleGAN2Config
from latentfu_builtin.networks.stylegan.stylegan2.generator import StyleGAN2Generator
from latentfu_builtin.stylegan.training import losses
from latentfu_builtin.stylegan.training.augment import crop, diff_augment, emphasize_detail
from latentfu_builtin.stylegan.training.options import TrainingOptions
from latentfu_builtin.stylegan.training.source import Batch, BatchSource
from latentfu_builtin.stylegan.training.training_group import ALONE, TrainingGroup

FeatureDistance = Callable[[Tensor, Tensor], Tensor]


def _make_adam(
    net: nn.Module, lr: float, every: int = 0, betas: tuple[float, float] = (0.0, 0.99)
) -> torch.optim.Adam:
    """Adam with the paper's correction for a regulariser that acts every so many steps."""
    ratio = every / (every + 1) if every else 1.0
    scaled = (betas[0] ** ratio, betas[1] ** ratio)
    return torch.optim.Adam(net.parameters(), lr=lr * ratio, betas=scaled)


@torch.no_grad()
def _quiet_styles(net: StyleGAN2, factors: int, style_start: float) -> None:
    """Begin paired regression from a network that listens little, and only to the factors.

    A fresh network answers every z with loud blobs, which take long to unlearn: the styles are
    turned down to `style_start`, and the numbers of z that the teacher ignores are cut off.
    """
    first: EqualLinear = net.mapping.layers[0]  # type: ignore[assignment]
    if factors:
        first.weight[:, factors:] = 0.0
    for layer in [*net.synthesis.convs, *net.synthesis.rgbs]:
        affine: EqualLinear = layer.affine
        affine.weight.mul_(style_start)


def _make_judge(config: StyleGAN2Config, options: TrainingOptions) -> Discriminator:
    """A discriminator of whole pictures, or of crops; ValueError for a crop that does not fit."""
    side = options.discriminator_crop
    if not side:
        return Discriminator(config, options.discriminator_channels)
    if side > config.resolution or side < 8 or side & (side - 1):
        raise ValueError(f"discriminator_crop is 8, 16, ... up to {config.resolution}, not {side}")
    own = options.discriminator_channels or config.channels[-(side.bit_length() - 2) :]
    return Discriminator(replace(config, resolution=side, channels=own))


class Trainer:
    """Generator, discriminator, averaged generator, optimizers and counters.

    `step()` trains on one batch in the phase that the counter `images` is in. All randomness
    comes from `self.random` and torch's global generator, both of which are checkpointed. With
    others in its `group` it works on its share of each batch, and all move alike.
    """

    def __init__(
        self,
        config: StyleGAN2Config,
        options: TrainingOptions,
        source: BatchSource,
        device: torch.device | str = "cpu",
        group: TrainingGroup = ALONE,
    ) -> None:
        group.check_batch(options.batch)
        if config.mapping == "attention" and source.factor_count:
            raise ValueError(
                "a renderer draws one z for the whole picture, but the attention mapping has one "
                "for each style: give --mapping attention (or spread it with a TokenSource)"
            )
        torch.manual_seed(options.seed)
        self.config, self.options, self.source, self.group = config, options, source, group
        self.device = torch.device(device)
        layout = torch.channels_last
        self.generator = StyleGAN2(config).to(self.device).to(memory_format=layout)
        if options.regression_images:
            _quiet_styles(self.generator, source.factor_count, options.style_start)
        judge = _make_judge(config, options)
        self.judge = judge.to(self.device).to(memory_format=layout)
        self.ema = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.make_fast()
        if not group.leads:  # noise and augmentation differ; the batches do not
            torch.manual_seed(options.seed + 1009 * group.rank)
        self.random = torch.Generator().manual_seed(options.seed + 1)
        self.images = 0
        self.steps = 0
        self.path_mean = torch.zeros((), device=self.device)
        self.feature_distance = self.open_feature_loss()
        self.phase = ""
        self.enter_phase()

    def open_feature_loss(self) -> FeatureDistance | None:
        """The perceptual distance that the options name; ValueError when it is not installed."""
        name = self.options.feature_loss
        if not name:
            return None
        installed = latentfu.losses()
        if name not in installed:
            raise ValueError(f"there is no loss {name}; installed: {', '.join(installed)}")
        return installed[name].build(StyleGAN2Generator(self.generator, "training", "", ""))

    def make_fast(self) -> None:
        """TF32 where the device has it, and compiled networks when asked for.

        Names of parameters stay as they are. What is differentiated twice (R1, path length)
        goes through `forward`, which is never compiled: compiled code has one derivative.
        """
        if self.device.type == "cuda":
            torch.set_float32_matmul_precision("high")
            torch.backends.cudnn.allow_tf32 = True
        if self.options.compiled:
            self.generator.synthesis.compile()
            self.judge.compile()

    @property
    def total_images(self) -> int:
        """How many pictures the whole run trains on."""
        return self.options.regression_images + self.options.adversarial_images

    @property
    def done(self) -> bool:
        """Whether the run is at its end."""
        return self.images >= self.total_images

    def enter_phase(self) -> None:
        """Set the phase by the counter; fresh optimizers at each change."""
        options = self.options
        phase = "regression" if self.images < options.regression_images else "adversarial"
        if phase == self.phase:
            return
        self.phase, self.steps = phase, 0
        if phase == "regression":
            self.adam = _make_adam(self.generator, options.regression_lr, betas=(0.9, 0.99))
        else:
            self.adam = _make_adam(self.generator, options.generator_lr, options.path_every)
        self.judge_adam = _make_adam(self.judge, options.discriminator_lr, options.r1_every)

    def autocast(self) -> torch.autocast:
        """bfloat16 where it is safe, when asked for and quick here."""
        return latentfu.mixed_precision(self.device, self.options.bf16)

    def step(self) -> dict[str, float]:
        """Train on one batch; the losses by name."""
        self.enter_phase()
        drawn = self.group.take_share(self.source.draw(self.options.batch, self.random))
        batch = Batch(*(None if t is None else t.to(self.device) for t in vars(drawn).values()))  # type: ignore[arg-type]
        work: Callable[[Batch], dict[str, float]] = (
            self.regression_step if self.phase == "regression" else self.adversarial_step
        )
        numbers = work(batch)
        self.group.average([self.generator.mapping.w_avg, self.path_mean])
        self.steps += 1
        self.images += self.group.size * batch.images.shape[0]
        self.update_ema()
        return numbers

    def move(self, adam: torch.optim.Adam, loss: Tensor) -> None:
        """One step of an optimizer down the gradient of a loss, the mean over the group."""
        adam.zero_grad(set_to_none=True)
        backward(loss)
        self.group.average_gradients(adam.param_groups[0]["params"])
        adam.step()

    # paired regression

    def regression_rate(self) -> float:
        """The learning rate now: a short warm-up, then a cosine."""
        options = self.options
        part = self.images / max(options.regression_images, 1)
        cosine = 0.5 + 0.5 * math.cos(math.pi * min(part, 1.0))
        warm = min(1.0, (self.steps + 1) / 50)
        final = options.regression_final
        return options.regression_lr * warm * (final + (1 - final) * cosine)

    def paired_losses(self, made: Tensor, batch: Batch) -> Tensor:
        """The paired loss of each picture [N]."""
        weights, target = None, batch.images
        if batch.enlarged is not None:
            target = losses.add_missing_detail(target, made, batch.enlarged)
        if batch.landmarks is not None:
            strength = self.options.landmark_strength
            weights = losses.landmark_weights(batch.landmarks, self.config.resolution, strength)
        paired = losses.paired_loss(made, target, weights)
        if batch.landmarks is not None and self.options.small_strength:
            small = losses.small_loss(made, target, batch.landmarks, batch.marked)
            paired = paired + self.options.small_strength * small
        if self.feature_distance is None:
            return paired
        with self.autocast():  # blur costs little in pixels, but much in features
            features = self.feature_distance(made, target)
        return paired + self.options.feature_weight * features.float()

    def regression_step(self, batch: Batch) -> dict[str, float]:
        """G(z) towards the teacher's picture for the same z."""
        if batch.z is None:
            raise ValueError("paired regression needs a renderer, not a folder of pictures")
        for group in self.adam.param_groups:
            group["lr"] = self.regression_rate()
        with self.autocast():
            w = self.generator.mapping(batch.z)
            made = self.generator.synthesis(self.generator.broadcast(w), noise="none")
        self.generator.mapping.track_w_avg(w)
        loss = self.paired_losses(made.float(), batch).mean()
        self.move(self.adam, loss)
        return {"paired": loss.item()}

    # adversarial

    def adversarial_step(self, batch: Batch) -> dict[str, float]:
        """One step of the generator and one of the discriminator on the same fakes."""
        options = self.options
        numbers: dict[str, float] = {}
        learns = self.images - options.regression_images >= options.head_start_images
        z, mixed = self.draw_z(batch)
        with torch.set_grad_enabled(learns), self.autocast():
            ws = self.draw_ws(z, mixed)
            fakes = self.generator.synthesis(ws, noise="random").float()
        if learns:
            numbers.update(self.generator_step(fakes, batch, mixed))
        numbers.update(self.judge_step(fakes.detach(), batch.images))
        if options.r1_every and self.steps % options.r1_every == 0:
            numbers["r1"] = self.r1_step(batch.images)
        if learns and options.path_every and self.steps % options.path_every == 0:
            numbers["path"] = self.path_step(z[: max(1, len(z) // 2)])
        return numbers

    def draw_z(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """z [N, z_dim] (the batch's own when a paired loss is wanted) and which are mixed [N]."""
        n = self.group.size * batch.images.shape[0]
        fresh = torch.randn(n, self.config.z_numbers, generator=self.random)
        fresh = self.group.take_rows(fresh).to(self.device)
        paired = batch.z is not None and self.options.paired_weight > 0
        z = batch.z if paired and batch.z is not None else fresh
        mixed = torch.rand(n, generator=self.random) < self.options.mixing
        return z, self.group.take_rows(mixed).to(self.device)

    def draw_ws(self, z: Tensor, mixed: Tensor) -> Tensor:
        """Styles [N, num_ws, w_dim]; those of the mixed pictures cross over at a random layer."""
        w: Tensor = self.generator.mapping(z)
        if torch.is_grad_enabled():
            self.generator.mapping.track_w_avg(w)
        ws = self.generator.broadcast(w)
        if not self.options.mixing:
            return ws
        # For all the group's pictures: every process has drawn as much as the others.
        n, count = self.group.size * ws.shape[0], self.config.num_ws
        others = torch.randn(n, self.config.z_numbers, generator=self.random)
        starts = torch.randint(1, count, (n, 1), generator=self.random)
        if not bool(mixed.any()):
            return ws
        other = self.group.take_rows(others).to(z)
        ws_other = self.generator.broadcast(self.generator.mapping(other))
        start = self.group.take_rows(starts).to(self.device)
        late = torch.arange(count, device=self.device)[None] >= start
        return torch.where((late & mixed[:, None])[..., None], ws_other, ws)

    def generator_step(self, fakes: Tensor, batch: Batch, mixed: Tensor) -> dict[str, float]:
        """Move the generator: fool the discriminator, and stay near the teacher when paired."""
        self.judge.requires_grad_(False)
        with self.autocast():
            logits = self.judge(self.show(fakes))
        loss = losses.generator_loss(logits)
        numbers = {"g": loss.item()}
        if self.options.paired_weight > 0 and batch.z is not None:
            keep = (~mixed).float()
            paired = (self.paired_losses(fakes, batch) * keep).sum() / keep.sum().clamp_min(1)
            loss = loss + self.options.paired_weight * paired
            numbers["paired"] = paired.item()
        self.move(self.adam, loss)
        self.judge.requires_grad_(True)
        return numbers

    def show(self, images: Tensor) -> Tensor:
        """What the discriminator sees of pictures [N, 3, R, R]: augmented, maybe cropped."""
        seen = crop(diff_augment(images, self.options.augment), self.options.discriminator_crop)
        return emphasize_detail(seen, self.options.discriminator_detail)

    def judge_step(self, fakes: Tensor, reals: Tensor) -> dict[str, float]:
        """Move the discriminator on fakes and real pictures [N, 3, R, R]."""
        with self.autocast():
            fake_logits = self.judge(self.show(fakes))
            real_logits = self.judge(self.show(reals))
        loss = losses.discriminator_loss(real_logits, fake_logits)
        self.move(self.judge_adam, loss)
        sure = (real_logits > 0).float().mean() + (fake_logits < 0).float().mean()
        return {"d": loss.item(), "right": 0.5 * sure.item()}

    def r1_step(self, reals: Tensor) -> float:
        """Lazy R1 in float32: its gradient stands for all the steps since the last."""
        images = reals.detach().clone().requires_grad_(True)
        logits = self.judge.forward(self.show(images))
        penalty = losses.r1_penalty(logits, images)
        self.move(self.judge_adam, 0.5 * self.options.r1_gamma * self.options.r1_every * penalty)
        return penalty.item()

    def path_step(self, z: Tensor) -> float:
        """Lazy path length regularisation in float32."""
        ws = self.generator.map(z)
        images = self.generator.synthesis.forward(ws, noise="random")
        lengths = losses.path_lengths(images, ws)
        self.path_mean = torch.lerp(self.path_mean, lengths.detach().mean(), 0.01)
        penalty = (lengths - self.path_mean).square().mean()
        self.move(self.adam, self.options.path_weight * self.options.path_every * penalty)
        return penalty.item()

    @torch.no_grad()
    def update_ema(self) -> None:
        """Let the averaged generator follow; its half-life grows up to `ema_images`."""
        half_life = min(self.options.ema_images, 0.05 * self.images)
        decay = 0.5 ** (self.options.batch / max(half_life, 1e-8))
        averaged: list[Tensor] = list(self.ema.parameters())
        current: list[Tensor] = list(self.generator.parameters())
        torch._foreach_lerp_(averaged, current, 1.0 - decay)
        for mine, theirs in zip(self.ema.buffers(), self.generator.buffers(), strict=True):
            mine.copy_(theirs)


@torch.no_grad()
def start_from(trainer: Trainer, trained: StyleGAN2) -> None:
    """Give the run's generator (and its average) the weights of `trained`.

    Where the run's network is larger, its new toRGB layers are silenced: it begins by drawing the
    smaller network's pictures enlarged, and learns the detail (progressive growing, Karras et al.
    2018, arXiv 1710.10196, for the skip architecture of StyleGAN2). ValueError when a tensor
    of `trained` has no place of the same shape.
    """
    mine = trainer.generator.state_dict()
    for name, value in trained.state_dict().items():
        if name not in mine or mine[name].shape != value.shape:
            raise ValueError(
                f"a network of {trainer.config.resolution} px cannot begin from this one: "
                f"{name} with the shape {list(value.shape)} does not fit"
            )
        mine[name].copy_(value)
    old = len(trained.synthesis.rgbs)
    for rgb in list(trainer.generator.synthesis.rgbs)[old:]:
        torch.nn.init.zeros_(rgb.get_parameter("weight"))
    trainer.ema.load_state_dict(trainer.generator.state_dict())
