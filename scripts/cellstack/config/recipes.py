"""The unit of work that makes a file: a file that several runs of a sweep share is made once."""

import hashlib
import json
from collections.abc import Iterator
from functools import cache

from cellstack.config import sheet
from cellstack.config.block_plan import BlockPlan
from cellstack.config.lengths import AUTO, has_sizes
from cellstack.config.settings import Settings
from cellstack.config.sheet import CHANNEL_OF
from cellstack.config.study import Study
from cellstack.config.units import Unit

StageOfChannel = tuple[str, str]

EDGE_METHODS = ("edges", "blend")  # of split_objects: those that need detect_edges
NEEDS = {  # stages whose files a stage reads; :meth:`Recipes.needs` has the others
    "import_stack": (),
    "estimate_diameter": ("import_stack",),
    "correct_background": ("import_stack",),
    "denoise": ("adjust_contrast",),
    "detect_edges": ("denoise",),
    "binarize": ("import_stack", "adjust_contrast", "denoise"),
    "clean_mask": ("import_stack", "binarize"),
    "label_components": ("clean_mask",),
    "find_seeds": ("denoise", "clean_mask", "label_components"),
    "merge_objects": ("import_stack", "denoise", "find_seeds", "split_objects"),
    "smooth_outlines": ("import_stack", "merge_objects"),
    "enhance_membrane": ("adjust_contrast",),
    "find_cell_seeds": ("import_stack", "enhance_membrane"),
    "segment_cells": ("import_stack", "enhance_membrane", "find_cell_seeds"),
    "merge_cells": ("enhance_membrane", "segment_cells"),
    "run_segmenter": ("import_stack",),
}
WITH_NUCLEI = ("find_cell_seeds", "segment_cells", "merge_cells")
SEGMENTED_BY = {  # without another segmenter, see :meth:`Recipes.segmenter`
    "nuclei": ("smooth_outlines", "nuclei"),
    "cells": ("merge_cells", "membrane"),
}


class Recipes:
    """The settings that determine the files of each stage, for each unit of work.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: Study) -> None:
        self._study = study
        self._block_plan = BlockPlan(study)

    def needs(self, stage: str, stack: str, channel: str) -> list[StageOfChannel]:
        """Return the stages whose files a stage reads for a unit, each with its channel."""
        if stage == "evaluate_labels":
            return [self.segmenter(stack, kind) for kind in self._study.scored_objects(stack)]
        if stage == "correct_objects":
            return [self.segmenter(stack, sheet.OBJECT_OF[channel])]
        if stage == "derive_diameter":
            return [("estimate_diameter", "nuclei")]
        if stage == "adjust_contrast":
            stages = {"import_stack", self.contrast_stage(stack, channel)}
            before = [(name, channel) for name in sorted(stages)]
        elif stage == "split_objects":
            before = [(name, channel) for name in self._split_stages(stack)]
        else:
            before = [(name, channel) for name in NEEDS[stage]]
        if stage in WITH_NUCLEI and "nuclei" in self._study.rows(stack):
            is_corrected = self._study.corrections_of(stack, "nuclei")
            before.append(
                ("correct_objects", "nuclei") if is_corrected else self.segmenter(stack, "nuclei")
            )
        is_estimated = self._study.diameter(stack, channel) == AUTO
        has_size = stage == "run_segmenter" or has_sizes(
            self._study.arguments(stage, stack, channel)
        )
        if is_estimated and has_size:
            before.append((diameter_stage(channel), channel))
        return before

    def segmenter(self, stack: str, object: str) -> StageOfChannel:
        """Return the stage that segments a kind of object, with its channel."""
        if self._study.has_segmenter(stack, object):
            return "run_segmenter", sheet.CHANNEL_OF[object]
        return SEGMENTED_BY[object]

    def contrast_stage(self, stack: str, channel: str) -> str:
        """Return the stage whose image adjust_contrast reads."""
        steps = self._study.block("correct_background", stack, channel)["steps"]
        return "correct_background" if steps else "import_stack"

    def _split_stages(self, stack: str) -> list[str]:
        method = self._study.block("split_objects", stack, "nuclei")["method"]
        stages = ["adjust_contrast" if method == "undenoised_intensity" else "denoise"]
        stages += ["clean_mask", "find_seeds"]
        return [*stages, "detect_edges"] if method in EDGE_METHODS else stages

    @cache  # noqa: B019 (there is one instance per process)
    def recipe(self, stage: str, stack: str, channel: str) -> str:
        """Hash the settings that determine the files of a stage for a unit.

        Two units of the same stack with equal recipes have equal files.
        """
        arguments = {}
        if stage in self._study.schemas.stages["properties"]:
            arguments = self._study.arguments(stage, stack, channel)
        if stage == "run_segmenter":
            arguments = arguments | {"diameter_um": self._study.diameter(stack, channel)}
        if Unit.parse(stack).block:
            arguments = arguments | self._block_plan.geometry_of(stack)
        before = [self.recipe(name, stack, its) for name, its in self.needs(stage, stack, channel)]
        text = json.dumps([stage, channel, arguments, before], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    @cache  # noqa: B019
    def maker(self, stage: str, stack: str, channel: str) -> Unit:
        """Return the unit that makes the files of a stage for a unit.

        This is the first of the stack as configured and the runs of the sweep that has the same
        settings for the stage and all stages before it. For an alternative, it is the first of the
        stack as configured and the alternatives of the same stage.
        """
        unit = Unit.parse(stack)
        for earlier in self._before(unit):
            if unit.block not in {"", *self._block_plan.blocks(earlier.complete.path)}:
                continue
            same = self.recipe(stage, earlier.path, channel) == self.recipe(stage, stack, channel)
            if same:
                return earlier
        return unit

    def _before(self, unit: Unit) -> Iterator[Unit]:
        """Yield the units that can have made a file of a unit, in order."""
        if not unit.alternative:
            yield from (unit._replace(run=run) for run in range(unit.run))
            return
        yield unit._replace(alternative="")
        for earlier in self._units_of(unit.alternative.split("/")[0], unit.stack):
            if earlier == unit:
                return
            yield earlier

    def _units_of(self, stage: str, stack: str) -> list[Unit]:
        names = self._study.alternatives(stage, self._study.preset_name(stack))
        return [Unit(stack, alternative=f"{stage}/{name}") for name in names]

    def alternatives(self, stack: str) -> list[Unit]:
        """Return the units with other methods of the stages in `compare_labels`.

        Those that cannot change the nuclei are left out: settings of the stack itself or of an
        earlier alternative, and all of a block or if the labels are external.
        """
        if Unit.parse(stack).block or self._study.is_external(stack, "nuclei"):
            return []
        units = {self.recipe("smooth_outlines", stack, "nuclei"): Unit(stack)}
        for stage in self._study.config["compare_labels"]["stages"]:
            for unit in self._units_of(stage, stack):
                units.setdefault(self.recipe("smooth_outlines", unit.path, "nuclei"), unit)
        return list(units.values())[1:]

    def stages_of(self, stack: str, object: str) -> Settings:
        """Return the params of the stages that lead to the labels of a kind of object.

        Stages that are only needed for its diameter or for another kind of object are left out.
        Sizes that depend on the diameter are as in "0.05 d".
        """
        channel = CHANNEL_OF[object]
        found, waiting = {"select_objects"}, []
        if "labels" in self._study.rows(stack)[channel]:
            found.add("import_stack")
        else:
            waiting.append(self.segmenter(stack, object))
        while waiting:
            stage, its = waiting.pop()
            if its == channel and stage not in found and stage != diameter_stage(channel):
                found.add(stage)
                waiting += self.needs(stage, stack, channel)
        names = self._study.schemas.stages["properties"]
        relative = self._study.relative_arguments
        return {name: relative(name, stack, channel) for name in names if name in found}

    def groups_of_settings(self) -> list[Settings]:
        """Return the stacks that share the settings of all stages, for each kind of object.

        Stacks of different diameters can share them. The keys are those of
        :class:`cellstack.publish.write_methods.Group`.
        """
        groups: dict[str, Settings] = {}
        for kind in self._study.object_kinds:
            for stack in self._study.stacks_of(kind):
                rows = self._study.rows(stack)
                group = {
                    "object": kind,
                    "external": "labels" in rows[CHANNEL_OF[kind]],
                    "with_nuclei": "nuclei" in rows,
                    "stages": self.stages_of(stack, kind),
                }
                groups.setdefault(repr(group), group | {"stacks": []})["stacks"].append(stack)
        return list(groups.values())

    def path_of(self, stage: str, file: str, stack: str, channel: str) -> str:
        """Return the path of a file of a stage, in the folder of the unit that makes it."""
        return f"<results>/{self.maker(stage, stack, channel).path}/{file}"

    def segmentation(self, stack: str, object: str) -> str:
        """Return the path of the segmentation of a unit, corrected if it has corrections."""
        if self._study.corrections_of(stack, object):
            return f"<results>/{stack}/{object}/segmentation.tif"
        return self.uncorrected(stack, object)

    def uncorrected(self, stack: str, object: str) -> str:
        """Return the path of the segmentation of a unit before corrections."""
        stage, channel = self.segmenter(stack, object)
        maker = self.maker(stage, stack, channel)
        has_both = self._study.corrections_of(maker.path, object)
        name = "uncorrected" if has_both else "segmentation"
        return f"<results>/{maker.path}/{object}/{name}.tif"


def diameter_stage(channel: str) -> str:
    """Return the stage that makes the file of an estimated diameter."""
    return "derive_diameter" if channel == "membrane" else "estimate_diameter"
