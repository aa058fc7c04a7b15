"""Train the network on random scenes.

python benchmarks/network/train.py network.pt --minutes 45

needs `torch` (CPU), `numpy` and `scipy`. It uses one core, and a tenth of another to simulate.
"""

import argparse
import copy
import math
import multiprocessing
import time
from multiprocessing.queues import Queue
from typing import Any

import numpy as np
import torch
from model import Network
from scenes import normalize, simulate_scene
from torch.nn import functional

SHAPES = ((24, 48, 48), (32, 40, 40), (16, 56, 56))
RATE, WARMUP, LAST_RATE = 2.5e-3, 100, 0.02
DECAY = 0.995  # of the moving average of the weights, which is saved
DEPTH_WEIGHT = 2.0
STEPS_PER_REPORT = 50


def produce(queue: "Queue[Any]", seed: int) -> None:
    rng = np.random.default_rng(seed)
    while True:
        scene = simulate_scene(rng, SHAPES[rng.integers(len(SHAPES))])
        is_inside = (scene.labels > 0).astype(np.float32)
        queue.put((normalize(scene.image), is_inside, scene.depth))


def train(queue: "Queue[Any]", seconds: float) -> Network:
    """Return the network after a time, during which the learning rate falls."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    network = Network()
    average = copy.deepcopy(network)
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=1e-3)
    start, step, losses = time.monotonic(), 0, []
    while (progress := (time.monotonic() - start) / seconds) < 1:
        falling = LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * progress)) / 2
        optimizer.param_groups[0]["lr"] = RATE * falling * min(1, step / WARMUP)
        image, is_inside, depth = (torch.from_numpy(each)[None] for each in queue.get())
        logits = network(image)
        loss = functional.binary_cross_entropy_with_logits(logits[:, 0], is_inside)
        of_depth = functional.binary_cross_entropy_with_logits(logits[:, 1], depth)
        loss = loss + DEPTH_WEIGHT * of_depth
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        decay = min(DECAY, step / (step + 20))
        with torch.no_grad():
            for mean, value in zip(average.parameters(), network.parameters(), strict=True):
                mean.lerp_(value, 1 - decay)
        step += 1
        losses.append(loss.item())
        if step % STEPS_PER_REPORT == 0:
            recent = np.mean(losses[-STEPS_PER_REPORT:])
            print(f"{progress:4.0%}  step {step}  loss {recent:.4f}", flush=True)
    return average


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    queue: Queue[Any] = multiprocessing.Queue(24)
    scenes = multiprocessing.Process(target=produce, args=(queue, options.seed), daemon=True)
    scenes.start()
    network = train(queue, 60 * options.minutes)
    torch.save(network.state_dict(), options.weights)
    scenes.terminate()


if __name__ == "__main__":
    main()
