"""Input files of the rules, for each unit of work.

Methods are called with the wildcards of a job. `stack` is the path of a unit, see
:class:`cellstack.config.units.Unit`; `channel` names a channel, `object` a kind of object (nuclei
or cells). Paths begin with Snakemake's path variables, such as ``<results>``.
"""

import os
from collections.abc import Sequence
from typing import Any

from cellstack.config import sheet
from cellstack.config.block_plan import BlockPlan
from cellstack.config.lengths import AUTO, has_sizes
from cellstack.config.measurements import Measurements
from cellstack.config.recipes import EDGE_METHODS, Recipes, diameter_stage
from cellstack.config.study import Study
from cellstack.config.units import Unit
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
        self._block_plan = BlockPlan(study)
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

    def import_record(self, stack: str, channel: str) -> list[str]:
        """Return the record of the import of a channel, if the stack has it."""
        return self.no_data(stack, channel)[:1]

    def mask_records(self, stack: str, object: str) -> list[str]:
        """Return the records of the mask of the nuclei, unless their labels are external."""
        if object == "cells":  # those in blocks have a record of what blocks disagreed on
            in_blocks = self._block_plan.is_in_blocks(stack, "cells")
            record = self._recipes.path_of("segment_cells", "cells/joined.json", stack, "membrane")
            return [record] * in_blocks
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

    def corrected_image(self, stack: str) -> list[str]:
        """Return the nuclei after background correction, if the background is corrected."""
        stage = self._recipes.contrast_stage(stack, "nuclei")
        done = stage == "correct_background"
        return [self.contrast_image(stack, "nuclei")] if done else []

    def binarize_contrast(self, stack: str) -> list[str]:
        """Return the image before denoising, where binarize estimates its noise.

        Blocks have the noise of the complete stack.
        """
        method = self._study.block("binarize", stack, "nuclei")["method"]
        if method != "per_object" or Unit.parse(stack).block:
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
        """Return the file of thresholds or of a classifier, if classes depend on all stacks."""
        return (
            [f"<results>/{object}_classes.json"] if self._measurements.fits_classes(object) else []
        )

    def measured_tables(self, object: str) -> list[str]:
        """Return the tables of one kind of object of all stacks, without its classes."""
        stacks = self._study.stacks_of(object)
        return [f"<results>/{stack}/{object}/measured.csv" for stack in stacks]

    def example_segmentations(self, object: str) -> list[str]:
        """Return the segmentation of each stack that has examples of a classifier."""
        stacks = self._measurements.examples_of(object)
        return [f"<results>/{stack}/{object}/segmentation.tif" for stack in stacks]

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

    def objects_of_other_kind(self, stack: str, object: str) -> list[str]:
        """Return the segmentation of the other kind of object, if distances to it are measured."""
        if not self._measurements.measures("other_kind"):
            return []
        others = [kind for kind in self._study.objects(stack) if kind != object]
        return [f"<results>/{stack}/{kind}/segmentation.tif" for kind in others]

    def files_of_objects(self, stack: str, name: str) -> list[str]:
        """Return a file of each kind of object of a stack."""
        return [f"<results>/{stack}/{kind}/{name}" for kind in self._study.objects(stack)]

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
