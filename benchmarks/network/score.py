"""Score seeds that a network finds against those of the default preset.

python benchmarks/network/score.py network.pt --cores 2
python benchmarks/network/score.py network.pt --cores 2 --factor 0.8

needs the packages of cellstack and `torch` (CPU). Train the network with train.py first. With a
factor, the diameter that is given is wrong by this factor.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from model import LEVEL_STEP, Network
from scenes import DIAMETER, Floats, normalize
from scipy import ndimage

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent / "scripts")]

from accuracy import run_workflow  # noqa: E402
from accuracy_scores import Scores, compare  # noqa: E402
from accuracy_stacks import CHECK, TUNING  # noqa: E402
from accuracy_tables import f1_table  # noqa: E402
from accuracy_variants import list_stacks  # noqa: E402

from cellstack.config import settings  # noqa: E402
from cellstack.config.schemas import Schemas  # noqa: E402
from cellstack.core import maxima  # noqa: E402
from cellstack.core.distance import distance_map  # noqa: E402
from cellstack.core.types import Labels, Spacing  # noqa: E402
from cellstack.enhance.adjust_contrast import adjust_contrast  # noqa: E402
from cellstack.enhance.denoise import denoise  # noqa: E402
from cellstack.files.stacks import read_stack  # noqa: E402
from cellstack.segment.binarize import binarize, find_threshold  # noqa: E402
from cellstack.segment.clean_mask import clean_mask  # noqa: E402
from cellstack.segment.find_seeds import find_seeds  # noqa: E402
from cellstack.segment.label_components import label_components  # noqa: E402
from cellstack.segment.merge_objects import merge_objects  # noqa: E402
from cellstack.segment.smooth_outlines import smooth_outlines  # noqa: E402
from cellstack.segment.split_objects import split_objects  # noqa: E402

SMOOTHING = 0.7  # voxels of the grid, of the depth that the network predicts
MIN_HEIGHT, MIN_DEPTH = 0.1, 0.25  # of a maximum of this depth: above its saddle, and above 0
WEIGHT, MIN_DISTANCE = 0.8, 0.4  # of the network beside the distance map; diameters between seeds
DEFAULT, BOTH, ALONE, LANDSCAPE = (
    "default",
    "seeds from network and distance",
    "seeds from network",
    "seeds and landscape from network",
)


def resize(stack: Floats, shape: tuple[int, ...]) -> Floats:
    """Average or interpolate a stack along each axis."""
    for axis, length in enumerate(shape):
        flat = np.moveaxis(stack, axis, 0)
        planes = [
            cv2.resize(
                np.ascontiguousarray(plane),
                (plane.shape[1], length),
                interpolation=cv2.INTER_AREA if length < len(flat) else cv2.INTER_LINEAR,
            )
            for plane in np.moveaxis(flat, 1, 0)
        ]
        stack = np.moveaxis(np.stack(planes, 1), 0, axis)
    return np.ascontiguousarray(stack)


def predict(network: Network, image: Floats, spacing: Spacing, diameter_um: float) -> Floats:
    """Return the depth of each voxel of the grid in its nucleus, as predicted by the network."""
    step = diameter_um / DIAMETER
    shape = [max(1, round(n * size / step)) for n, size in zip(image.shape, spacing, strict=True)]
    channels = normalize(resize(image, tuple(shape)))
    margins = [(0, 0), *((0, -n % LEVEL_STEP) for n in shape)]
    padded = torch.from_numpy(np.pad(channels, margins, mode="edge"))
    with torch.no_grad():
        depth = network(padded[None])[0, 1].sigmoid().numpy()
    smooth = ndimage.gaussian_filter(depth[tuple(slice(n) for n in shape)], SMOOTHING, truncate=3)
    return np.asarray(smooth, np.float32)


def find_maxima(depth: Floats, mask: np.ndarray) -> np.ndarray:
    """Return the voxels of the mask at the clear maxima of the depth on the grid, (n, 3)."""
    marked = maxima.h_maxima(depth, MIN_HEIGHT) & (depth > MIN_DEPTH)
    numbers, count = ndimage.label(marked, np.ones((3, 3, 3)))
    centres = np.array(ndimage.center_of_mass(marked, numbers, range(1, count + 1)))
    places = (centres.reshape(-1, 3) + 0.5) * np.divide(mask.shape, depth.shape) - 0.5
    places = np.clip(np.rint(places).astype(int), 0, np.array(mask.shape) - 1)
    return places[mask[tuple(places.T)] > 0]


def segment(
    network: Network, raw: np.ndarray, spacing: Spacing, diameter_um: float
) -> dict[str, Labels]:
    """Return the objects of a stack by the default preset and with each use of the network."""
    schema = Schemas.read(HERE.parent.parent / "config").stages

    def params(stage: str) -> dict[str, Any]:
        block = settings.fill_defaults({}, schema["properties"][stage], schema)
        return settings.stage_arguments(stage, block, diameter_um, schema)

    contrast = adjust_contrast(raw, spacing, params("adjust_contrast")["steps"])
    stack = denoise(contrast, spacing, **params("denoise"))
    mask = binarize(stack, find_threshold(stack, **params("binarize")), spacing, contrast)
    mask = clean_mask(mask, spacing, **params("clean_mask"))
    components = label_components(mask, **params("label_components"))
    known = params("find_seeds")
    distance = distance_map(mask, spacing, known["smoothing_um"])
    coarse = predict(network, raw.astype(np.float32), spacing, diameter_um)
    depth = resize(coarse, raw.shape)

    combined = (distance ** (1 - WEIGHT) * depth**WEIGHT * (mask > 0)).astype(np.float32)
    of_network = find_seeds(
        distance,
        components,
        spacing,
        "points",
        {"path": "", "coordinates": "voxels"},
        points=find_maxima(coarse, mask),
    )
    seeds = {
        DEFAULT: find_seeds(
            distance, components, spacing, known["method"], known["options"], stack
        ),
        BOTH: find_seeds(
            combined,
            components,
            spacing,
            "peaks",
            {"min_distance_um": MIN_DISTANCE * diameter_um},
        ),
        ALONE: of_network,
        LANDSCAPE: of_network,
    }
    objects = {}
    for way, found in seeds.items():
        landscape = depth if way == LANDSCAPE else distance
        split = split_objects(found, mask, stack, landscape, spacing, **params("split_objects"))
        merged = merge_objects(split, stack, distance, spacing, **params("merge_objects"))
        objects[way] = smooth_outlines(merged, spacing, **params("smooth_outlines"))
    return objects


def score_stack(network: Network, folder: Path, name: str, factor: float) -> dict[str, Scores]:
    """Score each way on a stack."""
    stack = list_stacks()[name]
    results = folder / f"results/{name}-0"
    raw, spacing = read_stack(results / "channels/nuclei/raw.tif")
    ground_truth, _ = read_stack(results / "nuclei/ground_truth.tif")
    objects = segment(network, np.asarray(raw), spacing, stack.row["diameter_um"] * factor)
    return {
        way: compare(ground_truth, labels, by_points=stack.by_points, min_iou=stack.min_iou)
        for way, labels in objects.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("weights")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--factor", type=float, default=1.0, help="given / true diameter")
    options = parser.parse_args()
    network = Network()
    network.load_state_dict(torch.load(options.weights))
    folder = HERE.parent / "accuracy_runs"
    run_workflow(folder, options.cores, only_peers=True)
    scores: dict[str, dict[str, Scores]] = {way: {} for way in (DEFAULT, BOTH, ALONE, LANDSCAPE)}
    for name in list_stacks():
        for way, each in score_stack(network, folder, name, options.factor).items():
            scores[way][name] = each
    print(f1_table(scores, (TUNING, CHECK)))


if __name__ == "__main__":
    main()
