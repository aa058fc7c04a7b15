"""Labels in another orientation than their image."""

import numpy as np
import pytest
import tifffile
from study import simulated

from cellstack.core.planes import ComputedPlanes
from cellstack.errors import InputError
from cellstack.prepare.label_orientation import check_orientation

CHANGES = {
    "mirroring along z": lambda stack: stack[::-1],
    "mirroring along y": lambda stack: stack[:, ::-1],
    "mirroring along y and x": lambda stack: stack[:, ::-1, ::-1],
    "exchanging y and x": lambda stack: stack.transpose(0, 2, 1),
    "exchanging y and x and mirroring along x": lambda stack: stack.transpose(0, 2, 1)[:, ::-1],
}


def check(labels, raw):
    check_orientation("labels.tif", labels, raw, "raw.tif")


@pytest.fixture(scope="module")
def colony():
    return simulated(shape=(16, 112, 112), count=12)


@pytest.fixture(params=["nuclei", "cells"])
def pair(request, colony):
    """Return labels, and the image of the channel that shows them."""
    if request.param == "nuclei":
        return colony.nuclei_labels, colony.nuclei_image
    return colony.cell_labels, colony.membrane_image


def test_labels_in_the_orientation_of_the_image_are_accepted(pair):
    labels, raw = pair
    check(labels, raw)
    check(ComputedPlanes(labels.shape, labels.dtype, lambda z: labels[z]), raw)


@pytest.mark.parametrize("change", CHANGES)
def test_labels_in_another_orientation_are_refused_with_the_change_that_they_need(pair, change):
    labels, raw = pair
    turned = CHANGES[change](labels)
    with pytest.raises(InputError, match=f"do not fit raw.tif, but do after {change} \\(corr"):
        check(turned, raw)


def test_only_squares_can_be_transposed(pair):
    labels, raw = (each[:, :80] for each in pair)
    with pytest.raises(InputError, match="after mirroring along x"):
        check(labels[:, :, ::-1], raw)


def test_some_of_the_objects_are_enough(pair):
    labels, raw = pair
    few = np.where(labels <= 3, labels, 0)
    check(few, raw)


def test_nothing_is_concluded_from_images_without_contrast_or_objects(pair):
    labels, raw = pair
    check(labels, np.full_like(raw, 7))
    check(np.zeros_like(labels), raw)
    check(labels[:, :20, :20][:, ::-1], raw[:, :20, :20])
    noise = np.random.default_rng(0).normal(100, 9, raw.shape).astype("float32")
    check(labels, noise)


@pytest.mark.parametrize(
    ("image", "labels"),
    [
        ("embryos/emb08-t451/nuclei.tif", "embryos/emb08-t451/nuclei_truth.tif"),
        ("ovule/nuclei.tif", "ovule/nuclei_truth.tif"),
        ("tutorial/nuclei.tif", "tutorial/nuclei_reference_labels.tif"),
        ("membrane/membrane.tif", "membrane/cells_truth.tif"),
    ],
)
def test_real_labels(data, image, labels):
    raw, known = (tifffile.imread(data / path) for path in (image, labels))
    check(known, raw)
    for change in ("mirroring along z", "mirroring along y"):
        with pytest.raises(InputError, match=change):
            check(CHANGES[change](known), raw)
