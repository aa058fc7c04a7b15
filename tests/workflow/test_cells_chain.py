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


@pytest.mark.parametrize(("with_nuclei", "floor"), [(True, 0.95), (False, 0.85)])
def test_cells_of_a_single_plane(with_nuclei, floor):
    colony = simulated((17, 160, 160), count=16)
    plane = slice(8, 9)
    stages = yaml.safe_load(
        (ROOT / "config" / "schemas" / "stages.schema.yaml").read_text(encoding="utf-8")
    )
    given = {
        stage: settings.stage_arguments(stage, block, sheet.CELLS_TO_NUCLEI * DIAMETER_UM, stages)
        for stage, block in settings.fill_defaults({}, stages).items()
        if stage
        in (
            "adjust_contrast",
            "enhance_membrane",
            "find_cell_seeds",
            "segment_cells",
            "merge_cells",
        )
    }
    ground_truth = colony.cell_labels[plane]
    nuclei = colony.nuclei_labels[plane] if with_nuclei else None
    contrast = adjust_contrast(
        colony.membrane_image[plane], COLONY_SPACING, **given["adjust_contrast"]
    )
    smooth, ridges, record = enhance_membrane(contrast, COLONY_SPACING, **given["enhance_membrane"])
    radii = [
        given["find_cell_seeds"].pop(f"background_radius_{name}")
        for name in ("um", "beside_nuclei_um")
    ]
    seeds, background = find_cell_seeds(
        smooth,
        ridges,
        COLONY_SPACING,
        record["noise"],
        background_radius_um=radii[with_nuclei],
        nuclei=nuclei,
        **given["find_cell_seeds"],
    )
    regions = segment_cells(
        seeds, background, smooth, ridges, nuclei, COLONY_SPACING, **given["segment_cells"]
    )
    cells = merge_cells(
        regions,
        ridges,
        smooth,
        COLONY_SPACING,
        nuclei.max() if with_nuclei else 0,
        **given["merge_cells"],
    ).labels
    hits = len(match_objects(pair_up(count_overlaps(ground_truth, cells)), 0.5).iou)
    assert 2 * hits >= floor * (cells.max() + len(np.unique(ground_truth[ground_truth > 0])))
