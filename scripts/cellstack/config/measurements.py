"""Settings of measurements: neighbours, tissue, relations, spots, classes and groups.

Methods are called with the wildcards of a job, like those of :class:`cellstack.config.study.Study`.
"""

from functools import cache

from cellstack.config import classes, sheet
from cellstack.config.conditions import OTHER
from cellstack.config.examples import Example
from cellstack.config.measurement_errors import TISSUE
from cellstack.config.object_columns import (
    CHANNEL,
    NEIGHBORS,
    RELATIONS,
    SPOTS,
    column_names,
    pair_column_names,
)
from cellstack.config.schemas import Settings
from cellstack.config.study import Study
from cellstack.core.counting import counted
from cellstack.errors import InputError


class Measurements:
    """Settings of the measurements of a study.

    Parameters
    ----------
    study : Study
    """

    def __init__(self, study: Study) -> None:
        self._study = study

    def samples(self) -> dict[str, dict[str, str]]:
        """Return group, unit and pair of each stack that is compared, by ``"stack/object"``.

        Stacks without a group, and kinds of object with fewer than two groups, are left out.
        Without a column of units each stack is a unit; without one of pairs the pair is empty.
        """
        block, own = self._study.config["compare_groups"], self._study.user_columns()
        samples = {}
        for kind in self._study.kinds_found():
            groups = self._study.groups(kind)
            if len(set(groups.values())) < 2:
                continue
            for stack, group in groups.items():
                cells = own[f"{stack}/{kind}"]
                unit, pair = (cells.get(block[key]) for key in ("unit", "pair_by"))
                samples[f"{stack}/{kind}"] = {
                    "group": str(group),
                    "unit": stack if unit is None else str(unit),
                    "pair": "" if pair is None else str(pair),
                }
        return samples

    def compared_kinds(self) -> list[str]:
        """Return the kinds of object of which groups are compared."""
        return list(dict.fromkeys(key.rpartition("/")[2] for key in self.samples()))

    def compared_columns(self) -> list[str]:
        """Return the columns of the tables that are compared, with the names of channels."""
        named: dict[str, None] = {}
        for column in self._study.config["compare_groups"]["columns"]:
            channels = self._study.all_channels() if CHANNEL in column else [""]
            named |= dict.fromkeys(column.replace(CHANNEL, channel) for channel in channels)
        return list(named)

    def comparison(self) -> Settings:
        """Return how groups are compared, for the methods section; empty if they are not."""
        if not self.samples():
            return {}
        return {"group_by": self._study.config["group_by"], **self._study.config["compare_groups"]}

    def described(self) -> Settings:
        """Return what is measured beside the objects themselves, for the methods section."""
        stacks = self._study.complete_stacks
        tissue = {
            channel: self._study.argument(
                "method", "segment_tissue", stack, self.main_channel(stack)
            )
            for stack in stacks
            if (channel := self.tissue_channel(stack)) is not None
        }
        channels = {channel for stack in stacks for channel in self.spot_channels(stack)}
        classified = self.classified_kinds()
        fitted = [kind for kind in classified if kind in self._study.examples]
        return {
            "spots": {channel: self.spot_options(channel) for channel in sorted(channels)},
            "tissue": tissue,
            "regions": any(self.regions_channel(stack) for stack in stacks),
            "background": self._study.config["measure_relations"]["background"]
            if self.measures("background")
            else None,
            "classes": {kind: self.conditions(kind) for kind in classified if kind not in fitted},
            "thresholds": self._study.config["classify_objects"]["thresholds"],
            "classifiers": fitted,
        }

    @cache  # noqa: B019 (a study lives as long as its process)
    def column_groups(self) -> dict[str, list[str]]:
        """Return the groups of columns that are measured, each with its channels.

        :data:`cellstack.config.object_columns.GROUPS` has the columns of each group.
        """
        groups = dict.fromkeys(
            self._study.config["measure_objects"]["columns"], self._study.all_channels()
        )
        if any(self.regions_channel(stack) for stack in self._study.complete_stacks):
            groups["regions"] = []
        if any(self.tissue_channel(stack) for stack in self._study.complete_stacks):
            groups["tissue"] = []
        if "background" in groups and any(map(self.has_pairs, self._study.stacks_of("cells"))):
            groups["parts"] = self._study.all_channels()
        if spots := list(self._study.config["detect_spots"]["channels"]):
            groups[SPOTS] = spots
        if self.classified_kinds():
            groups["classes"] = []
        if any(kind in self._study.examples for kind in self.classified_kinds()):
            groups["class_probabilities"] = []
        return groups

    def main_channel(self, stack: str) -> str:
        """Return the channel of the first kind of object of a stack.

        Stages that work on the stack as a whole use the preset and the diameter of its row.
        """
        return sheet.CHANNEL_OF[self._study.objects(stack)[0]]

    def tissue_channel(self, stack: str) -> str | None:
        """Return the channel in which the tissue of a stack is segmented, if any."""
        if TISSUE in self._study.rows(stack):
            return TISSUE
        block = self._study.block("segment_tissue", stack, self.main_channel(stack))
        channel: str | None = block["channel"]
        return channel

    def regions_channel(self, stack: str) -> str | None:
        """Return the channel in whose row the sheet names the regions of a stack, if any."""
        rows = self._study.rows(stack).items()
        return next((channel for channel, row in rows if "regions" in row), None)

    def has_places(self, stack: str) -> bool:
        """Return whether objects of a stack are located in a tissue or in regions."""
        return bool(self.tissue_channel(stack) or self.regions_channel(stack))

    def downsampling(self, stack: str) -> list[int]:
        """Return the factors by which a stack is downsampled."""
        factors: list[int] = self._study.argument(
            "downsample", "import_stack", stack, self.main_channel(stack)
        )
        return factors

    def columns_by_kind(self) -> dict[str, list[str]]:
        """Return the columns of objects.csv that are measured, for each kind that is found."""
        names = column_names(
            self.column_groups(), self._study.config["measure_relations"]["shells"]
        )
        pairs = pair_column_names(self._study.all_channels())
        return {
            kind: names + (pairs if kind == "cells" else []) for kind in self._study.kinds_found()
        }

    def conditions(self, object: str) -> dict[str, str]:
        """Return the condition of each class of a kind of object."""
        conditions: dict[str, str] = self._study.config["classify_objects"][object]
        return conditions

    def examples_of(self, object: str) -> dict[str, list[Example]]:
        """Return the examples of a classifier of a kind of object, by stack."""
        found = self._study.examples.get(object, {})
        stacks = self._study.stacks_of(object)
        return {stack: examples for stack, examples in found.items() if stack in stacks}

    def classified_kinds(self) -> list[str]:
        """Return the kinds of object that have classes."""
        kinds = self._study.kinds_found()
        return [kind for kind in kinds if self.conditions(kind) or kind in self._study.examples]

    def classified_pattern(self) -> str:
        """Return the regular expression that matches the kinds of object that have classes."""
        return "|".join(self.classified_kinds()) or "(?!)"

    def classified_keys(self) -> list[str]:
        """Return stack and kind of the objects that have classes, as ``"stack/object"``."""
        kinds = self.classified_kinds()
        return [f"{stack}/{kind}" for kind in kinds for stack in self._study.stacks_of(kind)]

    def fits_classes(self, object: str) -> bool:
        """Return whether the classes of a kind of object depend on the objects of all stacks."""
        by_study = self._study.config["classify_objects"]["thresholds"] == classes.STUDY
        return object in self.classified_kinds() and (by_study or object in self._study.examples)

    def class_names(self, object: str) -> list[str]:
        """Return the names of the classes of a kind of object."""
        return self.classes_by_kind()[object]

    def classes_by_kind(self) -> dict[str, list[str]]:
        """Return the names of the classes of each kind of object that has some."""
        named = {}
        for kind in self.classified_kinds():
            examples = [each for found in self.examples_of(kind).values() for each in found]
            names = sorted({each["name"] for each in examples})
            named[kind] = names or [*self.conditions(kind), OTHER]
        return named

    def measures(self, group: str) -> bool:
        """Return whether the columns of a group are measured."""
        return group in self.column_groups()

    def has_pairs(self, stack: str) -> bool:
        """Return whether the cells of a stack are measured together with their nuclei."""
        return "cells" in self._study.objects(stack) and "nuclei" in self._study.rows(stack)

    def relation_groups(self, stack: str, object: str) -> list[str]:
        """Return the groups of columns that measure_relations measures."""
        groups = [group for group in RELATIONS if self.measures(group)]
        if "background" in groups and object == "cells" and self.has_pairs(stack):
            groups.append("parts")
        return groups

    def neighbor_groups(self) -> list[str]:
        """Return the groups of columns that measure_neighbors measures."""
        return [group for group in NEIGHBORS if self.measures(group)]

    def spot_channels(self, stack: str) -> list[str]:
        """Return the channels of a stack in which spots are detected."""
        declared = self._study.config["detect_spots"]["channels"]
        return [channel for channel in self._study.channels(stack) if channel in declared]

    def stacks_with_spots(self) -> list[str]:
        """Return the stacks in which spots are detected."""
        return [stack for stack in self._study.complete_stacks if self.spot_channels(stack)]

    def spot_options(self, channel: str) -> Settings:
        """Return the settings of the detection of spots in a channel."""
        options: Settings = self._study.config["detect_spots"]["channels"][channel]
        return options

    def spot_diameters(self, channel: str) -> list[float]:
        """Return the diameter of spots of a channel along z, y and x in um."""
        options = self.spot_options(channel)
        lateral = options["diameter_um"]
        return [options["diameter_z_um"] or lateral, lateral, lateral]

    def scored_spots(self) -> list[tuple[str, str]]:
        """Return the stacks and channels of spots with a ground truth."""
        return [
            (stack, channel)
            for stack in self._study.complete_stacks
            for channel in self.spot_channels(stack)
            if "ground_truth" in self._study.rows(stack)[channel]
        ]

    def simulated_spots(self, simulation: str) -> Settings:
        """Return the settings of the spots of a simulated stack."""
        options: Settings = self._study.config["simulate_spots"][simulation]
        return options


def check_classes(study: Study) -> None:
    """Look for errors in the conditions and the examples of classes.

    Raises
    ------
    InputError
        With one line for each error.
    """
    columns = Measurements(study).columns_by_kind()
    errors = classes.find_errors(study.config["classify_objects"], study.examples, columns)
    if errors:
        heading = f"{counted(len(errors), 'errors')} in the configuration or the sheet:"
        raise InputError("\n".join([heading, *errors]))
