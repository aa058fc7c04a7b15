"""Panels of the gallery for each stack."""

from cellstack.config import gallery_panels
from cellstack.config.block_plan import BlockPlan
from cellstack.config.recipes import Recipes
from cellstack.config.schemas import Settings
from cellstack.config.study import Study
from cellstack.config.units import Unit

STAGE_IMAGES = {  # the image of each stage that the gallery shows
    "import_stack": "raw",
    "correct_background": "corrected",
    "adjust_contrast": "contrast",
    "denoise": "denoised",
    "binarize": "mask",
    "clean_mask": "mask_clean",
    "label_components": "components",
    "find_seeds": "distance",
    "split_objects": "watershed",
    "merge_objects": "merged",
    "smooth_outlines": "segmentation",
    "select_objects": "labels",
}
SECTIONS = (
    "stages",
    "background",
    "contrast",
    "denoising",
    "edges",
    "thresholds",
    "morphology",
    "seeds",
    "final_labels",
    "surface_area",
    "shapes",
    "profile",
)


class Gallery:
    """Panels of the gallery for the stacks of a study.

    Parameters
    ----------
    study : Study
    recipes : Recipes
    """

    def __init__(self, study: Study, recipes: Recipes) -> None:
        self._study = study
        self._block_plan = BlockPlan(study)
        self._recipes = recipes

    def comparison(
        self,
        comparison: str,
        stage: str,
        stack: str,
        beside: str = "",
        presets: bool = True,
    ) -> list[Settings]:
        """Return the panels of a comparison of the gallery.

        Parameters
        ----------
        comparison : str
            Key of ``config/gallery.yaml``.
        stage : str
            Stage whose methods are compared.
        stack : str
        beside : str
            Another comparison of the same stage, whose methods are not repeated.
        presets : bool
            Whether presets that set the stage have a panel each.

        Returns
        -------
        list of dict
            See :func:`cellstack.config.gallery_panels.list_panels`.
        """
        further = gallery_panels.of_presets(stage, self._study.presets if presets else {})
        return gallery_panels.list_panels(
            stage,
            self._study.schemas.gallery.get(comparison, {}),
            self._study.block(stage, stack, "nuclei"),
            self._study.diameter(stack, "nuclei"),
            self._study.schemas.stages,
            self._study.schemas.gallery.get(beside, {}),
            further,
        )

    def block(self, stack: str) -> dict[str, object] | None:
        """Return name and extent of the block that is shown of a stack, if it is cut into blocks.

        It contains the middle of the stack.
        """
        blocks = self._block_plan.blocks(stack).values()
        shape = [max(block.core[axis][1] for block in blocks) for axis in range(3 if blocks else 0)]
        for block in blocks:
            pairs = zip(block.core, shape, strict=True)
            if all(start <= length // 2 < stop for (start, stop), length in pairs):
                return {"name": block.name, "extent": [list(each) for each in block.extent]}
        return None

    def shown_block(self, stack: str) -> dict[str, object] | None:
        """Return the block in which methods are compared, if nuclei are segmented in blocks."""
        return self.block(stack) if self._block_plan.is_in_blocks(stack, "nuclei") else None

    def _sections(self, stack: str) -> str:
        """Return the folder of the sections of a stack: those of the block that is shown."""
        block = self.shown_block(stack)
        return f"<results>/{stack}/" + (f"blocks/{block['name']}/" if block else "") + "gallery"

    def sections(self, stack: str) -> list[str]:
        """Return the files of all sections of a stack, in the order of the page."""
        return [f"{self._sections(stack)}/{section}.json" for section in SECTIONS]

    def view(self, stack: str) -> str:
        """Return the file of the region that is shown."""
        return f"{self._sections(stack)}/view.json"

    def file_of_complete(self, stack: str, file: str) -> str:
        """Return a file of the stack of which a unit is a block, or of the unit itself."""
        return f"<results>/{Unit.parse(stack).complete.path}/{file}"

    def alternatives(self, stack: str) -> list[Settings]:
        """Return what the gallery says about each of the alternatives of a stack.

        Returns
        -------
        list of dict
            In the order of :meth:`cellstack.config.recipes.Recipes.alternatives`: ``stage``,
            ``title``, and ``snippet``, the piece of configuration that gives it.
        """
        described = []
        for unit in self._recipes.alternatives(stack):
            stage, name = unit.alternative.split("/")
            preset = self._study.preset_name(stack)
            block = self._study.block(stage, unit.path, "nuclei")
            described.append(
                {
                    "stage": stage,
                    "title": self._study.alternatives(stage, preset)[name].title,
                    "snippet": gallery_panels.snippet(stage, block, self._study.schemas.stages),
                }
            )
        return described

    def stages(self, stack: str) -> list[Settings]:
        """Return a panel of the gallery for each stage and the image that it makes."""
        panels = []
        for stage, image in STAGE_IMAGES.items():
            block = self._study.block(stage, stack, "nuclei")
            if stage != "correct_background" or block["steps"]:
                snippet = gallery_panels.snippet(stage, block, self._study.schemas.stages)
                panels.append({"title": stage, "image": image, "snippet": snippet})
            if stage == "import_stack":
                title = f"{stage}, three views"
                panels.append({"title": title, "image": "views", "snippet": snippet})
        return panels
