"""The images that the page to explore a stack shows, and the methods that it compares.

Imported when Snakemake parses the workflow, so it imports nothing heavy.
"""

import os

from cellstack.config.gallery import Gallery
from cellstack.config.inputs import Inputs
from cellstack.config.recipes import Recipes
from cellstack.config.schemas import Settings
from cellstack.config.sheet import CHANNEL_OF
from cellstack.config.study import Study
from cellstack.config.units import Unit

PAGES = ("explore.html", "gallery/index.html")  # of a stack, made if they are requested
GREY, LABELS = "grey", "labels"
STAGES_OF_NUCLEI = {  # files of the objects, with the kind of image
    "distance": GREY,
    "mask": LABELS,
    "mask_clean": LABELS,
    "seeds": LABELS,
    "watershed": LABELS,
    "merged": LABELS,
}
STAGES_OF_CELLS = {
    "membrane_smooth": GREY,
    "membrane_ridges": GREY,
    "seeds": LABELS,
    "background": LABELS,
    "regions": LABELS,
}
COMPARED = {  # comparison of the gallery, the stage, and the image that it starts from
    "contrast": ("adjust_contrast", ("corrected", "raw")),
    "denoising": ("denoise", ("contrast",)),
    "edges": ("detect_edges", ("denoised",)),
    "thresholds": ("binarize", ("denoised",)),
}


class Explorer:
    """Layers of the page to explore a stack: grey images, and labels that are drawn as outlines.

    Parameters
    ----------
    study : Study
    recipes : Recipes
    inputs : Inputs
    panels : Gallery
        The methods that are compared are those of the gallery.
    """

    def __init__(self, study: Study, recipes: Recipes, inputs: Inputs, panels: Gallery) -> None:
        self._study, self._recipes = study, recipes
        self._inputs, self._panels = inputs, panels

    def pages(self) -> list[str]:
        """Return the page of each stack."""
        return [f"<results>/{stack}/explore.html" for stack in self._study.complete_stacks]

    def existing(self) -> dict[str, list[str]]:
        """Return the pages of each stack that exist, to which the page of the run links."""
        results = self._inputs.results()
        found = {}
        for stack in self._study.complete_stacks:
            pages = [
                page
                for page in PAGES
                if os.path.isfile(f"{results}/{stack}/{page}")  # noqa: PTH113
            ]
            if pages:
                found[stack] = pages
        return found

    def images(self, stack: str) -> list[str]:
        """Return the files of the layers of a stack, and of the runs of a sweep that exist."""
        results = self._inputs.results()
        swept = [f"<results>/{end}" for end in self.swept(stack)]
        return [path for path, _ in self._layers(stack)] + [
            path
            for path in swept
            if os.path.isfile(path.replace("<results>", results))  # noqa: PTH113
        ]

    def layers(self, stack: str) -> list[Settings]:
        """Return group, title and kind of each layer, in the order of :meth:`images`.

        Those of a sweep are missing: files can appear between the calls of the two methods.
        """
        return [layer for _, layer in self._layers(stack)]

    def swept(self, stack: str) -> dict[str, str]:
        """Return the settings of each run of the sweep of a stack.

        Returns
        -------
        dict
            By the path of its nuclei below the folder of results, whether or not they exist. A run
            with the settings of the stack has its files, and is left out.
        """
        if stack not in self._study.swept_stacks() or not self._compares(stack):
            return {}
        found: dict[str, str] = {}
        for number, settings in enumerate(self._study.sweep_runs, 1):
            path = self._recipes.segmentation(Unit(stack, number).path, "nuclei")
            changed = ", ".join(f"{key} {value}" for key, value in settings.items())
            if path.startswith("<results>/sweep/"):
                found.setdefault(path.removeprefix("<results>/"), f"row {number}: {changed}")
        return found

    def view(self, stack: str) -> list[str]:
        """Return the region in which methods are compared, if they are."""
        return [self._panels.view(stack)] if self._compares(stack) else []

    def diameter(self, stack: str) -> list[str]:
        """Return the file of an estimated diameter of nuclei, if methods are compared."""
        return self._inputs.diameter_file(stack) if self._compares(stack) else []

    def diameter_um(self, stack: str) -> float | str | None:
        """Return the diameter of nuclei, if methods are compared; "1 d" if it is estimated."""
        return self._study.object_diameter(stack) if self._compares(stack) else None

    def objects(self, stack: str) -> list[str]:
        """Return the tables of the measured objects."""
        return self._inputs.files_of_objects(stack, "objects.csv")

    def variants(self, stack: str) -> list[Settings]:
        """Return the methods of stages that are compared.

        Returns
        -------
        list of dict
            ``stage``; ``source``, the title of the layer of the channel of nuclei from which it
            starts; ``panels``, with ``title`` and ``arguments``, those of the gallery that differ.
        """
        if not self._compares(stack):
            return []
        titles = [layer["title"] for layer in self.layers(stack) if layer["group"] == "nuclei"]
        compared = []
        for comparison, (stage, sources) in COMPARED.items():
            beside = "grey_morphology" if comparison == "contrast" else ""
            panels: list[Settings] = []
            for panel in self._panels.comparison(comparison, stage, stack, beside):
                if panel["arguments"] not in [each["arguments"] for each in panels]:
                    title = panel["title"] + (" (your settings)" if panel["is_own"] else "")
                    panels.append({"title": title, "arguments": panel["arguments"]})
            source = next(title for title in sources if title in titles)
            compared.append({"stage": stage, "source": source, "panels": panels})
        return compared

    def _has_stages(self, stack: str, object: str) -> bool:
        """Return whether the stages of a kind of object run in this stack."""
        is_found = object in self._study.objects(stack)
        return is_found and not self._study.is_external(stack, object)

    def _compares(self, stack: str) -> bool:
        """Return whether methods are compared: in stacks whose nuclei are segmented here."""
        return self._has_stages(stack, "nuclei")

    def _layers(self, stack: str) -> list[tuple[str, Settings]]:
        folder = f"<results>/{stack}"
        # stages of nuclei that are segmented in blocks have files of the blocks only
        shown = self._panels.shown_block(stack)
        of_nuclei = f"{folder}/blocks/{shown['name']}" if shown else folder
        found = []

        def add(path: str, group: str, title: str, kind: str) -> None:
            found.append((path, {"group": group, "title": title, "kind": kind}))

        for channel in self._study.rows(stack):
            images = f"{folder}/channels/{channel}"
            add(f"{images}/raw.tif", channel, "raw", GREY)
            kinds = [kind for kind, name in CHANNEL_OF.items() if name == channel]
            if not any(self._has_stages(stack, kind) for kind in kinds):
                continue
            if channel == "nuclei":
                for path in self._inputs.corrected_image(of_nuclei.removeprefix("<results>/")):
                    add(path, channel, "corrected", GREY)
            if channel == "nuclei":
                images = f"{of_nuclei}/channels/nuclei"
            add(f"{images}/contrast.tif", channel, "contrast", GREY)
            if channel == "nuclei":
                add(f"{images}/denoised.tif", channel, "denoised", GREY)
                for path in self._inputs.split_edges(stack):
                    add(path, channel, "edges", GREY)
        for kind, files in (("nuclei", STAGES_OF_NUCLEI), ("cells", STAGES_OF_CELLS)):
            if kind not in self._study.objects(stack):
                continue
            if self._has_stages(stack, kind):
                stages = of_nuclei if kind == "nuclei" else folder
                for name, image in files.items():
                    group = CHANNEL_OF[kind] if image == GREY else kind
                    add(f"{stages}/{kind}/{name}.tif", group, name, image)
            add(f"{folder}/{kind}/segmentation.tif", kind, "segmentation", LABELS)
            add(f"{folder}/{kind}/labels.ome.tif", kind, "labels", LABELS)
        return found
