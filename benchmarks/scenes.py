"""Compare settings with the default preset on random simulated scenes of nuclei or cells.

python benchmarks/scenes.py merge_objects.convexity.min_local_contrast=0
python benchmarks/scenes.py --scenes 50 "find_seeds.z_scale=0.7" "clean_mask.steps=[fill_holes]"
python benchmarks/scenes.py --object cells enhance_membrane.square_root=false

Each argument is a key of the configuration and its value, in YAML; several of them, separated by
";", are set together. Prints, for each argument, the mean F1 at an IoU of 0.5, its difference from
the default preset with the standard error, and the numbers of scenes that become better and worse.
Cells are segmented without nuclei.

The scenes, of network/scenes.py and tissues.py, vary much more than real stacks, and many are
harder: F1 is low. There are enough of them to tell a small difference from chance, which a few real
stacks do not allow.
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
from tissues import simulate_tissue

from cellstack.cells.enhance_membrane import enhance_membrane
from cellstack.cells.find_cell_seeds import find_cell_seeds
from cellstack.cells.merge_cells import merge_cells
from cellstack.cells.segment_cells import segment_cells
from cellstack.core.types import Labels, Spacing
from cellstack.enhance.adjust_contrast import adjust_contrast

NUCLEI, CELLS = "nuclei", "cells"
SHAPES = {NUCLEI: (64, 112, 112), CELLS: (72, 128, 128)}  # an object is 10, or 20, voxels wide
FIRST_SEED = 1000
MIN_OBJECTS = 3  # in a scene
MAX_PLANE_STEP = {NUCLEI: 3, CELLS: 4}  # every third, or fourth, plane at most
MIN_RELATIVE_VOLUME = 0.1  # of the median; what is left of smaller ones, at faces, is no object
DIAMETER_ERRORS = (0.85, 1.2)  # range of given / true diameter


class Scene(NamedTuple):
    """A simulated stack, with the ground truth and the given diameter."""

    image: np.ndarray
    ground_truth: Labels
    spacing: Spacing
    diameter_um: float


def make_scene(kind: str, number: int) -> Scene | None:
    """Return a random scene of a kind of object; None if it has too few objects."""
    rng = np.random.default_rng(FIRST_SEED + number)
    simulate = simulate_scene if kind == NUCLEI else simulate_tissue
    simulated = simulate(rng, SHAPES[kind])
    step = int(rng.integers(1, MAX_PLANE_STEP[kind] + 1))
    labels = simulated.labels[::step]
    image = simulated.image[::step]
    present, voxels = np.unique(labels[labels > 0], return_counts=True)
    if len(present) < MIN_OBJECTS:
        return None
    faces = [labels.take(end, axis) for axis in range(3) for end in (0, -1)]
    is_cut = np.isin(present, np.concatenate([face.ravel() for face in faces]))
    median = np.median(voxels[~is_cut] if (~is_cut).any() else voxels)
    ground_truth = np.where(
        np.isin(labels, present[voxels >= MIN_RELATIVE_VOLUME * median]), labels, 0
    )
    diameter_um = float(np.cbrt(6 / np.pi * median * step) * rng.uniform(*DIAMETER_ERRORS))
    return Scene(image - image.min(), ground_truth, (float(step), 1.0, 1.0), diameter_um)


def segment_membrane(
    image: np.ndarray, spacing: Spacing, params: dict[str, dict[str, Any]]
) -> Labels:
    """Segment cells without nuclei, with the params of each stage."""
    contrast = adjust_contrast(image, spacing, params["adjust_contrast"]["steps"])
    smooth, ridges, record = enhance_membrane(contrast, spacing, **params["enhance_membrane"])
    of_seeds = dict(params["find_cell_seeds"])
    del of_seeds["background_radius_beside_nuclei_um"]
    limits = {"noise": record["noise"], "certain_strength": record["certain_strength"]}
    seeds, background = find_cell_seeds(smooth, ridges, spacing, **limits, **of_seeds)
    regions = segment_cells(
        seeds, background, smooth, ridges, None, spacing, **params["segment_cells"]
    )
    return merge_cells(regions, ridges, smooth, spacing, 0, **params["merge_cells"]).labels


def read_settings(text: str) -> dict[str, Any]:
    """Read the settings of an argument, and check that there are such settings."""
    pairs = [pair.partition("=") for pair in text.split(";")]
    settings = {key.strip(): yaml.safe_load(value) for key, _, value in pairs}
    default_params(1.0, settings)
    return settings


def score(number: int, kind: str, each: list[dict[str, Any]]) -> list[float] | None:
    """Return F1 of a scene with each of several settings; None if it has too few objects."""
    scene = make_scene(kind, number)
    if scene is None:
        return None
    find = segment if kind == NUCLEI else segment_membrane
    found = (
        find(scene.image, scene.spacing, default_params(scene.diameter_um, settings))
        for settings in each
    )
    return [compare(scene.ground_truth, labels, by_points=False).f1 for labels in found]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("settings", nargs="+", help="KEY=VALUE, or several, separated by ;")
    parser.add_argument("--object", choices=[NUCLEI, CELLS], default=NUCLEI)
    parser.add_argument("--scenes", type=int, default=150)
    parser.add_argument("--cores", type=int, default=2)
    options = parser.parse_args()
    each = [{}, *map(read_settings, options.settings)]
    with Pool(options.cores) as pool:
        scored = partial(score, kind=options.object, each=each)
        of_scenes = pool.map(scored, range(options.scenes), chunksize=4)
    f1 = np.array([of_scene for of_scene in of_scenes if of_scene is not None]).T
    print("| settings | F1 | difference | better | worse |\n|---|--:|--:|--:|--:|")
    for text, of_settings in zip(["default", *options.settings], f1, strict=True):
        more = of_settings - f1[0]
        error = more.std(ddof=1) / np.sqrt(len(more))
        print(
            f"| {text} | {of_settings.mean():.4f} | "
            f"{more.mean():+.4f} ± {error:.4f} | {(more > 0).sum()} | {(more < 0).sum()} |"
        )


if __name__ == "__main__":
    main()
