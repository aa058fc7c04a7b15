"""Compare settings with the default preset on random scenes of network/scenes.py.

python benchmarks/scenes.py merge_objects.convexity.min_local_contrast=0
python benchmarks/scenes.py --scenes 50 "find_seeds.z_scale=0.7" "clean_mask.steps=[fill_holes]"

Each argument is a key of the configuration and its value, in YAML; several of them, separated by
";", are set together. Prints, for each argument, the mean F1 at an IoU of 0.5, its difference from
the default preset with the standard error, and the numbers of scenes that become better and worse.

The scenes vary much more than real stacks, and many are harder: F1 is low. There are enough of them
to tell a small difference from chance, which a few real stacks do not allow.
"""

import argparse
from functools import partial
from multiprocessing import Pool
from typing import Any, NamedTuple

import numpy as np
import yaml
from accuracy_scores import compare
from network.scenes import simulate_scene
from sheets import default_params, segment

from cellstack.core.types import Labels, Spacing

SHAPE = (64, 112, 112)  # voxels, of which a nucleus has ten or so across
FIRST_SEED = 1000
MIN_NUCLEI = 3  # in a scene
MAX_PLANE_STEP = 3  # every third plane, at most
MIN_RELATIVE_VOLUME = 0.1  # of the median; what is left of smaller nuclei, at faces, is no nucleus
DIAMETER_ERRORS = (0.85, 1.2)  # range of given / true diameter


class Scene(NamedTuple):
    """A simulated stack, with the ground truth and the given diameter."""

    image: np.ndarray
    ground_truth: Labels
    spacing: Spacing
    diameter_um: float


def make_scene(number: int) -> Scene | None:
    """Return a random scene; None if it has too few nuclei."""
    rng = np.random.default_rng(FIRST_SEED + number)
    simulated = simulate_scene(rng, SHAPE)
    step = int(rng.integers(1, MAX_PLANE_STEP + 1))
    labels = simulated.labels[::step]
    image = simulated.image[::step]
    present, voxels = np.unique(labels[labels > 0], return_counts=True)
    if len(present) < MIN_NUCLEI:
        return None
    faces = [labels.take(end, axis) for axis in range(3) for end in (0, -1)]
    is_cut = np.isin(present, np.concatenate([face.ravel() for face in faces]))
    median = np.median(voxels[~is_cut] if (~is_cut).any() else voxels)
    ground_truth = np.where(
        np.isin(labels, present[voxels >= MIN_RELATIVE_VOLUME * median]), labels, 0
    )
    diameter_um = float(np.cbrt(6 / np.pi * median * step) * rng.uniform(*DIAMETER_ERRORS))
    return Scene(image - image.min(), ground_truth, (float(step), 1.0, 1.0), diameter_um)


def read_settings(text: str) -> dict[str, Any]:
    """Read the settings of an argument, and check that there are such settings."""
    pairs = [pair.partition("=") for pair in text.split(";")]
    settings = {key.strip(): yaml.safe_load(value) for key, _, value in pairs}
    default_params(1.0, settings)
    return settings


def score(number: int, settings: dict[str, Any]) -> float:
    """Return F1 of a scene; NaN if it has too few nuclei."""
    scene = make_scene(number)
    if scene is None:
        return np.nan
    params = default_params(scene.diameter_um, settings)
    labels = segment(scene.image, scene.spacing, params)
    return compare(scene.ground_truth, labels, by_points=False).f1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("settings", nargs="+", help="KEY=VALUE, or several, separated by ;")
    parser.add_argument("--scenes", type=int, default=150)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    each = [read_settings(text) for text in options.settings]
    print("| settings | F1 | difference | better | worse |\n|---|--:|--:|--:|--:|")
    default = None
    with Pool(options.cores) as pool:
        for text, settings in zip(["default", *options.settings], [{}, *each], strict=True):
            numbers = range(options.scenes)
            f1 = np.array(pool.map(partial(score, settings=settings), numbers, chunksize=4))
            f1 = f1[~np.isnan(f1)]
            default = f1 if default is None else default
            more = f1 - default
            error = more.std(ddof=1) / np.sqrt(len(more))
            print(
                f"| {text} | {f1.mean():.4f} | "
                f"{more.mean():+.4f} ± {error:.4f} | {(more > 0).sum()} | {(more < 0).sum()} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
