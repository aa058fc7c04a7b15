"""Images for the tests of readers, and what is read from them."""

import math

import numpy as np
import pytest

from cellstack.errors import InputError
from cellstack.files.image_sizes import ImageSizes
from cellstack.files.readers import opening, voxel_size
from cellstack.files.readers.parts import Part
from cellstack.prepare.import_stack import fill_stack

CHANNELS = ["membrane", "nuclei"]


def pattern(shape, dtype="uint16"):
    return np.random.default_rng(7).integers(0, 250, shape).astype(dtype)


def read(*paths, channel=0, scene=None, time=None, axes=None):
    """Return the source of an image, and the stack of one channel."""
    with opening.open_image(list(paths), Part(scene, time, axes)) as source:
        shape = (source.count, *source.plane_shape)
        return source, fill_stack("image", source.planes(channel), shape, source.dtype)


def um(source):
    return {axis: voxel_size.in_um(found)[0] for axis, found in source.spacing.items()}


def refused(*paths, **part):
    """Return the error message for an image."""
    with pytest.raises(InputError) as error:
        read(*paths, **part)
    assert "\n" not in str(error.value)
    return str(error.value)


def count_voxels(image, **cells):
    """Return the number of voxels of an image as jobs request memory for; 0 if it is unreadable."""
    size = ImageSizes().find({"image": str(image), **cells}, spacing_above=2**62)
    return 0 if size is None else math.prod(size.shape)
