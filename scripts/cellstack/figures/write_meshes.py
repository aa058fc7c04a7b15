"""Meshes of the measured objects, in the colours of the figures."""

from cellstack.core.labels import find_boxes
from cellstack.core.meshes import surface_mesh
from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.figures.objects import Numbers, label_colors
from cellstack.files.meshes import ColoredMesh


def make_meshes(segmentation: Stack, spacing: Spacing, numbers: Numbers) -> list[ColoredMesh]:
    """Return the surfaces of the measured objects.

    Parameters
    ----------
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects found.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    numbers : dict of int to Number
        Label of each measured object in ``labels.ome.tif`` by its label in `segmentation`.

    Returns
    -------
    list of ColoredMesh
        In ascending order of the labels in ``labels.ome.tif``, with the colours of the figures.

    Examples
    --------
    >>> import numpy as np
    >>> from cellstack.figures.objects import Number
    >>> segmentation = np.zeros((5, 9, 9), np.uint16)
    >>> segmentation[1:4, 2:7, 2:7] = 3
    >>> (found,) = make_meshes(segmentation, (2.0, 1.0, 1.0), {3: Number(1, False)})
    >>> found.label, found.color, round(found.mesh.volume_um3)
    (1, '#e69f00', 150)
    """
    boxes = find_boxes(segmentation)
    colors = label_colors(boxes)
    found = []
    for label, (number, *_) in sorted(numbers.items(), key=lambda item: item[1]):
        box = boxes[label]
        start = [side.start for side in box]
        mesh = surface_mesh(segmentation[box] == label, spacing, start, segmentation.shape)
        found.append(ColoredMesh(number, mesh, colors[label]))
    return found
