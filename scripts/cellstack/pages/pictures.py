"""Small pictures of a stack and of its flagged objects, for the page of a run."""

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from io import BytesIO
from statistics import median
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cellstack.config.reasons import TOUCHES
from cellstack.core.labels import find_boxes
from cellstack.core.planes import Planes, Stack, section
from cellstack.core.types import Box, Labels, Spacing
from cellstack.figures.colors import ORANGE, SKY_BLUE
from cellstack.figures.views import project

THUMBNAIL_SIDE = 144  # pixels, of the longer side
VIEW_SIDE, GAP = 64, 3  # pixels, of the views of an object and between them
VIEWS = (
    (0, 1, 2),
    (1, 0, 2),
    (2, 0, 1),
)  # axes of sight, down and across: xy, xz, yz
MAX_OBJECTS = 12  # flagged objects with a picture
MARGIN = 1.35  # width of a view in units of the largest side of the object
GREY_PERCENTILES = (0.5, 99.7)
MEASURED_COLOR, FLAGGED_COLOR, OTHERS_COLOR = SKY_BLUE, ORANGE, "#ffffff"
QUALITY = 65  # of JPEG


class ObjectPicture(TypedDict):
    """A flagged object in three views, side by side: xy, xz and yz.

    Attributes
    ----------
    label : int
        In labels.ome.tif.
    reasons : str
        Its flags, separated by ";".
    width_um : float
        Width of each view.
    jpeg : str
        Picture in base64.
    """

    label: int
    reasons: str
    width_um: float
    jpeg: str


class Pictures(TypedDict):
    """Pictures of one kind of object of a stack.

    Attributes
    ----------
    thumbnail : str
        Maximum projection along z with outlines, as a JPEG file in base64.
    flagged_count : int
        Number of flagged objects.
    flagged : list of ObjectPicture
        At most :data:`MAX_OBJECTS` of them, the worst first.
    """

    thumbnail: str
    flagged_count: int
    flagged: list[ObjectPicture]


def draw_pictures(
    raw: Stack,
    segmentation: Stack,
    objects: Sequence[Mapping[str, str]],
    spacing: Spacing,
) -> Pictures:
    """Draw a stack and its flagged objects.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Intensities.
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
        All objects found.
    objects : list of dict of str to str
        Rows of the table of measured objects.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    Pictures
        Objects with flags are orange. In the projection, other measured ones are blue, those not
        measured white; in the views of an object, all others are blue.
    """
    boxes = find_boxes(segmentation)
    colors = dict.fromkeys(boxes, OTHERS_COLOR)
    for row in objects:
        colors[int(row["segmentation_label"])] = FLAGGED_COLOR if row["flags"] else MEASURED_COLOR
    flagged = worst_first(objects)
    pictures: list[ObjectPicture] = []
    for row in flagged[:MAX_OBJECTS]:
        label = int(row["segmentation_label"])
        views, width_um = draw_object(raw, segmentation, label, boxes[label], spacing)
        pictures.append(
            {
                "label": int(row["label"]),
                "reasons": row["flags"],
                "width_um": width_um,
                "jpeg": _as_jpeg(views),
            }
        )
    thumbnail = draw_thumbnail(raw, segmentation, colors, spacing)
    return {
        "thumbnail": _as_jpeg(thumbnail),
        "flagged_count": len(flagged),
        "flagged": pictures,
    }


def worst_first(objects: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """Return the flagged objects, those with most reasons first.

    That an object touches a face is not counted as a reason. Among objects with equally many
    reasons, the one whose volume differs more from the median comes first.

    Parameters
    ----------
    objects : list of dict of str to str
        Rows of the table of objects.

    Returns
    -------
    list of dict of str to str

    Examples
    --------
    >>> flags = ["", "touches first row", "low contrast", "low contrast;large for its stack"]
    >>> rows = [{"label": str(i), "flags": flag, "volume_um3": "9"} for i, flag in enumerate(flags)]
    >>> [row["label"] for row in worst_first(rows)]
    ['3', '2', '1']
    """
    if not objects:
        return []
    middle = median(float(row["volume_um3"]) for row in objects)

    def order(row: Mapping[str, str]) -> tuple[float, float, int]:
        reasons = [flag for flag in row["flags"].split(";") if not flag.startswith(TOUCHES)]
        deviation = abs(math.log(float(row["volume_um3"]) / middle))
        return -len(reasons), -deviation, int(row["label"])

    return sorted((row for row in objects if row["flags"]), key=order)


def draw_thumbnail(
    raw: Planes, segmentation: Planes, colors: Mapping[int, str], spacing: Spacing
) -> NDArray[np.uint8]:
    """Draw outlines over the maximum projection along z.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
    colors : dict of int to str
        Colour of each label as #rrggbb.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    (M, N, 3) ndarray of uint8
        The longer side has :data:`THUMBNAIL_SIDE` pixels. Where objects overlap along z, the
        one with the higher label is shown.
    """
    projection = project(raw, ["xy"])["xy"]
    height, width = (size * step for size, step in zip(projection.shape, spacing[1:], strict=True))
    scale = THUMBNAIL_SIDE / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    resized = Image.fromarray(_as_grey(projection)).resize(
        (columns, rows), Image.Resampling.LANCZOS
    )
    labels = project(segmentation, ["xy"])["xy"]
    down = np.arange(rows) * labels.shape[0] // rows
    across = np.arange(columns) * labels.shape[1] // columns
    return _with_outlines(np.asarray(resized), labels[np.ix_(down, across)], colors)


def draw_object(
    raw: Stack, segmentation: Stack, label: int, box: Box, spacing: Spacing
) -> tuple[NDArray[np.uint8], float]:
    """Draw the planes of an object with the largest section along z, y and x.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    segmentation : (Z, Y, X) ndarray or stack of uint16 or uint32
    label : int
        The object.
    box : tuple of three slice
        Its bounding box.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.

    Returns
    -------
    views : (M, N, 3) ndarray of uint8
        The views xy, xz and yz side by side, at the same scale along all axes. What lies outside
        the stack is black.
    width_um : float
        Width of each view.
    """
    mask = segmentation[box] == label
    sides = [size * step for size, step in zip(mask.shape, spacing, strict=True)]
    width_um = MARGIN * max(sides)
    indices, is_inside = [], []
    for side, size, step in zip(box, raw.shape, spacing, strict=True):
        middle = (side.start + side.stop) / 2
        places = (np.arange(VIEW_SIDE) + 0.5) / VIEW_SIDE - 0.5
        index = np.floor(middle + places * width_um / step).astype(int)
        is_inside.append((index >= 0) & (index < size))
        indices.append(index.clip(0, size - 1))
    around = tuple(slice(index.min(), index.max() + 1) for index in indices)
    raw, segmentation = raw[around], segmentation[around]
    indices = [index - index.min() for index in indices]
    images, labels = [], []
    for through, down, across in VIEWS:
        plane = box[through].start + int(mask.sum(axis=(down, across)).argmax())
        plane -= around[through].start
        place = np.ix_(indices[down], indices[across])
        is_shown = np.logical_and.outer(is_inside[down], is_inside[across])
        images.append(np.where(is_shown, section(raw, through, plane)[place], raw.dtype.type(0)))
        labels.append(np.where(is_shown, section(segmentation, through, plane)[place], 0))
    colors = dict.fromkeys(np.unique(labels).tolist(), MEASURED_COLOR) | {label: FLAGGED_COLOR}
    gap = np.full((VIEW_SIDE, GAP, 3), 255, np.uint8)
    greys = _as_grey(np.stack(images))
    parts = [_with_outlines(*pair, colors) for pair in zip(greys, labels, strict=True)]
    return np.concatenate([parts[0], gap, parts[1], gap, parts[2]], axis=1), width_um


def _as_grey(image: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = np.percentile(image, GREY_PERCENTILES)
    if low == high:
        low, high = image.min(), image.max()
    scaled = (image.astype(np.float32) - low) * (255 / ((high - low) or 1))
    grey: NDArray[np.uint8] = scaled.clip(0, 255).astype(np.uint8)
    return grey


def _with_outlines(
    grey: NDArray[np.uint8], labels: Labels, colors: Mapping[int, str]
) -> NDArray[np.uint8]:
    """Return an image in colour; pixels of an object beside another object are its outline."""
    padded = np.pad(labels, 1, mode="edge")
    middle = padded[1:-1, 1:-1]
    beside = (padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:])
    is_outline = (middle > 0) & np.logical_or.reduce([each != middle for each in beside])
    image = np.repeat(grey[..., None], 3, axis=2)
    shown, inverse = np.unique(labels[is_outline], return_inverse=True)
    table = np.array([list(bytes.fromhex(colors[label][1:])) for label in shown.tolist()], np.uint8)
    if len(table):
        image[is_outline] = table[inverse]
    return image


def _as_jpeg(image: NDArray[np.uint8]) -> str:
    file = BytesIO()
    # without subsampling, because outlines are one pixel wide
    Image.fromarray(image).save(file, "JPEG", quality=QUALITY, subsampling=0, optimize=True)
    return b64encode(file.getvalue()).decode()
