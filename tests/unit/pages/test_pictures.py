import base64
import io

import numpy as np
import pytest
from drawn import boxes_image
from PIL import Image

from cellstack.core.labels import find_boxes
from cellstack.pages.pictures import (
    FLAGGED_COLOR,
    GAP,
    MARGIN,
    MAX_OBJECTS,
    MEASURED_COLOR,
    OTHERS_COLOR,
    THUMBNAIL_SIDE,
    VIEW_SIDE,
    draw_object,
    draw_pictures,
    draw_thumbnail,
    worst_first,
)

SPACING = (2.0, 0.5, 0.25)
LABELS = boxes_image((8, 40, 60), [(2, 5), (4, 24), (8, 48)], [(5, 8), (30, 38), (2, 10)])
RAW = (np.arange(LABELS.size).reshape(LABELS.shape) % 200).astype(np.uint16)


def color(name):
    return list(bytes.fromhex(name[1:]))


def colored(image, name):
    """Return the pixels of a colour."""
    return (image == color(name)).all(axis=2)


def row(label, flags="", volume="100", segmentation_label=None):
    given = {"label": str(label), "segmentation_label": str(segmentation_label or label)}
    return given | {"flags": flags, "volume_um3": volume}


def decoded(jpeg):
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(jpeg))))


def test_a_thumbnail_has_the_proportions_of_the_stack_in_um():
    image = draw_thumbnail(RAW, LABELS, {1: MEASURED_COLOR, 2: OTHERS_COLOR}, SPACING)
    assert image.shape == (THUMBNAIL_SIDE, round(THUMBNAIL_SIDE * 15 / 20), 3)
    rows, columns = np.nonzero(colored(image, MEASURED_COLOR))
    scale = THUMBNAIL_SIDE / 20  # pixels per um
    expected = np.array([4 * 0.5, 24 * 0.5, 8 * 0.25, 48 * 0.25]) * scale
    found = [rows.min(), rows.max() + 1, columns.min(), columns.max() + 1]
    np.testing.assert_allclose(found, expected, atol=1.5)
    assert colored(image, OTHERS_COLOR)[:, : round(10.5 * 0.25 * scale)].any()


def test_an_object_is_seen_along_three_axes_at_one_scale():
    boxes = find_boxes(LABELS)
    image, width_um = draw_object(RAW, LABELS, 1, boxes[1], SPACING)
    assert width_um == pytest.approx(MARGIN * 10)  # 3 x 20 x 40 voxels: 6, 10 and 10 um
    assert image.shape == (VIEW_SIDE, 3 * VIEW_SIDE + 2 * GAP, 3)
    size = {"z": 6, "y": 10, "x": 10}
    for i, (down, across) in enumerate(("yx", "zx", "zy")):
        view = image[:, i * (VIEW_SIDE + GAP) :][:, :VIEW_SIDE]
        for axis, name in enumerate((down, across)):
            pixels = np.ptp(np.nonzero(colored(view, FLAGGED_COLOR))[axis]) + 1
            assert pixels == pytest.approx(size[name] / width_um * VIEW_SIDE, abs=2)


def test_what_lies_outside_of_the_stack_is_black():
    labels = boxes_image((4, 30, 30), [(0, 4), (0, 10), (10, 20)])
    raw = np.full(labels.shape, 9, np.uint8)
    raw[labels > 0] = 19
    image, _ = draw_object(raw, labels, 1, find_boxes(labels)[1], (1.0, 1.0, 1.0))
    above = round(VIEW_SIDE * (MARGIN - 1) / 2 / MARGIN)  # of the stack, in the view xy
    assert not image[: above - 1, :VIEW_SIDE].any()
    assert image[above + 2 :, :VIEW_SIDE].any(axis=(1, 2)).all()


def test_flagged_objects_are_drawn_the_worst_first():
    rows = [
        row(1, "touches first row;touches no data"),
        row(2, "low contrast", "90"),
        row(3, "low contrast", "40"),
        row(4),
        row(5, "low contrast;irregular for its stack;touches last row"),
    ]
    assert [each["label"] for each in worst_first(rows)] == ["5", "3", "2", "1"]
    assert worst_first([]) == []


def test_pictures_name_the_labels_of_the_table():
    found = draw_pictures(RAW, LABELS, [row(7, "low contrast", segmentation_label=2)], SPACING)
    (flagged,) = found["flagged"]
    assert (flagged["label"], flagged["reasons"], found["flagged_count"]) == (7, "low contrast", 1)
    assert decoded(flagged["jpeg"]).shape == (VIEW_SIDE, 3 * VIEW_SIDE + 2 * GAP, 3)
    assert decoded(found["thumbnail"]).shape[0] == THUMBNAIL_SIDE
    again = draw_pictures(RAW, LABELS, [row(7, "low contrast", segmentation_label=2)], SPACING)
    assert again == found


def test_colors_tell_flagged_measured_and_other_objects_apart():
    image = decoded(draw_pictures(RAW, LABELS, [row(1, "low contrast")], SPACING)["thumbnail"])
    plain = decoded(draw_pictures(RAW, LABELS, [row(1)], SPACING)["thumbnail"])
    difference = plain.astype(int) - image
    assert difference[..., 2].max() > 100  # blue instead of orange
    assert np.abs(difference[110:]).max() < 40  # the other object is not measured, in both


def test_only_some_of_many_flagged_objects_are_drawn():
    count = MAX_OBJECTS + 5
    labels = np.zeros((2, 4, 2 * count), np.uint16)
    labels[:, 1:3, ::2] = np.arange(1, count + 1)
    rows = [row(label, "low contrast") for label in range(1, count + 1)]
    found = draw_pictures(labels, labels, rows, (1, 1, 1))
    assert (len(found["flagged"]), found["flagged_count"]) == (MAX_OBJECTS, count)


@pytest.mark.parametrize("shape", [(1, 5, 7), (3, 1, 9), (4, 300, 2)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_stacks_without_objects_and_of_odd_shapes(shape, dtype):
    labels = np.zeros(shape, np.uint16)
    found = draw_pictures(np.full(shape, 3, dtype), labels, [], SPACING)
    assert found["flagged"] == []
    assert max(decoded(found["thumbnail"]).shape) == THUMBNAIL_SIDE
    labels[0, 0, 0] = 1
    found = draw_pictures(np.full(shape, 3, dtype), labels, [row(1, "low contrast")], SPACING)
    assert len(found["flagged"]) == 1
