"""Input files of the rules for stacks that are cut into blocks.

Methods are called with the wildcards of a job, see :mod:`cellstack.config.inputs`.
"""

from cellstack.config import sheet
from cellstack.config.block_plan import BlockPlan
from cellstack.config.inputs import Inputs
from cellstack.config.recipes import Recipes
from cellstack.config.study import Study
from cellstack.config.units import Unit


class BlockInputs:
    """Input files that a block takes from its complete stack, or a stack from its blocks.

    Parameters
    ----------
    study : Study
    recipes : Recipes
    inputs : Inputs
    """

    def __init__(self, study: Study, recipes: Recipes, inputs: Inputs) -> None:
        self._study = study
        self._block_plan = BlockPlan(study)
        self._recipes = recipes
        self._inputs = inputs

    def raw_of_complete(self, stack: str) -> list[str]:
        """Return the raw stacks of all channels of the stack of which a unit is a block."""
        return self._inputs.raw_stacks(Unit.parse(stack).complete.path)

    def cut_channel(self, stack: str, channel: str) -> list[str]:
        """Return the record and the raw stack of the channel of which a unit is a block."""
        return self._inputs.no_data(Unit.parse(stack).complete.path, channel)

    def measured_intensities(self, stack: str, channel: str) -> list[str]:
        """Return the measured intensities of the complete stack, for a block of it."""
        return self._of_complete("adjust_contrast", "intensities.json", stack, channel)

    def measured_tiles(self, stack: str, channel: str) -> list[str]:
        """Return the tiles of the complete stack, for a block of it, if its contrast needs them."""
        if not self._block_plan.has_tiles(stack, channel):
            return []
        return self._of_complete("adjust_contrast", "tiles.tif", stack, channel)

    def chosen_blobs(self, stack: str) -> list[str]:
        """Return the blobs that are chosen in the complete stack, for a block of it."""
        if self._binarize_method(stack) != "per_object":
            return []
        return self._of_complete("binarize", "chosen.json", stack, "nuclei")

    def chosen_of_stack(self, stack: str) -> list[str]:
        """Return the blobs that are chosen in a stack that is cut into blocks, if some are."""
        if self._binarize_method(stack) != "per_object":
            return []
        return [self._recipes.path_of("binarize", "nuclei/chosen.json", stack, "nuclei")]

    def measured_threshold(self, stack: str) -> list[str]:
        """Return the threshold of the complete stack, for a block of it, if there is only one."""
        if self._binarize_method(stack) in ("per_object", "hysteresis"):
            return []
        return self._of_complete("binarize", "measured_threshold.json", stack, "nuclei")

    def connected_mask(self, stack: str) -> list[str]:
        """Return the mask of the complete stack, for a block of it that hysteresis thresholds."""
        if self._binarize_method(stack) != "hysteresis":
            return []
        return self._of_complete("binarize", "connected.tif", stack, "nuclei")

    def denoised_of_blocks(self, stack: str) -> list[str]:
        """Return the denoised nuclei of each block of a stack."""
        unit = Unit.parse(stack)
        paths = [unit._replace(block=block).path for block in self._block_plan.blocks(stack)]
        file = "channels/nuclei/denoised.tif"
        return [self._recipes.path_of("denoise", file, path, "nuclei") for path in paths]

    def _binarize_method(self, stack: str) -> str:
        """Return the method by which the nuclei of a stack are thresholded."""
        return str(self._study.block("binarize", stack, "nuclei")["method"])

    def allowed_planes(self, stack: str) -> list[str]:
        """Return the planes of the complete stack with seeds, for a block, if they are limited."""
        if self._study.argument("planes", "find_seeds", stack, "nuclei") == "all":
            return []
        return self._of_complete("find_seeds", "allowed_planes.json", stack, "nuclei")

    def typical_objects(self, stack: str) -> list[str]:
        """Return the typical values of the objects of the complete stack, for a block of it."""
        return self._of_complete("split_objects", "typical.json", stack, "nuclei")

    def _of_complete(self, stage: str, name: str, stack: str, channel: str) -> list[str]:
        """Return the file of a channel, or of nuclei, of the stack of which a unit is a block."""
        unit = Unit.parse(stack)
        if not unit.block:
            return []
        folder = f"channels/{channel}" if stage == "adjust_contrast" else "nuclei"
        return [self._recipes.path_of(stage, f"{folder}/{name}", unit.complete.path, channel)]

    def of_blocks(self, stack: str, stage: str, name: str, object: str = "nuclei") -> list[str]:
        """Return a file of the objects of each block of a stack, which a stage makes."""
        unit, channel = Unit.parse(stack), sheet.CHANNEL_OF[object]
        paths = [unit._replace(block=block).path for block in self._block_plan.blocks(stack)]
        return [self._recipes.path_of(stage, f"{object}/{name}", path, channel) for path in paths]

    def cells_of_complete(self, stack: str, stage: str, name: str) -> str:
        """Return a file of the cells of a stack, or of the stack of which a unit is a block."""
        complete = Unit.parse(stack).complete.path
        return self._recipes.path_of(stage, f"cells/{name}", complete, "membrane")

    def cell_scales(self, stack: str) -> list[str]:
        """Return the measurements of the membrane of the complete stack, for a block of it."""
        unit = Unit.parse(stack)
        if not unit.block:
            return []
        return [self.cells_of_complete(unit.path, "find_cell_seeds", "scales.json")]

    def no_data_of_membrane(self, stack: str) -> list[str]:
        """Return the files that say where the membrane of the complete stack has no data."""
        return self._inputs.no_data(Unit.parse(stack).complete.path, "membrane")
