"""How the weights were made: a DCGAN taught to draw what the built-in network draws.

    python train.py [--pictures 12000] [--minutes 10] [--seed 0]

It writes latentfu_example_generator/weights.safetensors.
"""

import argparse
import time
from pathlib import Path

import latentfu
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from latentfu_example_generator.network import DCGAN, RESOLUTION, Z_DIM

OUT = Path(__file__).parent / "latentfu_example_generator" / "weights.safetensors"
PSI = 0.8


def pictures(count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """z [count, 64] and the teacher's pictures [count, 3, 64, 64] for its first numbers."""
    teacher = latentfu.open_generator("portraits", device="cpu")
    z = torch.randn(count, Z_DIM, generator=torch.Generator().manual_seed(seed))
    seen = torch.zeros(count, teacher.z_dim)
    width = min(Z_DIM, teacher.z_dim)
    seen[:, :width] = z[:, :width]
    shown = torch.empty(count, 3, RESOLUTION, RESOLUTION, dtype=torch.float16)
    with torch.no_grad():
        for start in range(0, count, 16):
            part = slice(start, start + 16)
            large = teacher.render(teacher.map(seen[part], psi=PSI))
            shown[part] = F.interpolate(large, size=RESOLUTION, mode="area").half()
    return z, shown


def train(z: torch.Tensor, shown: torch.Tensor, minutes: float, seed: int) -> DCGAN:
    """Least absolute differences, the rate falling to zero over the time given."""
    torch.manual_seed(seed)
    network, began, step = DCGAN(), time.monotonic(), 0
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3, betas=(0.9, 0.99))
    while (done := (time.monotonic() - began) / (60 * minutes)) < 1.0:
        optimizer.param_groups[0]["lr"] = 2e-3 * (1.0 - done)
        chosen = torch.randint(len(z), (64,))
        loss = F.l1_loss(network(z[chosen]), shown[chosen].float().clamp(-1, 1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        if step % 500 == 0:
            print(f"step {step}, {done:.0%}: {float(loss.detach()):.4f}", flush=True)
    return network


def main() -> None:
    """Render, train, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=12_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    z, shown = pictures(options.pictures, options.seed)
    network = train(z, shown, options.minutes, options.seed)
    tensors = {name: t.detach().half().contiguous() for name, t in network.state_dict().items()}
    save_file(tensors, OUT, metadata={"licence": "Apache-2.0", "made_by": "train.py"})


if __name__ == "__main__":
    main()
