"""Methods of a stage on a region of a stack, for the page to explore it."""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.enhance.adjust_contrast import adjust_contrast
from cellstack.enhance.denoise import denoise
from cellstack.enhance.detect_edges import detect_edges
from cellstack.errors import InputError
from cellstack.gallery import views
from cellstack.gallery.explorer_layers import Grid, Layer, grey_layer, label_layer
from cellstack.gallery.sections import Panel
from cellstack.gallery.views import View
from cellstack.segment.binarize import binarize, find_threshold

log = logging.getLogger(__name__)

FILTERS: dict[str, Callable[..., Any]] = {
    "adjust_contrast": adjust_contrast,
    "denoise": denoise,
    "detect_edges": detect_edges,
}
COMPUTED_DIAMETERS = 0.5  # largest distance of a plane from that of the view; some are slow
SHOWN_DIAMETERS = 0.25  # the outer planes lack the neighbours that a filter needs


def compare_in_3d(
    stage: str,
    source: Stack,
    contrast: Stack,
    spacing: Spacing,
    view: View,
    diameter_um: float,
    panels: Sequence[Panel],
    grid: Grid,
) -> list[Layer]:
    """Apply the methods of a stage.

    Parameters
    ----------
    stage : str
        adjust_contrast, denoise, detect_edges or binarize.
    source : (Z, Y, X) ndarray or stack
        The stack from which the stage starts.
    contrast : (Z, Y, X) ndarray or stack of float32
        Intensities before denoising, in which binarize estimates the noise.
    spacing, view, panels
        See :mod:`cellstack.gallery.sections`.
    diameter_um : float
        Diameter of the objects in um.
    grid : Grid

    Returns
    -------
    list of Layer
        One for each panel, except methods that cannot be applied to this stack. Masks are those of
        the complete stack; other results are shown in the planes near that of the view.
    """
    if stage == "binarize":
        whole, before = source[:], contrast[:]
        return [
            label_layer(_mask(whole, before, spacing, panel), grid, stage, panel["title"])
            for panel in panels
        ]
    part = views.crop(source, view)
    if stage != "adjust_contrast":  # it depends on the intensities of all planes
        part, view = views.slab(part, view, COMPUTED_DIAMETERS * diameter_um)
    reach_um = max(SHOWN_DIAMETERS * diameter_um, grid.planes * spacing[0])
    layers = []
    for panel in panels:
        try:
            result = FILTERS[stage](part, spacing, **panel["arguments"])
        except InputError as error:  # such as a method for square pixels
            log.warning("%s: %s is left out: %s", stage, panel["title"], error)
            continue
        shown, region = views.slab(result, view, reach_um)
        start = [first for first, _ in region["region"]]
        layers.append(grey_layer(shown, grid, stage, panel["title"], start))
    return layers


def _mask(
    source: np.ndarray, contrast: np.ndarray, spacing: Spacing, panel: Mapping[str, Any]
) -> np.ndarray:
    return binarize(source, find_threshold(source, **panel["arguments"]), spacing, contrast)
