"""Files of all stacks: those of the targets, and those that tables and pages are made from.

Paths begin with Snakemake's path variables, such as ``<results>``.
"""

import os
from collections.abc import Sequence

from cellstack.config import sheet
from cellstack.config.inputs import Inputs
from cellstack.config.lengths import AUTO
from cellstack.config.measurements import Measurements
from cellstack.config.paging import COLUMNS_PER_PAGE, STACKS_PER_PAGE
from cellstack.config.recipes import Recipes
from cellstack.config.study import Study
from cellstack.config.units import Unit
from cellstack.errors import InputError
from cellstack.files import images


class Targets:
    """Files of all stacks.

    Parameters
    ----------
    study : Study
    recipes : Recipes
    inputs : Inputs
    """

    def __init__(self, study: Study, recipes: Recipes, inputs: Inputs) -> None:
        self._study = study
        self._recipes = recipes
        self._inputs = inputs
        self._measurements = Measurements(study)

    def diameter_figures(self) -> list[str]:
        """Return the figures of estimated diameters."""
        return [
            f"<results>/{stack}/figures/nuclei_diameter.png"
            for stack in self._study.complete_stacks
            if "nuclei" in self._study.rows(stack) and self._study.diameter(stack, "nuclei") == AUTO
        ]

    def all_channels(self, name: str, stacks: Sequence[str] | None = None) -> list[str]:
        """Return a file of each channel of some stacks, by default of all that are complete."""
        return [
            f"<results>/{stack}/channels/{channel}/{name}"
            for stack in (self._study.complete_stacks if stacks is None else stacks)
            for channel in self._study.rows(stack)
        ]

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
        files += ["<results>/group_units.csv"] if self.group_tables() else []
        for stack in self._study.complete_stacks:
            for kind in self._study.objects(stack):
                files += self._inputs.correction_record(stack, kind)
        files += [*self.class_records(), *self.class_distances()]
        files += [*self.spot_tables(), *self.spot_scores()]
        for table in self.region_tables():
            files += [table, table.replace("regions.csv", "tissue.csv")]
        for stack in self._study.complete_stacks:
            files += [*self._inputs.tissue_mask(stack), *self._inputs.region_labels(stack)]
        return files

    def files_of_configuration(self) -> list[str]:
        """Return the tables besides the sheet that the configuration names."""
        sweep = [self._study.config["sweep"]] if "sweep" in self._study.config else []
        seeds = [
            path
            for stack in self._study.stacks_of("nuclei")
            for path in self._inputs.seed_points(stack)
        ]
        examples = self._study.config["classify_objects"]["examples"]
        marks = self._study.config["figures"]["marks"]
        corrections = self._study.config["corrections"]
        named = [path for path in (corrections, examples, marks) if path is not None]
        return list(dict.fromkeys([*sweep, *seeds, *named]))

    def all_fitted_classes(self) -> list[str]:
        """Return the files that classes need, see :meth:`Inputs.fitted_classes`, of all kinds."""
        kinds = self._measurements.classified_kinds()
        return [path for kind in kinds for path in self._inputs.fitted_classes(kind)]

    def classified_tables(self) -> list[str]:
        """Return the tables of objects that have classes."""
        return [
            path
            for kind in self._measurements.classified_kinds()
            for path in self._inputs.tables_of_object(kind)
        ]

    def class_records(self) -> list[str]:
        """Return the thresholds of the classes of all objects that have classes.

        Snakemake detects changed params of a job only if all of its outputs exist. Objects that
        were measured before they had classes are classified since a job requests these files.
        """
        return [f"<results>/{key}/classes.json" for key in self._measurements.classified_keys()]

    def class_tables(self) -> list[str]:
        """Return the tables of classes and of distances between them, if objects have some."""
        if not self._measurements.classified_kinds():
            return []
        return ["<results>/classes.csv", "<results>/class_distances.csv"]

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

    def spot_tables(self) -> list[str]:
        """Return the tables of spots of all stacks."""
        stacks = self._measurements.stacks_with_spots()
        return [table for stack in stacks for table in self._inputs.spot_tables_of(stack)]

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
        exists = os.path.isfile(f"{self._inputs.results()}/evaluation.html")  # noqa: PTH113
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
        named = dict.fromkeys(row["image"] for row in self._inputs.all_images())
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
        """Return the files of estimated diameters.

        Their order is that of :func:`cellstack.config.used_settings.resolved_stages`.
        """
        files = []
        for stack in self._study.complete_stacks:
            for kind in self._study.objects(stack):
                files += self._inputs.diameter_file(stack, sheet.CHANNEL_OF[kind])
        return files
