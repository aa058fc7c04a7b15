"""The study: the sheet, the configuration and the presets, resolved for each unit of work.

A :class:`Study` has the kinds of object of each stack and the settings of each stage for it. It is
built by :func:`cellstack.config.read_study.read_study` when Snakemake reads the workflow, in the
main process and again in every job of a cluster, so nothing here imports NumPy or opens an image.
Paths of files are in :mod:`cellstack.config.inputs`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from cellstack.config import (
    blocks,
    settings,
    sheet,
    sweep_table,
    values,
)
from cellstack.config.corrections import ADD, Correction, Corrections
from cellstack.config.examples import Examples
from cellstack.config.gallery_panels import Alternative, list_alternatives
from cellstack.config.lengths import AUTO, DIAMETER, in_um
from cellstack.config.marks import Mark, Marks, Rows, place_errors
from cellstack.config.schemas import Schemas, Settings
from cellstack.config.units import Unit
from cellstack.errors import InputError
from cellstack.files import images, spreadsheets
from cellstack.files.image_sizes import ImageSize, ImageSizes

Row = Mapping[str, Any]

ESTIMATE_STAGES = {"denoise": "gaussian", "binarize": "per_object", "find_seeds": None}
MINUTES_FOR_FILES = 10  # of large stacks, beside the program that segments them
CLASSICAL = "classical"  # method of run_segmenter: the stages of cellstack
GROWTH_OPTIONS = ("level", "sigma_um", "background_radius_um", "max_radius_um")


@dataclass(frozen=True, eq=False)
class Study:
    """A sheet of stacks with its configuration.

    Methods are called with the wildcards of a job. `stack` is always the path of a unit, see
    :class:`cellstack.config.units.Unit`; `channel` names a channel, `object` a kind of object
    (nuclei or cells). Paths begin with Snakemake's path variables, such as ``<results>``.

    Attributes
    ----------
    config : dict
        The configuration with its defaults.
    stacks : dict of str to dict of str to dict
        Rows of the sheet in use, by stack and channel.
    excluded : frozenset of str
        Names of the stacks of the sheet that are not in use, since ``include`` is false.
    presets : dict of str to dict
        Settings of stages by name of the preset.
    sweep_runs : tuple of dict
        For each row of the sweep the values that it sets, by key.
    corrections : dict of str to dict of str to list of Correction
        Corrections by hand, by stack and kind of object.
    examples : dict of str to dict of str to list of Example
        Objects whose class is known, by kind of object and stack.
    marks : dict of str to list of Mark
        Marks in figures, by stack.
    rows_of_marks : dict of str to list of int
        Their rows in the table, by stack.
    schemas : Schemas
    simulated_images : dict of str to list of int
        Shape of each image that a rule simulates, by path.
    made_images : frozenset of str
        Paths of all images and ground truths that a rule simulates or downloads.
    sizes : ImageSizes
        Shapes and voxel sizes of the images.
    incomplete : dict of str to dict of str to str
        Stacks that are left out because they are not complete, with their status and flags.
    """

    config: Settings
    stacks: Mapping[str, Mapping[str, Row]]
    excluded: frozenset[str]
    presets: Settings
    sweep_runs: tuple[Settings, ...]
    corrections: Corrections
    examples: Examples
    marks: Marks
    rows_of_marks: Rows
    schemas: Schemas
    simulated_images: Mapping[str, list[int]]
    made_images: frozenset[str]
    sizes: ImageSizes
    incomplete: Mapping[str, Mapping[str, str]]

    def without(self, incomplete: Mapping[str, Mapping[str, str]]) -> "Study":
        """Return the study without the stacks that are not complete."""
        stacks = {name: rows for name, rows in self.stacks.items() if name not in incomplete}
        left_out = {name: rows for name, rows in self.stacks.items() if name in incomplete}
        if not stacks:
            raise InputError(
                "config.skip_incomplete_stacks: no stack is complete yet; run without it first"
            )
        return replace(self, stacks=stacks | left_out, incomplete=incomplete)

    @property
    def complete_stacks(self) -> list[str]:
        """Names of the stacks that are worked on, in the order of the sheet."""
        return [stack for stack in self.stacks if stack not in self.incomplete]

    @property
    def object_kinds(self) -> tuple[str, ...]:
        """Kinds of object to be found."""
        return tuple(self.config["objects"])

    def objects(self, stack: str) -> list[str]:
        """Return the kinds of object that are found in a stack."""
        unit = Unit.parse(stack)
        kinds = ("nuclei",) if unit.alternative else self.object_kinds
        return [kind for kind in kinds if sheet.CHANNEL_OF[kind] in self.stacks[unit.stack]]

    @cache  # noqa: B019
    def stacks_of(self, object: str) -> list[str]:
        """Return the stacks in which a kind of object is found."""
        return [stack for stack in self.complete_stacks if object in self.objects(stack)]

    def objects_with(self, column: str, stack: str) -> list[str]:
        """Return the kinds of object whose row has a cell in a column of the sheet."""
        rows = self.rows(stack)
        return [kind for kind in self.objects(stack) if column in rows[sheet.CHANNEL_OF[kind]]]

    def stacks_with(self, column: str, object: str | None = None) -> list[str]:
        """Return the stacks that have a cell in a column.

        Parameters
        ----------
        column : str
        object : str, optional
            The kind of object in whose row it is, whether or not that kind is to be found; by
            default any kind that is to be found.
        """
        if object is None:
            return [stack for stack in self.complete_stacks if self.objects_with(column, stack)]
        channel = sheet.CHANNEL_OF[object]
        return [
            stack for stack in self.complete_stacks if column in self.rows(stack).get(channel, {})
        ]

    def stacks_without(self, column: str, object: str) -> list[str]:
        """Return the stacks that have no cell in a column for a kind of object."""
        having = set(self.stacks_with(column, object))
        return [stack for stack in self.complete_stacks if stack not in having]

    def corrections_of(self, stack: str, object: str) -> list[Correction]:
        """Return the corrections of the objects of a stack, in order.

        There are none in the runs of a sweep and in alternatives, which compare segmentations.
        """
        unit = Unit.parse(stack)
        return (
            []
            if unit.run or unit.alternative
            else self.corrections.get(unit.stack, {}).get(object, [])
        )

    def corrected_stacks(self, object: str) -> list[str]:
        """Return the stacks with corrections of a kind of object."""
        return [stack for stack in self.stacks_of(object) if self.corrections_of(stack, object)]

    def marks_of(self, stack: str) -> list[Mark]:
        """Return the marks in the figures of a stack."""
        return self.marks.get(Unit.parse(stack).stack, [])

    def check_marks(self) -> None:
        """Look for marks outside their stacks, in images whose size is known.

        Raises
        ------
        InputError
            With one line for each error.
        """
        errors = []
        for stack, marks in self.marks.items():
            if stack not in self.stacks:  # it is not in use
                continue
            row = next(iter(self.stacks[stack].values()))
            if images.is_remote(row["image"]):
                continue
            size = self.image_size(row, with_spacing=True)
            if size is not None and size.spacing is not None:
                path, rows = self.config["figures"]["marks"], self.rows_of_marks[stack]
                errors += place_errors(path, marks, rows, size.shape, size.spacing)
        values.raise_errors(errors)

    def image_size(self, row: Row, *, with_spacing: bool = False) -> ImageSize | None:
        """Return shape and voxel size of the image of a row; None if it cannot be read.

        The voxel size of images that are too small to be cut into blocks is only found
        `with_spacing`.
        """
        image = row["image"]
        if image in self.simulated_images:
            name = image.split("/")[-2]
            spacing = self.config["simulate_stack"][name]["spacing"]
            return ImageSize(tuple(self.simulated_images[image]), tuple(spacing))
        is_forced = with_spacing or self.config["split_into_blocks"]["counts"] is not None
        smallest = self.max_voxels_of_block(has_cells="cells" in self.object_kinds)
        return self.sizes.find(row, 0 if is_forced else smallest)

    def max_voxels_of_block(self, *, has_cells: bool) -> int:
        """Return the number of voxels above which a stack is cut into blocks."""
        given = self.config["split_into_blocks"]["max_voxels"]
        if given != AUTO:
            return int(given)
        return blocks.AUTO_MAX_VOXELS_OF_CELLS if has_cells else blocks.AUTO_MAX_VOXELS

    def has_segmenter(self, stack: str, object: str) -> bool:
        """Return whether another program segments a kind of object of a stack."""
        row = self.rows(stack).get(sheet.CHANNEL_OF[object])
        if row is None or "labels" in row:
            return False
        block = self.block("run_segmenter", stack, sheet.CHANNEL_OF[object])
        return block["method"] != CLASSICAL and object in block["objects"]

    def units_with_segmenter(self, object: str) -> list[str]:
        """Return the units in which another program segments a kind of object."""
        return [
            Unit(stack, run).path
            for stack in self.stacks_of(object)
            for run in range(len(self.sweep_runs) + 1)
            if self.has_segmenter(Unit(stack, run).path, object)
        ]

    def segmenter_minutes(self, stack: str, channel: str) -> int:
        """Return the minutes that the job of another program may take, with reading and writing."""
        limit: int = self.argument("time_limit_minutes", "run_segmenter", stack, channel)
        return limit + MINUTES_FOR_FILES

    def is_external(self, stack: str, object: str) -> bool:
        """Return whether a kind of object is segmented by another program, now or earlier."""
        row = self.rows(stack).get(sheet.CHANNEL_OF[object], {})
        return "labels" in row or self.has_segmenter(stack, object)

    def adds_objects(self, stack: str, object: str) -> bool:
        """Return whether a correction adds an object that is not drawn."""
        return any(
            each["action"] == ADD and each["image"] is None
            for each in self.corrections_of(stack, object)
        )

    def growth_options(self, stack: str, object: str) -> Settings:
        """Return the sizes of added objects, and for nuclei the level of their outline."""
        if not self.adds_objects(stack, object):
            return {}
        channel = sheet.CHANNEL_OF[object]
        diameter_um = self.object_diameter(stack, channel)
        if object == "cells":
            return {"diameter_um": diameter_um}
        options = self.block("binarize", stack, channel)["per_object"]
        used = {key: in_um(options[key], self.diameter(stack, channel)) for key in GROWTH_OPTIONS}
        return {"diameter_um": diameter_um, **used}

    def of_each_object(self, pattern: str) -> list[str]:
        """Fill in `stack` and `object` for each kind of object of each stack."""
        return [
            pattern.format(stack=stack, object=kind)
            for stack in self.complete_stacks
            for kind in self.objects(stack)
        ]

    def of_each_stack(self, pattern: str) -> list[str]:
        """Fill in `stack` for each stack in which objects are found."""
        return [
            pattern.format(stack=stack) for stack in self.complete_stacks if self.objects(stack)
        ]

    def channels(self, stack: str) -> list[str]:
        """Return the channels of a stack, in the order of the sheet."""
        return list(self.rows(stack))

    def channels_by_stack(self) -> dict[str, list[str]]:
        """Return the channels of each stack."""
        return {stack: self.channels(stack) for stack in self.complete_stacks}

    @cache  # noqa: B019 (a study lives as long as its process)
    def rows(self, stack: str) -> Mapping[str, Row]:
        """Return the rows of the sheet for a unit, by channel."""
        unit = Unit.parse(stack)
        rows = self.stacks[unit.stack]
        if unit.block:
            return self.rows(unit.complete.path)
        if unit.alternative:
            own = f"{unit.alternative}/{rows['nuclei']['preset']}"
            return {**rows, "nuclei": {**rows["nuclei"], "preset": own}}
        if not unit.run:
            return rows
        tried = self.sweep_runs[unit.run - 1]
        changed = {}
        for channel, row in rows.items():
            changed[channel] = dict(row)
            preset = tried.get("preset", row["preset"])
            changed[channel]["preset"] = f"sweep/{unit.run}/{preset}"
            key = f"diameter_um.{sheet.OBJECT_OF.get(channel)}"
            if key in tried:
                changed[channel]["diameter_um"] = tried[key]
        return changed

    def cell(self, column: str, stack: str, channel: str) -> Any:
        """Return a cell of the sheet, or None where it is empty."""
        return self.rows(stack)[channel].get(column)

    @cache  # noqa: B019
    def preset(self, name: str) -> Settings:
        """Return the settings of a preset.

        It may be that of a run, ``sweep/RUN/NAME``, or of an alternative, ``STAGE/METHOD/NAME``.
        """
        if "/" not in name:
            preset: Settings = self.presets[name]
            return preset
        first, second, base = name.split("/")
        if first == "sweep":
            changes: Settings = sweep_table.nest(self.sweep_runs[int(second) - 1])
        else:
            changes = {first: self.alternatives(first, base)[second].changes}
        return settings.merge(self.presets[base], changes)

    @cache  # noqa: B019
    def alternatives(self, stage: str, preset: str) -> dict[str, Alternative]:
        """Return the settings of a stage that the gallery compares, for stacks of a preset.

        See :func:`cellstack.config.gallery_panels.list_alternatives`.
        """
        block = settings.merge(self.config[stage], self.presets[preset].get(stage, {}))
        return list_alternatives(
            stage, block, self.schemas.gallery, self.presets, self.schemas.stages
        )

    def preset_name(self, stack: str, channel: str = "nuclei") -> str:
        """Return the name of the preset of a channel."""
        name: str = self.rows(stack)[channel]["preset"]
        return name

    def block(self, stage: str, stack: str, channel: str) -> Settings:
        """Return the settings of a stage for a channel, as the configuration writes them."""
        preset = self.preset(self.preset_name(stack, channel))
        return settings.merge(self.config[stage], preset.get(stage, {}))

    @cache  # noqa: B019
    def arguments_of_preset(
        self, stage: str, preset: str, diameter_um: float | str | None
    ) -> Settings:
        """Return the params of a stage with the settings of a preset, for a diameter."""
        block = settings.merge(self.config[stage], self.preset(preset).get(stage, {}))
        return settings.stage_arguments(stage, block, diameter_um, self.schemas.stages)

    def arguments(self, stage: str, stack: str, channel: str) -> Settings:
        """Return the params of a stage for a channel; sizes are in um if the diameter is known."""
        preset = self.preset_name(stack, channel)
        found = self.arguments_of_preset(stage, preset, self.diameter(stack, channel))
        if stage == "find_seeds" and "path" in found["options"]:
            path = found["options"]["path"].replace("{stack}", Unit.parse(stack).stack)
            return found | {"options": found["options"] | {"path": path}}
        return found

    def relative_arguments(self, stage: str, stack: str, channel: str) -> Settings:
        """Return the params of a stage for a channel; sizes are as in "0.05 d"."""
        return self.arguments_of_preset(stage, self.preset_name(stack, channel), AUTO)

    def argument_names(self, stage: str) -> list[str]:
        """Return the names of the params of a stage."""
        return list(self.arguments_of_preset(stage, "default", 1.0))

    def argument(self, key: str, stage: str, stack: str, channel: str) -> Any:
        """Return one of the params of a stage, see :meth:`arguments`."""
        return self.arguments(stage, stack, channel)[key]

    def split_settings(self, stack: str) -> Settings:
        """Return the params of split_objects."""
        return self.arguments("split_objects", stack, "nuclei")

    def default_options(self) -> dict[str, Settings]:
        """Return the default options of the stages with which estimate_diameter finds objects.

        Lengths are those for an object of 1 um, that is, fractions of the diameter.
        """
        schema = self.schemas.stages
        options = {}
        for stage, method in ESTIMATE_STAGES.items():
            block = settings.fill_defaults({}, schema["properties"][stage], schema)
            if method is not None:
                block["method"] = method
            found = settings.stage_arguments(stage, block, 1.0, schema)
            smoothing = {key: value for key, value in found.items() if key == "smoothing_um"}
            options[stage] = smoothing | found["options"]
        return options

    def given_diameter(self, stack: str, channel: str) -> float | str | None:
        """Return the diameter that the sheet or the configuration gives: in um, "auto" or None."""
        given: float | str | None = self.rows(stack)[channel].get(
            "diameter_um", self.config["diameter_um"].get(sheet.OBJECT_OF.get(channel))
        )
        return given

    @cache  # noqa: B019
    def diameter(self, stack: str, channel: str) -> float | str | None:
        """Return the diameter in um that the stages use for a channel, "auto" or None.

        That of cells follows from that of their nuclei where none is given.
        """
        given = self.given_diameter(stack, channel)
        if given in (None, AUTO) and channel == "membrane" and "nuclei" in self.rows(stack):
            of_nuclei = self.given_diameter(stack, "nuclei")
            if not isinstance(of_nuclei, (int, float)):
                return AUTO
            return sheet.CELLS_TO_NUCLEI * of_nuclei
        return given

    def object_diameter(self, stack: str, channel: str = "nuclei") -> float | str | None:
        """Return the diameter in um, or "1 d" if it is estimated, which the job converts."""
        used = self.diameter(stack, channel)
        return DIAMETER if used == AUTO else used

    def fixed_diameter(self, stack: str, channel: str = "nuclei") -> float | None:
        """Return the diameter in um, given or derived from a given one; None if estimated."""
        used = self.diameter(stack, channel)
        return None if isinstance(used, str) else used

    def diameter_source(self, stack: str, channel: str) -> str | None:
        """Return the origin of the diameter; None if the file of the estimate records it."""
        if self.diameter(stack, channel) == AUTO:
            return None
        given = self.given_diameter(stack, channel)
        return "from nuclei" if given in (None, AUTO) else "given"

    def scored_objects(self, stack: str) -> list[str]:
        """Return the kinds of object of a stack that have a ground truth."""
        return self.objects_with("ground_truth", stack)

    def scored_by_points(self, stack: str) -> list[bool]:
        """Return for each of the :meth:`scored_objects` whether its ground truth is points."""
        return [
            spreadsheets.is_text_table(self.rows(stack)[sheet.CHANNEL_OF[kind]]["ground_truth"])
            for kind in self.scored_objects(stack)
        ]

    def nuclei_scored_by_points(self, stack: str) -> bool:
        """Return whether the ground truth of the nuclei is points; False without a ground truth."""
        by_points = zip(self.scored_objects(stack), self.scored_by_points(stack), strict=True)
        return dict(by_points).get("nuclei", False)

    def swept_stacks(self) -> list[str]:
        """Return the stacks on which a sweep is scored."""
        scored = self.stacks_with("ground_truth")
        return [stack for stack in scored if not self.objects_with("labels", stack)]

    def sweep_presets(self) -> list[Settings]:
        """Return the preset of each run; an empty one if its stacks have different presets."""
        of_sheet = {
            self.preset_name(stack, sheet.CHANNEL_OF[kind])
            for stack in self.swept_stacks()
            for kind in self.scored_objects(stack)
        }
        presets = []
        for tried in ({}, *self.sweep_runs):
            names = {tried["preset"]} if "preset" in tried else of_sheet
            presets.append(self.preset(next(iter(names))) if len(names) == 1 else {})
        return presets

    def swept_keys(self) -> list[str]:
        """Return the keys that the sweep sets."""
        return list(dict.fromkeys(key for tried in self.sweep_runs for key in tried))

    def note(self, stack: str) -> str:
        """Return the warning shown in the figures of a stack: that it is simulated, or nothing."""
        rows = self.rows(stack).values()
        simulated = any(row["image"] in self.simulated_images for row in rows)
        return "simulated data" if simulated else ""

    def note_of_all(self) -> str:
        """Return the warning shown in figures of all stacks, see :meth:`note`."""
        rows = [row for stack in self.complete_stacks for row in self.rows(stack).values()]
        simulated = all(row["image"] in self.simulated_images for row in rows)
        return "simulated data" if simulated else ""

    def name(self, stack: str) -> str:
        """Return the name of a stack in the sheet."""
        return Unit.parse(stack).stack

    @cache  # noqa: B019
    def groups(self, object: str) -> dict[str, str]:
        """Return the group of each stack, by the column of the sheet that group_by names."""
        own, column = self.user_columns(), self.config["group_by"]
        named = {stack: own[f"{stack}/{object}"].get(column) for stack in self.stacks_of(object)}
        return {stack: group for stack, group in named.items() if group is not None}

    @cache  # noqa: B019
    def user_columns(self) -> dict[str, dict[str, str]]:
        """Return the user's own columns of the sheet, by ``"stack/object"``.

        A cell that is empty in the row of one channel is taken from the row of the other.
        """
        known = self.schemas.sheet["properties"]
        own = {}
        for stack, rows in self.stacks.items():
            cells = {
                channel: {column: cell for column, cell in row.items() if column not in known}
                for channel, row in rows.items()
            }
            for kind in self.objects(stack):
                channel = sheet.CHANNEL_OF[kind]
                (other,) = (each for each in sheet.OBJECT_OF if each != channel)
                own[f"{stack}/{kind}"] = settings.merge(cells.get(other, {}), cells[channel])
        return own

    def user_column_names(self) -> list[str]:
        """Return the names of the user's own columns of the sheet."""
        return list(dict.fromkeys(name for cells in self.user_columns().values() for name in cells))

    @cache  # noqa: B019
    def all_channels(self) -> list[str]:
        """Return the channels of all stacks, in the order in which the sheet names them."""
        rows = (self.rows(stack) for stack in self.complete_stacks)
        return list(dict.fromkeys(channel for channels in rows for channel in channels))

    def has_nuclei(self, stack: str) -> bool:
        """Return whether nuclei are found in a stack."""
        return "nuclei" in self.objects(stack)

    @cache  # noqa: B019
    def kinds_found(self) -> list[str]:
        """Return the kinds of object that are found in any stack."""
        return [kind for kind in self.object_kinds if self.stacks_of(kind)]

    def ome_zarr_version(self) -> str:
        """Return the version of OME-Zarr that is written, 0.5 if the configuration has none."""
        return str(self.config["export"]["ome_zarr"] or "0.5")

    def simulated_stacks(self) -> list[str]:
        """Return the stacks that are simulated, at least in one channel."""
        return [stack for stack in self.complete_stacks if self.note(stack)]

    def scored_stacks(self) -> dict[str, bool]:
        """Return the stacks with a ground truth, and whether it consists only of points."""
        return {
            stack: all(self.scored_by_points(stack)) for stack in self.stacks_with("ground_truth")
        }
