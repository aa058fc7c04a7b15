"""A small simulated stack with its view, stages and panels, for the tests of the gallery."""

from functools import cache
from types import MappingProxyType

import yaml
from study import DIAMETER_UM, ROOT, SPACING, simulated

from cellstack.config import gallery_panels, settings
from cellstack.enhance.adjust_contrast import percentile_stretch
from cellstack.enhance.denoise import denoise
from cellstack.figures import drawing, png
from cellstack.gallery.choose_view import choose_view
from cellstack.segment.binarize import binarize, find_threshold
from cellstack.segment.label_components import label_components

COMPARED = {  # stage of each comparison
    "background": "correct_background",
    "contrast": "adjust_contrast",
    "denoising": "denoise",
    "edges": "detect_edges",
    "thresholds": "binarize",
    "grey_morphology": "adjust_contrast",
    "morphology": "clean_mask",
    "seeds": "find_seeds",
}
OTHER_COMPARISON = {"contrast": "grey_morphology", "grey_morphology": "contrast"}
SPLIT = MappingProxyType({"method": "distance", "options": {}, "compactness": 0})


@cache
def load(name):
    """Return a file of the folder config."""
    return yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))


def stages_schema():
    return load("schemas/stages.schema")


def block(stage, **changes):
    """Return the default settings of a stage with changes."""
    return settings.merge(settings.fill_defaults({}, stages_schema())[stage], changes)


def panels_of(comparison, *titles, **changes):
    """Return the panels of a comparison with the given titles, or all."""
    stage, gallery = COMPARED[comparison], load("gallery")
    listed = gallery.get(comparison, {})
    elsewhere = gallery.get(OTHER_COMPARISON.get(comparison), {})
    own = block(stage, **changes)
    panels = gallery_panels.list_panels(stage, listed, own, DIAMETER_UM, stages_schema(), elsewhere)
    return [panel for panel in panels if not titles or panel["title"] in titles]


@cache
def colony():
    colony = simulated()
    for array in (colony.nuclei_image, colony.membrane_image, colony.nuclei_labels):
        array.setflags(write=False)
    return colony


@cache
def view():
    return choose_view(colony().nuclei_image, SPACING, DIAMETER_UM, 1000)


@cache
def stages():
    """Return the stages of the colony with default settings."""
    contrast = percentile_stretch(colony().nuclei_image, SPACING, low=0.5, high=99.5)
    denoised = denoise(contrast, SPACING, "gaussian", {"sigma_um": 0.5})
    mask = binarize(denoised, find_threshold(denoised, "otsu", {}))
    stages = {
        "contrast": contrast,
        "denoised": denoised,
        "mask": mask,
        "components": label_components(mask, 26),
    }
    for array in stages.values():
        array.setflags(write=False)
    return stages


def record(monkeypatch, module, name):
    """Return a list that collects the arguments of all calls of a function, which still runs."""
    calls = []
    original = getattr(module, name)

    def wrapper(*arguments):
        calls.append(arguments)
        return original(*arguments)

    monkeypatch.setattr(module, name, wrapper)
    return calls


def record_images(monkeypatch):
    """Return a list that collects all images that are shown."""
    images = []
    original = drawing.show_image

    def wrapper(axes, image, *rest):
        images.append(image)
        return original(axes, image, *rest)

    monkeypatch.setattr(drawing, "show_image", wrapper)
    return images


def record_figures(monkeypatch):
    """Return a list that collects all figures of panels."""
    figures = []
    original = png.to_png

    def wrapper(figure, *rest):
        figures.append(figure)
        return original(figure, *rest)

    monkeypatch.setattr(png, "to_png", wrapper)
    return figures


def view_of(shape, spacing, **changes):
    """Return a view of a whole stack, with plane 1 and row 3."""
    region = [[0, size] for size in shape]
    chosen = {"plane": 1, "row": 3, "region": region, "zoom": region[1:]}
    return chosen | {"shape": list(shape), "spacing": list(spacing)} | changes
