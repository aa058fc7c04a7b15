"""Division of the stacks of a study into blocks.

Methods are called with the wildcards of a job, like those of :class:`cellstack.config.study.Study`.
"""

import math
from collections.abc import Mapping
from functools import cache, partial

from cellstack.config import blocks, sheet
from cellstack.config.lengths import AUTO, in_um
from cellstack.config.study import Study
from cellstack.config.units import Unit
from cellstack.core.blocks import Block, choose_counts, place_blocks
from cellstack.errors import InputError
from cellstack.files import images


class BlockPlan:
    """The blocks of each stack of a study.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: Study) -> None:
        self._study = study

    def _kinds_to_cut(self, stack: str) -> list[str]:
        """Return the kinds of object that the stages of cellstack segment in a stack.

        Nuclei are segmented too if only cells are to be found.
        """
        rows = self._study.rows(stack)
        found = []
        for kind in ("nuclei", "cells") if self._study.objects(stack) else ():
            is_needed = kind in self._study.objects(stack) or kind == "nuclei"
            is_external = self._study.is_external(stack, kind)
            if sheet.CHANNEL_OF[kind] in rows and is_needed and not is_external:
                found.append(kind)
        return found

    @cache  # noqa: B019
    def blocks(self, stack: str) -> Mapping[str, Block]:
        """Return the blocks by name into which a stack is cut; none for a stack that is not cut.

        Raises
        ------
        InputError
            The configuration gives the size or number of blocks, and the stack cannot be cut.
        """
        wanted = self._study.config["split_into_blocks"]
        kinds = self._kinds_to_cut(stack)
        if not kinds:
            return {}
        channel = sheet.CHANNEL_OF[kinds[0]]
        row = self._study.rows(stack)[channel]
        if images.is_remote(row["image"]):
            return {}
        obstacles = self._obstacles(stack, kinds)
        is_auto = wanted["max_voxels"] == AUTO and wanted["counts"] is None
        if obstacles and is_auto:
            return {}
        size = self._study.image_size(row)
        if size is None or size.spacing is None:
            return {}
        factors = self._study.argument("downsample", "import_stack", stack, channel)
        shape = [length // factor for length, factor in zip(size.shape, factors, strict=True)]
        steps = [step * factor for step, factor in zip(size.spacing, factors, strict=True)]
        max_voxels = self._study.max_voxels_of_block(has_cells="cells" in kinds)
        if wanted["counts"] is None and math.prod(shape) <= max_voxels:
            return {}
        if obstacles:
            raise InputError(
                f"config.split_into_blocks: {self._study.name(stack)} cannot be cut into blocks: "
                f"{'; '.join(obstacles)}; or remove max_voxels and counts"
            )
        overlap = [math.ceil(self._overlap_um(stack, kinds) / step) for step in steps]
        counts = wanted["counts"]
        if counts is None:
            counts, largest = choose_counts(shape, overlap, max_voxels)
            if largest > max_voxels and is_auto:  # it is processed at once
                return {}
            if largest > max_voxels:
                raise InputError(
                    f"config.split_into_blocks.max_voxels: {max_voxels} is too small for a stack "
                    f"of {' x '.join(map(str, shape))} voxels, whose blocks must overlap by "
                    f"{' x '.join(map(str, overlap))} voxels; give at least {largest}"
                )
        return place_blocks(shape, counts, overlap)

    def _overlap_um(self, stack: str, kinds: list[str]) -> float:
        """Return the distance by which the blocks of a stack extend beyond their cores, in um."""
        given: float | None = self._study.config["split_into_blocks"]["overlap_um"]
        if given is not None:
            return given
        found = []
        for kind in kinds:
            channel = sheet.CHANNEL_OF[kind]
            diameter_um = self._largest_diameter(stack, channel) or 0.0
            preset = self._study.preset_name(stack, channel)
            arguments = partial(
                self._study.arguments_of_preset, preset=preset, diameter_um=diameter_um
            )
            if kind == "nuclei":
                options = self._study.block("binarize", stack, channel)["per_object"]
                radius_um = in_um(options["max_radius_um"], diameter_um)
                found.append(blocks.reach_um(arguments, radius_um))
            else:
                found.append(blocks.cell_reach_um(arguments, diameter_um))
        return max(found)

    def _largest_diameter(self, stack: str, channel: str) -> float | None:
        """Return the diameter of a channel in um, or the upper limit of an estimate, if any."""
        given = self._study.fixed_diameter(stack, channel)
        if given is not None:
            return given
        if "nuclei" not in self._study.rows(stack):
            return None
        limit: float | None = self._study.argument("max_um", "estimate_diameter", stack, "nuclei")
        if limit is None or channel == "nuclei":
            return limit
        return sheet.CELLS_TO_NUCLEI * limit

    def _obstacles(self, stack: str, kinds: list[str]) -> list[str]:
        """Return the reasons why a stack cannot be cut into blocks."""
        found = []
        has_overlap = self._study.config["split_into_blocks"]["overlap_um"] is not None
        for kind in kinds:
            channel = sheet.CHANNEL_OF[kind]
            is_estimated = self._study.diameter(stack, channel) == AUTO
            if is_estimated and not has_overlap and not self._largest_diameter(stack, channel):
                found.append(
                    f"the overlap depends on the diameter of its {kind}, which is estimated: set "
                    "estimate_diameter.max_um to the largest one that is possible"
                )
        if "nuclei" in kinds:
            arguments = partial(self._study.relative_arguments, stack=stack, channel="nuclei")
            found += blocks.find_obstacles(arguments)
        return found

    def block_of(self, stack: str) -> Block:
        """Return the block that a unit works on."""
        unit = Unit.parse(stack)
        return self.blocks(unit.complete.path)[unit.block]

    def geometry_of(self, stack: str) -> dict[str, list[list[int]]]:
        """Return the core and the extent of a block, as first voxel and the one after the last."""
        block = self.block_of(stack)
        return {name: [list(each) for each in getattr(block, name)] for name in ("core", "extent")}

    def geometry_of_unit(self, stack: str) -> dict[str, list[list[int]]] | None:
        """Return core and extent of a block, see :meth:`geometry_of`; None for a complete stack."""
        return self.geometry_of(stack) if Unit.parse(stack).block else None

    def geometries(self, stack: str) -> list[dict[str, list[list[int]]]]:
        """Return core and extent of each block of a stack, see :meth:`geometry_of`."""
        unit = Unit.parse(stack)
        paths = [unit._replace(block=name).path for name in self.blocks(stack)]
        return [self.geometry_of(path) for path in paths]

    def units_in_blocks(self, object: str, *, corrected: bool = False) -> list[str]:
        """Return the units of which a kind of object is segmented in blocks.

        Parameters
        ----------
        object : str
            Kind of object.
        corrected : bool
            Whether to return those whose objects have corrections, or the others; of cells, all are
            returned.
        """
        units = [
            Unit(stack, run).path
            for stack in self._study.complete_stacks
            for run in range(len(self._study.sweep_runs) + 1)
        ]
        return [
            unit
            for unit in units
            if self.is_in_blocks(unit, object)
            and (object == "cells" or bool(self._study.corrections_of(unit, object)) is corrected)
        ]

    def units_with_tiles(self) -> list[str]:
        """Return the units in blocks whose nuclei are equalized in tiles, see :meth:`has_tiles`."""
        return [
            unit
            for corrected in (False, True)
            for unit in self.units_in_blocks("nuclei", corrected=corrected)
            if self.has_tiles(unit, "nuclei")
        ]

    def has_tiles(self, stack: str, channel: str) -> bool:
        """Return whether the histograms of a channel are equalized in tiles, by `clahe`."""
        steps = self._study.argument("steps", "adjust_contrast", stack, channel)
        return any(method == "clahe" for method, _ in steps)

    def is_in_blocks(self, stack: str, object: str) -> bool:
        """Return whether a kind of object of a complete stack is segmented in blocks."""
        return bool(self.blocks(stack)) and object in self._kinds_to_cut(stack)
