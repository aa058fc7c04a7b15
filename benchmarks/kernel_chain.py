"""The simulated stack of kernels.py, and what the stages make of it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

REPO = Path(__file__).resolve().parent.parent
SHAPE, SPACING, DIAMETER_UM, COUNT = (60, 256, 256), (0.29, 0.26, 0.26), 10.0, 34


class Chain:
    """A simulated stack and what the stages of cellstack make of it, with default settings."""

    def __init__(self) -> None:
        import numpy as np
        import yaml

        from cellstack.config import settings
        from cellstack.core.distance import distance_map
        from cellstack.core.labels import find_boxes
        from cellstack.enhance.adjust_contrast import adjust_contrast
        from cellstack.enhance.denoise import denoise
        from cellstack.prepare.simulate_stack import simulate_stack
        from cellstack.segment.binarize import binarize, find_threshold
        from cellstack.segment.clean_mask import clean_mask
        from cellstack.segment.find_seeds import find_seeds
        from cellstack.segment.label_components import label_components
        from cellstack.segment.merge_objects import merge_objects
        from cellstack.segment.select_objects import select_objects
        from cellstack.segment.smooth_outlines import smooth_outlines
        from cellstack.segment.split_objects import split_objects

        schema_file = REPO / "config/schemas/stages.schema.yaml"
        self._schema = yaml.safe_load(schema_file.read_text(encoding="utf-8"))
        self._blocks = settings.fill_defaults({}, self._schema)
        self.raw = simulate_stack(
            SHAPE, SPACING, diameter_um=DIAMETER_UM, count=COUNT, seed=1
        ).nuclei_image
        self.contrast = adjust_contrast(self.raw, SPACING, **self.settings("adjust_contrast"))
        self.denoised = denoise(self.contrast, SPACING, **self.settings("denoise"))
        threshold = find_threshold(self.denoised, **self.settings("binarize"))
        self.mask = binarize(self.denoised, threshold, SPACING, self.contrast)
        self.mask_clean = clean_mask(self.mask, SPACING, **self.settings("clean_mask"))
        self.components = label_components(self.mask_clean, **self.settings("label_components"))
        for_seeds = self.settings("find_seeds")
        self.smoothing_um = for_seeds["smoothing_um"]
        self.for_seeds = {name: for_seeds[name] for name in ("method", "options")}
        self.distance = distance_map(self.mask_clean, SPACING, self.smoothing_um)
        self.seeds = find_seeds(
            self.distance, self.components, SPACING, **self.for_seeds, stack=self.denoised
        )
        self.watershed = split_objects(
            self.seeds,
            self.mask_clean,
            self.denoised,
            self.distance,
            SPACING,
            **self.settings("split_objects"),
        )
        self.merged = merge_objects(
            self.watershed,
            self.denoised,
            self.distance,
            SPACING,
            **self.settings("merge_objects"),
        )
        self.segmentation = smooth_outlines(
            self.merged, SPACING, **self.settings("smooth_outlines")
        )
        self.for_selection = self.settings("select_objects")
        for counting in ("counting_frame", "counting_guard_um"):
            del self.for_selection[counting]
        selected = select_objects(self.segmentation, SPACING, **self.for_selection)
        self.labels = selected[0]
        self.boxes = find_boxes(self.labels)
        self.masks = [self.labels[box] == label for label, box in self.boxes.items()]
        self.inside = self.mask_clean.view(bool)
        self.voxel_um3 = float(np.prod(SPACING))

    def settings(self, stage: str, **changes: Any) -> dict[str, Any]:
        """Return the arguments of a stage: its default settings with some changes."""
        from cellstack.config import settings

        block = self._blocks[stage] | changes
        return settings.stage_arguments(stage, block, DIAMETER_UM, self._schema)


def in_voxels(length_um: float) -> list[float]:
    """Return a length in voxels, along each axis."""
    return [length_um / step for step in SPACING]


def map_planes(
    function: Callable[..., "np.ndarray"], stack: "np.ndarray", **options: Any
) -> "np.ndarray":
    """Apply a function to each plane of a stack."""
    import numpy as np

    return np.stack([function(plane, **options) for plane in stack])
