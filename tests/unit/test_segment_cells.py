import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from study import DIAMETER_UM, ROOT, simulated
from study import SPACING as COLONY_SPACING

from cellstack import settings, sheet
from cellstack.adjust_contrast import adjust_contrast
from cellstack.enhance_membrane import enhance_membrane
from cellstack.find_cell_seeds import find_cell_seeds
from cellstack.merge_cells import merge_cells
from cellstack.overlaps import count_overlaps, match_objects, pair_up
from cellstack.segment_cells import segment_cells

SPACING = (1.0, 0.5, 0.5)
WEIGHTS = {"wall_weight": 0.2, "distance_weight": 0.15}


def box_of_two(wall=1.0):
    """Two rooms with a wall at column 15, and background at the right of column 25."""
    smooth = np.zeros((5, 20, 40), np.float32)
    smooth[:, :, 15] = wall
    smooth[:, :, 25] = 1
    seeds, background = np.zeros((5, 20, 40), np.uint16), np.zeros((5, 20, 40), np.uint8)
    seeds[2, 8:12, 5:8], seeds[2, 8:12, 18:20], background[:, :, 35:] = 1, 2, 1
    return seeds, background, smooth


@pytest.mark.parametrize("weights", [WEIGHTS, {"wall_weight": 0, "distance_weight": 0}, {"wall_weight": 1, "distance_weight": 0}])
def test_cells_end_at_their_walls(weights):
    seeds, background, smooth = box_of_two()
    found = segment_cells(seeds, background, smooth, 2 * smooth, seeds, SPACING, **weights)
    assert (found[:, :, :15] == 1).all()
    assert (found[:, :, 16:25] == 2).all()
    assert (found[:, :, 26:] == 0).all()


def test_where_a_wall_is_missing_the_middle_between_nuclei_divides():
    seeds, background, smooth = box_of_two(wall=0)
    seeds[:] = 0
    seeds[2, 10, 4], seeds[2, 10, 20] = 1, 2
    found = segment_cells(seeds, background, smooth, smooth, seeds, SPACING, **WEIGHTS)
    border = (found[2, 10, :25] == 1).sum()
    assert abs(border - 12.5) <= 1


def test_no_seeds_no_cells():
    empty = np.zeros((3, 4, 5), np.uint16)
    found = segment_cells(
        empty, np.ones((3, 4, 5), np.uint8), np.zeros((3, 4, 5), np.float32), np.zeros((3, 4, 5), np.float32), None, SPACING, **WEIGHTS
    )
    assert not found.any()


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_all_is_covered_and_seeds_are_kept(seed, with_background):
    rng = np.random.default_rng(seed)
    smooth = rng.random((4, 9, 8), np.float32)
    seeds = np.zeros(smooth.shape, np.uint16)
    seeds.ravel()[rng.choice(smooth.size, 4, replace=False)] = np.arange(1, 5)
    background = ((rng.random(smooth.shape) < 0.1) & (seeds == 0) & with_background).astype(np.uint8)
    found = segment_cells(seeds, background, smooth, smooth, None, SPACING, **WEIGHTS)
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found[seeds > 0], seeds[seeds > 0])
    assert not found[background > 0].any()
    assert (found > 0).all() == (not background.any())


@pytest.mark.parametrize(("with_nuclei", "floor"), [(True, 0.95), (False, 0.85)])
def test_the_cells_of_a_single_plane(with_nuclei, floor):
    colony = simulated((17, 160, 160), count=16)
    plane = slice(8, 9)
    stages = yaml.safe_load((ROOT / "config" / "schemas" / "stages.schema.yaml").read_text(encoding="utf-8"))
    given = {
        stage: settings.stage_arguments(stage, block, sheet.CELLS_TO_NUCLEI * DIAMETER_UM, stages)
        for stage, block in settings.fill_defaults({}, stages).items()
        if stage in ("adjust_contrast", "enhance_membrane", "find_cell_seeds", "segment_cells", "merge_cells")
    }
    truth = colony.cell_labels[plane]
    nuclei = colony.nuclei_labels[plane] if with_nuclei else None
    contrast = adjust_contrast(colony.membrane_image[plane], COLONY_SPACING, **given["adjust_contrast"])
    smooth, walls, record = enhance_membrane(contrast, COLONY_SPACING, **given["enhance_membrane"])
    radii = [given["find_cell_seeds"].pop(f"background_radius_{name}") for name in ("um", "beside_nuclei_um")]
    seeds, background = find_cell_seeds(
        smooth, walls, COLONY_SPACING, record["noise"], background_radius_um=radii[with_nuclei], nuclei=nuclei, **given["find_cell_seeds"]
    )
    compartments = segment_cells(seeds, background, smooth, walls, nuclei, COLONY_SPACING, **given["segment_cells"])
    cells = merge_cells(compartments, walls, smooth, COLONY_SPACING, nuclei.max() if with_nuclei else 0, **given["merge_cells"]).labels
    hits = len(match_objects(pair_up(count_overlaps(truth, cells)), 0.5).iou)
    assert 2 * hits >= floor * (cells.max() + len(np.unique(truth[truth > 0])))
