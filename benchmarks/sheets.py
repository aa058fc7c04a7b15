"""Score the default preset on stacks with a bright sheet, with and without remove_sheets.

python benchmarks/sheets.py

A curved sheet, such as a fold or a cell wall, is added to the tuning stacks of accuracy.py whose
ground truth are labels: simulated ones, and real ones if CELLSTACK_DATA is set to their folder.
Prints F1 at an IoU of 0.5, and the number of objects most of whose voxels are in the sheet.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from accuracy_scores import compare
from accuracy_stacks import NUCLEI, TUNING, available, describe
from accuracy_variants import SIMULATED
from scipy import ndimage

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "scripts")]

from cellstack.config import settings  # noqa: E402
from cellstack.config.schemas import Schemas  # noqa: E402
from cellstack.config.sweep_table import nest  # noqa: E402
from cellstack.core.types import Labels, Spacing  # noqa: E402
from cellstack.enhance.adjust_contrast import adjust_contrast  # noqa: E402
from cellstack.enhance.denoise import denoise  # noqa: E402
from cellstack.files.readers import opening  # noqa: E402
from cellstack.files.spreadsheets import is_text_table  # noqa: E402
from cellstack.prepare.simulate_stack import simulate_stack  # noqa: E402
from cellstack.segment.binarize import binarize, find_threshold  # noqa: E402
from cellstack.segment.clean_mask import clean_mask  # noqa: E402
from cellstack.segment.find_seeds import seeds_of_mask  # noqa: E402
from cellstack.segment.label_components import label_components  # noqa: E402
from cellstack.segment.merge_objects import merge_objects  # noqa: E402
from cellstack.segment.smooth_outlines import smooth_outlines  # noqa: E402
from cellstack.segment.split_objects import split_objects  # noqa: E402

SCHEMA = Schemas.read(HERE.parent / "config").stages
SHEETS = ((0.1, 1.5), (0.2, 1.0), (0.2, 3.0))  # thickness in diameters, brightness of nuclei
BLUR = (0.05, 0.02, 0.02)  # diameters
TEXTURE = 0.25  # standard deviation
TEXTURE_UM = 2.0
PHOTONS = 4  # per grey value


class Scene(NamedTuple):
    """A stack of nuclei with its ground truth."""

    image: np.ndarray
    ground_truth: Labels
    spacing: Spacing
    diameter_um: float


def list_scenes() -> dict[str, Scene]:
    """Return the stacks to which sheets are added."""
    scenes = {}
    for name, options in SIMULATED.items():
        stack = simulate_stack(diameter_um=10, count=90, **options)
        scenes[name] = Scene(stack.nuclei_image, stack.nuclei_labels, tuple(options["spacing"]), 10)
    for name, real in available(NUCLEI).items():
        image, ground_truth = real.files
        if real.use != TUNING or is_text_table(ground_truth):
            continue
        with opening.open_image([image]) as source:
            spacing = real.spacing or tuple(float(str(source.spacing[a].value)) for a in "zyx")
            raw = np.stack(list(source.planes(0)))
        with opening.open_image([ground_truth]) as source:
            labels = np.stack(list(source.planes(0)))
        scenes[name] = Scene(raw, labels, spacing, describe(real).diameter_um)
    return scenes


def add_sheet(
    scene: Scene, thickness: float, brightness: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Add a curved sheet to a stack, and return where it is, too.

    The thickness is in diameters; the brightness is relative to the median nucleus.
    """
    rng = np.random.default_rng(seed)
    image, spacing, diameter = scene.image, np.array(scene.spacing), scene.diameter_um
    shape, extent = image.shape, image.shape * spacing
    z, y, x = (
        index * step - size / 2
        for index, step, size in zip(
            np.ogrid[tuple(map(slice, shape))], spacing, extent, strict=True
        )
    )
    normal = np.array([rng.uniform(0.1, 0.9), rng.uniform(-0.3, 0.3), 1.0])
    normal /= np.linalg.norm(normal)
    distance = z * normal[0] + y * normal[1] + x * normal[2] + 0.3 * y**2 / extent[1]
    inside = np.clip((thickness * diameter / 2 - abs(distance)) / spacing.min() + 0.5, 0, 1)
    grain = ndimage.gaussian_filter(rng.standard_normal(shape), TEXTURE_UM / spacing)
    sheet = ndimage.gaussian_filter(
        inside * (1 + TEXTURE * grain / grain.std()), np.array(BLUR) * diameter / spacing
    )
    background = np.percentile(image, 20)
    height = (np.median(image[scene.ground_truth > 0]) - background) * brightness
    added = np.maximum(background + sheet * height - image, 0)
    noisy = image + rng.poisson(added * PHOTONS) / PHOTONS
    return np.clip(noisy, 0, np.iinfo(image.dtype).max).astype(image.dtype), sheet > 0.3


def segment(image: np.ndarray, spacing: Spacing, params: dict[str, dict[str, Any]]) -> Labels:
    """Segment nuclei with the params of each stage."""
    contrast = adjust_contrast(image, spacing, params["adjust_contrast"]["steps"])
    stack = denoise(contrast, spacing, **params["denoise"])
    mask = binarize(stack, find_threshold(stack, **params["binarize"]), spacing, contrast)
    mask = clean_mask(mask, spacing, **params["clean_mask"])
    components = label_components(mask, **params["label_components"])
    of_seeds = {
        name: params["find_seeds"][name] for name in ("smoothing_um", "z_scale", "radius_um")
    }
    method, options = (params["find_seeds"][name] for name in ("method", "options"))
    distance, seeds = seeds_of_mask(
        mask, components, spacing, method, options, stack, allowed=None, **of_seeds
    )
    split = split_objects(seeds, mask, stack, distance, spacing, **params["split_objects"])
    merged = merge_objects(split, stack, distance, spacing, **params["merge_objects"])
    return smooth_outlines(merged, spacing, **params["smooth_outlines"])


def default_params(
    diameter_um: float, changed: Mapping[str, Any] | None = None
) -> dict[str, dict[str, Any]]:
    """Return the params of each stage for a diameter, with the default preset.

    `changed` has other values of settings, by key of the configuration.
    """
    given = nest(changed or {})
    if errors := settings.find_errors(given, SCHEMA, "settings"):
        raise SystemExit("\n".join(errors))
    return {
        stage: settings.stage_arguments(stage, block, diameter_um, SCHEMA)
        for stage, block in settings.fill_defaults(given, SCHEMA).items()
    }


def score(scene: Scene, image: np.ndarray, sheet: np.ndarray, *, remove: bool) -> tuple[float, int]:
    """Return F1, and the number of objects that are parts of the sheet."""
    params = default_params(scene.diameter_um)
    if not remove:
        steps = params["clean_mask"]["steps"]
        params["clean_mask"]["steps"] = [step for step in steps if step[0] != "remove_sheets"]
    labels = segment(image, scene.spacing, params)
    voxels = np.bincount(labels.ravel())[1:]
    in_sheet = np.bincount(labels.ravel(), sheet.ravel())[1:]
    f1 = compare(scene.ground_truth, labels, by_points=False).f1
    return f1, int(np.count_nonzero(in_sheet > voxels / 2))


def main() -> None:
    none = np.zeros(1, bool)
    print(
        "| stack | thickness | brightness | F1 without the step | parts of the sheet | F1 | parts |"
    )
    print("|---|--:|--:|--:|--:|--:|--:|")
    table = []
    for name, scene in list_scenes().items():
        blank = np.broadcast_to(none, scene.image.shape)
        pictures = [(0.0, 0.0, scene.image, blank)]
        for seed, (thickness, brightness) in enumerate(SHEETS, 1):
            pictures.append((thickness, brightness, *add_sheet(scene, thickness, brightness, seed)))
        for thickness, brightness, image, sheet in pictures:
            row = [
                *score(scene, image, sheet, remove=False),
                *score(scene, image, sheet, remove=True),
            ]
            table.append((thickness, brightness, *row))
            print(
                f"| {name} | {thickness} | {brightness} |"
                + "".join(f" {cell:.3g} |" for cell in row)
            )
    means = np.array([[row[2], row[4]] for row in table if row[0] > 0]).mean(axis=0)
    print(f"mean F1 with a sheet: {means[0]:.3f} without the step, {means[1]:.3f} with it")


if __name__ == "__main__":
    main()
