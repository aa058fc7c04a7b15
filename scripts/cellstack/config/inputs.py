"""Input files of the rules, for each unit of work.

Methods are called with the wildcards of a job. `stack` is the path of a unit, see
:class:`cellstack.config.units.Unit`; `channel` names a channel, `object` a kind of object (nuclei
or cells). Paths begin with Snakemake's path variables, such as ``<results>``.
"""

import os
from collections.abc import Sequence
from typing import Any

from cellstack.config import sheet
from cellstack.config.lengths import AUTO, has_sizes
from cellstack.config.measurements import Measurements
from cellstack.config.paging import COLUMNS_PER_PAGE, STACKS_PER_PAGE
from cellstack.config.recipes import EDGE_METHODS, Recipes, diameter_stage
from cellstack.config.study import Study
from cellstack.config.units import Unit
from cellstack.errors import InputError
from cellstack.files import fingerprints, images

PATH_COLUMNS = ("image", "ground_truth", "labels", "regions")  # of the sheet


class Inputs:
    """Input files of the rules.

    Parameters
    ----------
    study : Study
    recipes : Recipes
    results : str
        Folder of the results.
    """

    def __init__(self, study: Study, recipes: Recipes, results: str = "results") -> None:
        self._study = study
        self._recipes = recipes
        self._measurements = Measurements(study)
        self._results = results

    def diameter_file(self, stack: str, channel: str = "nuclei") -> list[str]:
        """Return the file of the diameter of a channel, where it is estimated."""
        if self._study.diameter(stack, channel) != AUTO:
            return []
        file = f"{sheet.OBJECT_OF[channel]}/diameter.json"
        complete = Unit.parse(stack).complete.path
        return [self._recipes.path_of(diameter_stage(channel), file, complete, channel)]

    def diameter_for(self, stage: str, stack: str, channel: str) -> list[str]:
        """Return the file of an estimated diameter, where a setting of a stage depends on it."""
        if self._study.diameter(stack, channel) != AUTO:
            return []
        needed = has_sizes(self._study.arguments(stage, stack, channel))
        return self.diameter_file(stack, channel) if needed else []

    def diameter_estimate(self, stack: str, object: str) -> list[str]:
        """Return the file of the estimated diameter of nuclei, unless their labels are external.

        A given diameter is compared with it.
        """
        if object != "nuclei" or "labels" in self._study.rows(stack)["nuclei"]:
            return []
        return [f"<results>/{stack}/nuclei/diameter.json"]

    def diameter_figures(self) -> list[str]:
        """Return the figures of estimated diameters."""
        return [
            f"<results>/{stack}/figures/nuclei_diameter.png"
            for stack in self._study.complete_stacks
            if "nuclei" in self._study.rows(stack) and self._study.diameter(stack, "nuclei") == AUTO
        ]

    def _files(self, column: str, stack: str, channel: str) -> list[str]:
        cell = self._study.rows(stack)[channel][column]
        return [] if images.is_remote(cell) else images.find_images(cell) or [cell]

    def remote_image(self, stack: str, channel: str) -> str | None:
        """Return the address of the image of a channel; None if it is a file.

        A change of a remote image is not detected, because it is not read when Snakemake parses
        the workflow.
        """
        cell: str = self._study.rows(stack)[channel]["image"]
        return cell if images.is_remote(cell) else None

    def made_files(self, column: str, stack: str, channel: str) -> list[str]:
        """Return the files named in a column of the sheet that a rule simulates or downloads."""
        return [
            file for file in self._files(column, stack, channel) if file in self._study.made_images
        ]

    def external_files(self, column: str, stack: str, channel: str) -> list[str] | None:
        """Return the files named in a column of the sheet that no rule makes; None if one does.

        They are params and not inputs: Snakemake rejects an output that is older than its inputs,
        as any output is if the time of an input lies in the future. Changes of these files are
        detected by :meth:`stamp`.
        """
        made = self.made_files(column, stack, channel)
        return None if made else self._files(column, stack, channel)

    def stamp(self, column: str, stack: str, channel: str) -> str | None:
        """Return the hash of sizes and times of external files; a change re-runs their import."""
        files = self.external_files(column, stack, channel)
        output = self._imported(column, stack, channel)
        return None if files is None else fingerprints.known_stamp(files, output)

    def _imported(self, column: str, stack: str, channel: str) -> str:
        """Return the path of the file that is made from a path in the sheet."""
        kind = sheet.OBJECT_OF.get(channel, "")
        is_corrected = self._study.corrections_of(stack, kind)
        made = {
            "image": f"channels/{channel}/raw.tif",
            "labels": f"{kind}/{'uncorrected' if is_corrected else 'segmentation'}.tif",
            "ground_truth": f"{kind}/ground_truth.tif",
            "regions": "tissue/regions.tif",
        }
        if column == "ground_truth" and channel in self._measurements.spot_channels(stack):
            made[column] = f"spots/{channel}_scores.json"
        return f"{self._results}/{Unit.parse(stack).stack}/{made[column]}"

    def raw_of_object(self, stack: str, object: str) -> str:
        """Return the raw stack of the channel that shows a kind of object."""
        return f"<results>/{stack}/channels/{sheet.CHANNEL_OF[object]}/raw.tif"

    def raw_stacks(self, stack: str) -> list[str]:
        """Return the raw stacks of all channels."""
        return [
            f"<results>/{stack}/channels/{channel}/raw.tif" for channel in self._study.rows(stack)
        ]

    def raw_of_complete(self, stack: str) -> list[str]:
        """Return the raw stacks of all channels of the stack of which a unit is a block."""
        return self.raw_stacks(Unit.parse(stack).complete.path)

    def first_segmentation(self, stack: str) -> str:
        """Return the segmentation of the first kind of object of a stack."""
        return f"<results>/{stack}/{self._study.objects(stack)[0]}/segmentation.tif"

    def import_records(self, stack: str) -> list[str]:
        """Return the records of the import of all channels."""
        return [
            f"<results>/{stack}/channels/{channel}/import.json"
            for channel in self._study.rows(stack)
        ]

    def no_data(self, stack: str, channel: str) -> list[str]:
        """Return the files that :func:`cellstack.files.no_data.read_no_data` reads.

        There are none if the stack lacks the channel, as with external labels of cells.
        """
        if channel not in self._study.rows(stack):
            return []
        return [
            self._recipes.path_of("import_stack", f"channels/{channel}/{name}", stack, channel)
            for name in ("import.json", "raw.tif")
        ]

    def all_channels(self, name: str, stacks: Sequence[str] | None = None) -> list[str]:
        """Return a file of each channel of all stacks, or some, see :meth:`all_images`."""
        return [
            f"<results>/{stack}/channels/{channel}/{name}"
            for stack in (self._study.complete_stacks if stacks is None else stacks)
            for channel in self._study.rows(stack)
        ]

    def all_images(self, stacks: Sequence[str] | None = None) -> list[dict[str, str]]:
        """Return stack, channel and image of each row of the sheet, in the order of the stacks.

        Parameters
        ----------
        stacks : list of str, optional
            By default all that are complete.
        """
        return [
            {"stack": stack, "channel": channel, "image": row["image"]}
            for stack in (self._study.complete_stacks if stacks is None else stacks)
            for channel, row in self._study.rows(stack).items()
        ]

    def images_of(self, stack: str) -> list[dict[str, str]]:
        """Return the images of a stack, see :meth:`all_images`."""
        return self.all_images([stack])

    def results(self) -> str:
        """Return the folder of the results."""
        return self._results

    def archived_results(self, target: Sequence[str]) -> list[str]:
        """Return the results for an archive: those of the default target, and others."""
        files = [*target, *self.all_channels("import.json"), *self.scores()]
        files += ["<results>/stack_scores.csv"] if self.scores() else []
        for name in ("labels.ome.tif", "segmentation.tif", "selection.csv", "objects.csv"):
            files += self._study.of_each_object(f"<results>/{{stack}}/{{object}}/{name}")
        # the tables of all stacks are collected from these, without which no stack is complete
        files += self._study.of_each_stack("<results>/{stack}/quality.json")
        for name in ("summary.csv", "statistics.csv", "pictures.json"):
            files += self._study.of_each_object(f"<results>/{{stack}}/{{object}}/{name}")
        if self.neighbor_tables():
            files += self._study.of_each_object("<results>/{stack}/{object}/neighbors.csv")
        files += [*self.class_distances(), *self.spot_tables(), *self.spot_scores()]
        for table in self.region_tables():
            files += [table, table.replace("regions.csv", "tissue.csv")]
        for stack in self._study.complete_stacks:
            files += [*self.tissue_mask(stack), *self.region_labels(stack)]
        return files

    def files_of_sheet(self) -> list[dict[str, Any]]:
        """Return the paths that the sheet names, their files, and what is imported from them."""
        found = []
        for stack in self._study.complete_stacks:
            for channel, row in self._study.rows(stack).items():
                for column in PATH_COLUMNS:
                    if column in row:
                        found.append(
                            {"stack": stack, "channel": channel, "column": column}
                            | {"path": row[column]}
                            | {"files": self._files(column, stack, channel)}
                            | {"imported": self._imported(column, stack, channel)}
                        )
        return found

    def files_of_configuration(self) -> list[str]:
        """Return the tables besides the sheet that the configuration names."""
        sweep = [self._study.config["sweep"]] if "sweep" in self._study.config else []
        seeds = [
            path for stack in self._study.stacks_of("nuclei") for path in self.seed_points(stack)
        ]
        examples = self._study.config["classify_objects"]["examples"]
        marks = self._study.config["figures"]["marks"]
        named = [path for path in (examples, marks) if path is not None]
        return list(dict.fromkeys([*sweep, *seeds, *named]))

    def import_record(self, stack: str, channel: str) -> list[str]:
        """Return the record of the import of a channel, if the stack has it."""
        return self.no_data(stack, channel)[:1]

    def mask_records(self, stack: str, object: str) -> list[str]:
        """Return the records of the mask of the nuclei, unless their labels are external."""
        if object == "cells":  # those in blocks have a record of what blocks disagreed on
            in_blocks = self._study.is_in_blocks(stack, "cells")
            return [self.cells_of_complete(stack, "segment_cells", "joined.json")] * in_blocks
        if self._study.is_external(stack, "nuclei"):
            return []
        return [
            self._recipes.path_of("binarize", "nuclei/threshold.json", stack, "nuclei"),
            self._recipes.path_of("clean_mask", "nuclei/mask_clean.json", stack, "nuclei"),
        ]

    def contrast_image(self, stack: str, channel: str) -> str:
        """Return the image whose contrast is adjusted: the raw stack, or the corrected one."""
        stage = self._recipes.contrast_stage(stack, channel)
        name = "corrected" if stage == "correct_background" else "raw"
        return self._recipes.path_of(stage, f"channels/{channel}/{name}.tif", stack, channel)

    def cut_channel(self, stack: str, channel: str) -> list[str]:
        """Return the record and the raw stack of the channel of which a unit is a block."""
        return self.no_data(Unit.parse(stack).complete.path, channel)

    def measured_intensities(self, stack: str, channel: str) -> list[str]:
        """Return what is measured in the intensities of the complete stack, for a block of it."""
        return self._of_complete("adjust_contrast", "intensities.json", stack, channel)

    def measured_tiles(self, stack: str, channel: str) -> list[str]:
        """Return the tiles of the complete stack, for a block of it, if its contrast needs them."""
        if not self._study.has_tiles(stack, channel):
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
        paths = [unit._replace(block=block).path for block in self._study.blocks(stack)]
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
        """Return what is typical of the objects of the complete stack, for a block of it."""
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
        paths = [unit._replace(block=block).path for block in self._study.blocks(stack)]
        return [self._recipes.path_of(stage, f"{object}/{name}", path, channel) for path in paths]

    def cells_of_complete(self, stack: str, stage: str, name: str) -> str:
        """Return a file of the cells of a stack, or of the stack of which a unit is a block."""
        complete = Unit.parse(stack).complete.path
        return self._recipes.path_of(stage, f"cells/{name}", complete, "membrane")

    def cell_scales(self, stack: str) -> list[str]:
        """Return what is measured in the membrane of the complete stack, for a block of it."""
        unit = Unit.parse(stack)
        if not unit.block:
            return []
        return [self.cells_of_complete(unit.path, "find_cell_seeds", "scales.json")]

    def no_data_of_membrane(self, stack: str) -> list[str]:
        """Return the files that say where the membrane of the complete stack has no data."""
        return self.no_data(Unit.parse(stack).complete.path, "membrane")

    def corrected_image(self, stack: str) -> list[str]:
        """Return the nuclei after background correction, if the background is corrected."""
        stage = self._recipes.contrast_stage(stack, "nuclei")
        done = stage == "correct_background"
        return [self.contrast_image(stack, "nuclei")] if done else []

    def binarize_contrast(self, stack: str) -> list[str]:
        """Return the image before denoising, where binarize estimates its noise.

        Blocks have the noise of the complete stack.
        """
        if self._binarize_method(stack) != "per_object" or Unit.parse(stack).block:
            return []
        return [
            self._recipes.path_of(
                "adjust_contrast", "channels/nuclei/contrast.tif", stack, "nuclei"
            )
        ]

    def split_image(self, stack: str) -> str:
        """Return the intensities that split_objects uses."""
        method = self._study.block("split_objects", stack, "nuclei")["method"]
        if method == "undenoised_intensity":
            return self._recipes.path_of(
                "adjust_contrast", "channels/nuclei/contrast.tif", stack, "nuclei"
            )
        return self._recipes.path_of("denoise", "channels/nuclei/denoised.tif", stack, "nuclei")

    def split_edges(self, stack: str) -> list[str]:
        """Return the edges that split_objects uses, if its method does."""
        if self._study.block("split_objects", stack, "nuclei")["method"] not in EDGE_METHODS:
            return []
        return [self._recipes.path_of("detect_edges", "channels/nuclei/edges.tif", stack, "nuclei")]

    def seed_points(self, stack: str) -> list[str]:
        """Return the file of seed points set by hand, where it is used and exists.

        If it is missing, the job reports this. It is a param and not an input, see
        :meth:`external_files`.
        """
        block = self._study.block("find_seeds", stack, "nuclei")
        if block["method"] != "points":
            return []
        path = block["points"]["path"].replace("{stack}", Unit.parse(stack).stack)
        return [path] if os.path.isfile(path) else []  # noqa: PTH113 (the path may be too long)

    def seed_points_stamp(self, stack: str) -> str | None:
        """Return the hash of the file of seed points; a change re-runs the jobs that read it."""
        return fingerprints.content_of(self.seed_points(stack))

    def segmented_nuclei(self, stack: str) -> list[str]:
        """Return the segmentation of the nuclei of the complete stack, if it has some.

        The table of their corrections follows if there are some. Snakemake detects changed params
        of a job only if all of its outputs exist, so jobs that need corrected objects request it.
        """
        if "nuclei" not in self._study.rows(stack):
            return []
        complete = Unit.parse(stack).complete.path
        return [
            self._recipes.segmentation(complete, "nuclei"),
            *self.correction_record(complete, "nuclei"),
        ]

    def seeds_of_object(self, stack: str, object: str) -> list[str]:
        """Return the seeds of the nuclei, unless their labels are external."""
        if object != "nuclei" or self._study.is_external(stack, "nuclei"):
            return []
        return [f"<results>/{stack}/nuclei/seeds.tif"]

    def nuclei_within_cells(self, stack: str, object: str) -> list[str]:
        """Return the raw nuclei, for a job on the cells of a stack that has nuclei."""
        has_nuclei = object == "cells" and "nuclei" in self._study.rows(stack)
        return [f"<results>/{stack}/channels/nuclei/raw.tif"] if has_nuclei else []

    def tables_of_object_kind(self, stack: str, object: str) -> list[str]:
        """Return the tables whose columns are added to the measured objects of a stack."""
        folder = f"<results>/{stack}/{object}"
        tables = self.pairs_of_cells(stack, object)
        if self._measurements.neighbor_groups():
            tables.append(f"{folder}/neighborhood.csv")
        if self._measurements.relation_groups(stack, object):
            tables.append(f"{folder}/relations.csv")
        if self._measurements.spot_channels(stack):
            tables.append(f"{folder}/spots.csv")
        if self._measurements.has_places(stack):
            tables.append(f"{folder}/tissue.csv")
        return tables

    def fitted_classes(self, object: str) -> list[str]:
        """Return the file of what classes need to know about all stacks, where they need it."""
        return (
            [f"<results>/{object}_classes.json"] if self._measurements.fits_classes(object) else []
        )

    def all_fitted_classes(self) -> list[str]:
        """Return the files :meth:`fitted_classes` of all kinds of object."""
        kinds = self._measurements.classified_kinds()
        return [path for kind in kinds for path in self.fitted_classes(kind)]

    def measured_tables(self, object: str) -> list[str]:
        """Return the tables of one kind of object of all stacks, without its classes."""
        stacks = self._study.stacks_of(object)
        return [f"<results>/{stack}/{object}/measured.csv" for stack in stacks]

    def example_segmentations(self, object: str) -> list[str]:
        """Return the segmentation of each stack that has examples of a classifier."""
        stacks = self._measurements.examples_of(object)
        return [f"<results>/{stack}/{object}/segmentation.tif" for stack in stacks]

    def classified_tables(self) -> list[str]:
        """Return the tables of objects that have classes."""
        return [
            path
            for kind in self._measurements.classified_kinds()
            for path in self.tables_of_object(kind)
        ]

    def class_tables(self) -> list[str]:
        """Return the tables of classes and of distances between them, if objects have some."""
        if not self._measurements.classified_kinds():
            return []
        return ["<results>/classes.csv", "<results>/class_distances.csv"]

    def pairs_of_cells(self, stack: str, object: str) -> list[str]:
        """Return the table of cells and their nuclei, for the cells of a stack that has nuclei."""
        has_pairs = object == "cells" and self._measurements.has_pairs(stack)
        return [f"<results>/{stack}/cells/pairs.csv"] if has_pairs else []

    def tissue_image(self, stack: str) -> str:
        """Return the raw stack in which the tissue is segmented."""
        return f"<results>/{stack}/channels/{self._measurements.tissue_channel(stack)}/raw.tif"

    def no_data_of_tissue(self, stack: str) -> list[str]:
        """Return the files that say where the channel of the tissue has no data."""
        return self.no_data(stack, str(self._measurements.tissue_channel(stack)))

    def main_image(self, stack: str) -> str:
        """Return the raw stack of the first kind of object."""
        return f"<results>/{stack}/channels/{self._measurements.main_channel(stack)}/raw.tif"

    def image_below_tissue(self, stack: str) -> str:
        """Return the raw stack over which tissue and regions are drawn."""
        has_tissue = self._measurements.tissue_channel(stack)
        return self.tissue_image(stack) if has_tissue else self.main_image(stack)

    def tissue_mask(self, stack: str) -> list[str]:
        """Return the mask of the tissue, if it is segmented."""
        return (
            [f"<results>/{stack}/tissue/mask.tif"]
            if self._measurements.tissue_channel(stack)
            else []
        )

    def region_labels(self, stack: str) -> list[str]:
        """Return the labels of the regions, if the sheet names some."""
        has_some = self._measurements.regions_channel(stack)
        return [f"<results>/{stack}/tissue/regions.tif"] if has_some else []

    def region_files(self, stack: str) -> list[str] | None:
        """Return the files of the regions, see :meth:`external_files`."""
        return self.external_files("regions", stack, str(self._measurements.regions_channel(stack)))

    def made_region_files(self, stack: str) -> list[str]:
        """Return the files of the regions that a rule makes, see :meth:`made_files`."""
        return self.made_files("regions", stack, str(self._measurements.regions_channel(stack)))

    def region_stamp(self, stack: str) -> str | None:
        """Return the hash of the files of the regions; a change re-runs their import."""
        return self.stamp("regions", stack, str(self._measurements.regions_channel(stack)))

    def region_tables(self) -> list[str]:
        """Return the tables of tissue and regions of all stacks that have some."""
        return [
            f"<results>/{stack}/{kind}/regions.csv"
            for stack in self._study.complete_stacks
            if self._measurements.has_places(stack)
            for kind in self._study.objects(stack)
        ]

    def region_results(self) -> list[str]:
        """Return the results about tissue and regions, if any stack has some."""
        figures = [
            f"<results>/{stack}/figures/tissue.png"
            for stack in self._study.complete_stacks
            if self._measurements.has_places(stack)
        ]
        return ["<results>/regions.csv", *figures] if figures else []

    def tables_of_object(self, object: str) -> list[str]:
        """Return the tables of one kind of object of all stacks."""
        return [
            f"<results>/{stack}/{object}/objects.csv" for stack in self._study.stacks_of(object)
        ]

    def ground_truths(self, stack: str) -> list[str]:
        """Return the ground truth of each kind of object that has one."""
        name = Unit.parse(stack).stack
        kinds = self._study.scored_objects(stack)
        return [f"<results>/{name}/{kind}/ground_truth.tif" for kind in kinds]

    def scored_segmentations(self, stack: str) -> list[str]:
        """Return the segmentation of each kind of object that has a ground truth."""
        kinds = self._study.scored_objects(stack)
        return [self._recipes.segmentation(stack, kind) for kind in kinds]

    def uncorrected_segmentations(self, stack: str) -> list[str]:
        """Return the segmentation before corrections of each scored kind that has some."""
        return [self._recipes.uncorrected(stack, kind) for kind in self.corrected_objects(stack)]

    def corrected_objects(self, stack: str) -> list[str]:
        """Return the scored kinds of object of a stack that have corrections."""
        kinds = self._study.scored_objects(stack)
        return [kind for kind in kinds if self._study.corrections_of(stack, kind)]

    def segmenter_stamp(self, stack: str, object: str) -> str:
        """Return the hash of sizes and times of the files of a segmenter; a change re-runs it."""
        options = self._study.argument("options", "run_segmenter", stack, sheet.CHANNEL_OF[object])
        files = [*options.get("files", ()), *filter(None, [options.get("model")])]
        return fingerprints.stamp_of(files)

    def growth_image(self, stack: str, object: str) -> list[str]:
        """Return the image in which objects are added, if a correction does so."""
        if not self._study.adds_objects(stack, object):
            return []
        if object == "cells":
            file, stage, channel = "cells/membrane_smooth.tif", "enhance_membrane", "membrane"
        else:
            file, stage, channel = "channels/nuclei/denoised.tif", "denoise", "nuclei"
        return [self._recipes.path_of(stage, file, stack, channel)]

    def growth_diameter(self, stack: str, object: str) -> list[str]:
        """Return the file of the estimated diameter, if objects of this size are added."""
        if not self._study.adds_objects(stack, object):
            return []
        return self.diameter_file(stack, sheet.CHANNEL_OF[object])

    def correction_stamp(self, stack: str, object: str) -> str | None:
        """Return the hash of the images of corrections; a change re-runs the job."""
        files = [each["image"] for each in self._study.corrections_of(stack, object)]
        return fingerprints.content_of([file for file in files if file is not None])

    def correction_record(self, stack: str, object: str) -> list[str]:
        """Return the table of the corrections of a stack, if it has some."""
        has_some = self._study.corrections_of(stack, object)
        return [f"<results>/{stack}/{object}/corrections.csv"] if has_some else []

    def segmentations(self, stack: str) -> list[str]:
        """Return the segmentation of each kind of object of a stack."""
        return [f"<results>/{stack}/{kind}/segmentation.tif" for kind in self._study.objects(stack)]

    def spot_tables_of(self, stack: str) -> list[str]:
        """Return the table of spots of each channel of a stack that has some."""
        return [
            f"<results>/{stack}/spots/{channel}.csv"
            for channel in self._measurements.spot_channels(stack)
        ]

    def spot_tables(self) -> list[str]:
        """Return the tables of spots of all stacks."""
        stacks = self._measurements.stacks_with_spots()
        return [table for stack in stacks for table in self.spot_tables_of(stack)]

    def spot_scores(self) -> list[str]:
        """Return the scores of spots of all stacks and channels that have a ground truth."""
        return [
            f"<results>/{stack}/spots/{channel}_scores.json"
            for stack, channel in self._measurements.scored_spots()
        ]

    def spot_score_tables(self) -> list[str]:
        """Return the table of scores of spots, if a row of spots names a ground truth."""
        return ["<results>/spot_scores.csv"] if self.spot_scores() else []

    def spot_results(self) -> list[str]:
        """Return the tables and figures of spots, if some are detected."""
        if not self.spot_tables():
            return []
        figures = [
            f"<results>/{stack}/figures/spots_{channel}.png"
            for stack in self._measurements.stacks_with_spots()
            for channel in self._measurements.spot_channels(stack)
        ]
        return ["<results>/spots.csv", *self.spot_score_tables(), *figures]

    def scores(self) -> list[str]:
        """Return the scores of all stacks that have a ground truth."""
        return [
            f"<results>/{stack}/scores.json" for stack in self._study.stacks_with("ground_truth")
        ]

    def error_figures(self) -> list[str]:
        """Return the figure of the worst objects of each scored kind of object and stack."""
        return [
            f"<results>/{stack}/figures/{kind}_errors.png"
            for stack in self._study.stacks_with("ground_truth")
            for kind in self._study.scored_objects(stack)
        ]

    def score_figures(self) -> list[str]:
        """Return the curves of F1 of each kind of object that has outlines as ground truth."""
        kinds = [
            kind
            for stack in self._study.stacks_with("ground_truth")
            for kind, by_points in zip(
                self._study.scored_objects(stack), self._study.scored_by_points(stack), strict=True
            )
            if not by_points
        ]
        return [f"<results>/figures/{kind}_scores.png" for kind in dict.fromkeys(kinds)]

    def evaluation_page(self) -> str:
        """Return the page of scores.

        Raises
        ------
        InputError
            No row of the sheet names a ground truth.
        """
        if not self._study.stacks_with("ground_truth"):
            raise InputError(
                f"{self._study.config['stacks']}: no row names a ground truth; "
                "fill in the column `ground_truth` of the stacks to be scored"
            )
        return "<results>/evaluation.html"

    def existing_evaluation(self) -> list[str]:
        """Return page and curves of scores if the page exists, so that they match the tables."""
        exists = os.path.isfile(f"{self._results}/evaluation.html")  # noqa: PTH113
        if not exists or not self.score_tables():
            return []
        return [self.evaluation_page(), *self.score_figures()]

    def sweep_scores(self) -> list[str]:
        """Return the scores of all runs of the sweep, run 0 first, each in the order of the sheet.

        Raises
        ------
        InputError
            There is no sweep, or no stack to score it on.
        """
        if not self._study.sweep_runs:
            raise InputError(
                "config.sweep is missing; name a table of settings to try, "
                "with a column per key and a row per run"
            )
        if not self._study.swept_stacks():
            raise InputError(
                f"{self._study.config['stacks']}: no row to sweep; "
                "fill in the column `ground_truth` of stacks without `labels`"
            )
        return [
            self._recipes.path_of("evaluate_labels", "scores.json", Unit(stack, run).path, "nuclei")
            for run in range(len(self._study.sweep_runs) + 1)
            for stack in self._study.swept_stacks()
        ]

    def figures_for_papers(self) -> list[str]:
        """Return the figures that are made on request, as they take more time."""
        found = []
        for stack in self._study.complete_stacks:
            folder = f"<results>/{stack}/figures"
            found.append(f"{folder}/composite.png")
            for kind in self._study.objects(stack):
                names = ("segmentation.pdf", "channels.png", "surfaces.png")
                found += [f"{folder}/{kind}_{name}" for name in names]
        return found + [figure.replace(".png", ".pdf") for figure in self.diameter_figures()]

    def volume_figures(self) -> list[str]:
        """Return the figures of volumes."""
        return [
            f"<results>/figures/{kind}_volumes{'' if page == 1 else f'_{page}'}.png"
            for kind in self._study.kinds_found()
            for page in range(1, -(-len(self._study.stacks_of(kind)) // STACKS_PER_PAGE) + 1)
        ]

    def group_tables(self) -> list[str]:
        """Return the comparison of groups, if the sheet has at least two."""
        return ["<results>/groups.csv"] if self._measurements.compared_kinds() else []

    def group_figures(self) -> list[str]:
        """Return the figures of groups."""
        pages = -(-len(self._measurements.compared_columns()) // COLUMNS_PER_PAGE)
        return [
            f"<results>/figures/{kind}_groups{'' if page == 1 else f'_{page}'}.png"
            for kind in self._measurements.compared_kinds()
            for page in range(1, pages + 1)
        ]

    def page_number(self, page: str) -> int:
        """Return the number of a page from the end of the name of its figure, such as ``_2``."""
        return int(page.removeprefix("_") or 1)

    def figures(self) -> list[str]:
        """Return the figures of all stacks, and those of each stack in the order of the sheet."""
        diameters = self.diameter_figures()
        found = [*self.group_figures(), *self.volume_figures()]
        for stack in self._study.complete_stacks:
            own = [
                f"<results>/{stack}/figures/{kind}_{figure}.png"
                for kind in self._study.objects(stack)
                for figure in ("segmentation", "planes")
            ]
            diameter = f"<results>/{stack}/figures/nuclei_diameter.png"
            tissue = f"<results>/{stack}/figures/tissue.png"
            found += own + [diameter] * (diameter in diameters)
            found += [tissue] * self._measurements.has_places(stack)
        return found

    def external_images(self) -> list[str]:
        """Return the local images that no rule makes, as the sheet names them."""
        named = dict.fromkeys(row["image"] for row in self.all_images())
        made = self._study.made_images
        return [name for name in named if name not in made and not images.is_remote(name)]

    def contact_tables(self) -> list[str]:
        """Return the tables of contacts between cells."""
        return [f"<results>/{stack}/cells/contacts.csv" for stack in self._study.stacks_of("cells")]

    def contact_tables_of(self, object: str) -> list[str]:
        """Return the tables of contacts, for cells."""
        return self.contact_tables() if object == "cells" else []

    def class_distances(self) -> list[str]:
        """Return the distances between classes of each kind of object that has classes."""
        keys = self._measurements.classified_keys()
        return [f"<results>/{key}/class_distances.csv" for key in keys]

    def neighbor_tables(self) -> list[str]:
        """Return the table of neighbours of all stacks, if neighbours are measured."""
        return ["<results>/neighbors.csv"] if self._measurements.neighbor_groups() else []

    def objects_of_other_kind(self, stack: str, object: str) -> list[str]:
        """Return the segmentation of the other kind of object, if distances to it are measured."""
        if not self._measurements.measures("other_kind"):
            return []
        others = [kind for kind in self._study.objects(stack) if kind != object]
        return [f"<results>/{stack}/{kind}/segmentation.tif" for kind in others]

    def files_of_objects(self, stack: str, name: str) -> list[str]:
        """Return a file of each kind of object of a stack."""
        return [f"<results>/{stack}/{kind}/{name}" for kind in self._study.objects(stack)]

    def ome_zarr(self) -> list[str]:
        """Return the OME-Zarr of each stack."""
        return [f"<results>/{stack}/image.ome.zarr" for stack in self._study.complete_stacks]

    def parquet(self) -> list[str]:
        """Return the tables of all stacks as Parquet."""
        scored = ("scores", "stack_scores") if self.score_tables() else ()
        classified = ("classes",) if self.class_tables() else ()
        compared = ("groups", "group_units") if self.group_tables() else ()
        regions = ("regions",) if self.region_tables() else ()
        more = (*classified, *compared, *regions, *scored)
        names = ("objects", "stacks", "checks", "statistics", "quality", *more)
        return [f"<results>/{name}.parquet" for name in names]

    def anndata(self) -> list[str]:
        """Return the AnnData of each kind of object."""
        return [f"<results>/{kind}.h5ad" for kind in self._study.kinds_found()]

    def exports(self) -> list[str]:
        """Return the files in other formats that the configuration asks for."""
        wanted = self._study.config["export"]
        return [
            *(self.ome_zarr() if wanted["ome_zarr"] else []),
            *(self.parquet() if wanted["parquet"] else []),
            *(self.anndata() if wanted["anndata"] else []),
        ]

    def gallery_pages(self) -> list[str]:
        """Return the gallery of each stack with nuclei."""
        stacks = self._study.stacks_of("nuclei")
        return [f"<results>/{stack}/gallery/index.html" for stack in stacks]

    def compared_segmentations(self, stack: str) -> list[str]:
        """Return the nuclei of a stack before corrections, and those of each alternative.

        For a block, they are those of the complete stack, without alternatives.
        """
        units = [Unit.parse(stack).complete, *self._recipes.alternatives(stack)]
        return [self._recipes.uncorrected(unit.path, "nuclei") for unit in units]

    def true_nuclei(self, stack: str) -> list[str]:
        """Return the ground truth of the nuclei, if the sheet names one."""
        complete = Unit.parse(stack).complete.path
        has_one = "nuclei" in self._study.scored_objects(complete)
        return [f"<results>/{complete}/nuclei/ground_truth.tif"] if has_one else []

    def score_tables(self) -> list[str]:
        """Return the table of scores, where the sheet names a ground truth."""
        return ["<results>/scores.csv"] if self._study.stacks_with("ground_truth") else []

    def further_tables(self) -> list[str]:
        """Return the names of the tables and pages of all stacks that not every run has."""
        compared = self.group_tables()
        scored = self.score_tables()
        paths = [
            *self.neighbor_tables(),
            *(["<results>/regions.csv"] if self.region_tables() else []),
            *(["<results>/spots.csv"] if self.spot_tables() else []),
            *self.class_tables(),
            *compared,
            *(["<results>/group_units.csv"] if compared else []),
            *scored,
            *(["<results>/stack_scores.csv"] if scored else []),
            *self.spot_score_tables(),
            *(["<results>/evaluation.html"] if self.existing_evaluation() else []),
        ]
        return [path.removeprefix("<results>/") for path in paths]

    def estimated_diameters(self) -> list[str]:
        """Return the files of estimated diameters, in the order of :meth:`resolved_stages`."""
        files = []
        for stack in self._study.complete_stacks:
            for kind in self._study.objects(stack):
                files += self.diameter_file(stack, sheet.CHANNEL_OF[kind])
        return files
