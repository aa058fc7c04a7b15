"""The stages from the membrane channel to cells, called one after another as functions."""

import numpy as np
import pytest
import yaml
from study import DIAMETER_UM, ROOT, simulated
from study import SPACING as COLONY_SPACING

from cellstack.cells.enhance_membrane import enhance_membrane
from cellstack.cells.find_cell_seeds import find_cell_seeds
from cellstack.cells.merge_cells import merge_cells
from cellstack.cells.segment_cells import segment_cells
from cellstack.config import settings, sheet
from cellstack.core.overlaps import count_overlaps, match_objects, pair_up
from cellstack.enhance.adjust_contrast import adjust_contrast

SPACING = (1.0, 0.5, 0.5)
WEIGHTS = {"wall_weight": 0.2, "distance_weight": 0.15}


STAGES = ("adjust_contrast", "enhance_membrane", "find_cell_seeds", "segment_cells", "merge_cells")


def segment(membrane, spacing, diameter_um, nuclei=None, changes=None):
    """Cells by all stages with default settings, except for `changes`."""
    schema = yaml.safe_load(
        (ROOT / "config" / "schemas" / "stages.schema.yaml").read_text(encoding="utf-8")
    )
    blocks = settings.merge(settings.fill_defaults({}, schema), changes or {})
    given = {
        stage: settings.stage_arguments(stage, blocks[stage], diameter_um, schema)
        for stage in STAGES
    }
    contrast = adjust_contrast(membrane, spacing, **given["adjust_contrast"])
    smooth, ridges, record = enhance_membrane(contrast, spacing, **given["enhance_membrane"])
    radii = [
        given["find_cell_seeds"].pop(f"background_radius_{name}")
        for name in ("um", "beside_nuclei_um")
    ]
    seeds, background = find_cell_seeds(
        smooth,
        ridges,
        spacing,
        record["noise"],
        certain_strength=record["certain_strength"],
        background_radius_um=radii[nuclei is not None],
        nuclei=nuclei,
        **given["find_cell_seeds"],
    )
    regions = segment_cells(
        seeds, background, smooth, ridges, nuclei, spacing, **given["segment_cells"]
    )
    count = 0 if nuclei is None else nuclei.max()
    return merge_cells(regions, ridges, smooth, spacing, count, **given["merge_cells"]).labels


def f1(ground_truth, cells):
    hits = len(match_objects(pair_up(count_overlaps(ground_truth, cells)), 0.5).iou)
    return 2 * hits / (cells.max() + len(np.unique(ground_truth[ground_truth > 0])))


@pytest.mark.parametrize(("with_nuclei", "floor"), [(True, 0.95), (False, 0.85)])
def test_cells_of_a_single_plane(with_nuclei, floor):
    colony = simulated((17, 160, 160), count=16)
    plane = slice(8, 9)
    nuclei = colony.nuclei_labels[plane] if with_nuclei else None
    diameter_um = sheet.CELLS_TO_NUCLEI * DIAMETER_UM
    cells = segment(colony.membrane_image[plane], COLONY_SPACING, diameter_um, nuclei)
    assert f1(colony.cell_labels[plane], cells) >= floor


def epithelium(spacing, noise):
    """A tube along y: one layer of cells around a narrow lumen, with apical walls next to it.

    The basal walls have 3 % of the brightness of the apical ones, and all walls become dimmer with
    depth, to 1/8 in the last plane.
    """
    shape = np.divide((36, 60, 72), spacing).round().astype(int)
    z, y, x = (
        (np.arange(size) + 0.5 - size / 2).reshape(axis) * step
        for size, step, axis in zip(
            shape, spacing, ((-1, 1, 1), (1, -1, 1), (1, 1, -1)), strict=True
        )
    )
    radius, angle = np.hypot(z, x), np.arctan2(z, x) + np.pi
    sector, place = np.divmod(angle, np.pi / 3)
    segment_, position = np.divmod(y + 30, 12)
    labels = np.where((radius > 1) & (radius < 13), 1 + sector % 6 + 6 * segment_, 0)
    to_side = radius * np.minimum(place, np.pi / 3 - place)
    to_end = np.minimum(position, 12 - position)
    distances_and_brightness = (
        (np.abs(radius - 1), 1.0),
        (np.abs(radius - 13), 0.03),
        (np.where(labels > 0, to_side, np.inf), 0.15),
        (np.where(labels > 0, to_end, np.inf), 0.15),
    )
    walls = np.max(
        np.broadcast_arrays(
            *(value * np.exp(-0.5 * distance**2) for distance, value in distances_and_brightness)
        ),
        axis=0,
    )
    dimmed = 0.02 + walls * 8 ** -((z - z.min()) / np.ptp(z))
    image = np.random.default_rng(0).poisson(dimmed / noise**2) * noise**2
    return image.astype(np.float32), labels.astype(np.uint16)


@pytest.mark.parametrize("spacing", [(1.5, 0.7, 0.8), (0.8, 1.2, 1.0)])
def test_cells_around_a_lumen_with_dim_basal_walls(spacing):
    image, ground_truth = epithelium(spacing, noise=0.01)
    without = {"enhance_membrane": {"square_root": False, "local_factor": None}}
    assert f1(ground_truth, segment(image, spacing, 12.5)) >= 0.94
    assert f1(ground_truth, segment(image, spacing, 12.5, changes=without)) < 0.9
