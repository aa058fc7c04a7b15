import numpy as np
import pytest
from scipy import ndimage

from cellstack.core.labels import find_boxes
from cellstack.core.surroundings import measure_contrast

SPACING = (1.0, 0.5, 0.5)


def ball_stack(height, noise, diameter=8.0):
    axes = np.ogrid[:24, :48, :48]
    squared = sum(
        ((axis - middle) * step) ** 2
        for axis, middle, step in zip(axes, (12, 24, 24), SPACING, strict=True)
    )
    segmentation = np.where(squared <= diameter**2 / 4, np.uint16(7), np.uint16(0))
    raw = np.random.default_rng(0).normal(100, noise, segmentation.shape) + height * (
        segmentation > 0
    )
    return segmentation, raw, find_boxes(segmentation)


@pytest.mark.parametrize(("height", "noise"), [(50, 10), (10, 10), (0, 10), (-30, 10)])
def test_contrast_is_in_standard_deviations_of_the_background(height, noise):
    segmentation, raw, boxes = ball_stack(height, noise)
    contrast, heights = measure_contrast(segmentation, boxes, raw, SPACING)
    assert contrast == pytest.approx(height / noise, abs=0.3)
    assert heights == pytest.approx(height, abs=3)


def test_neighbouring_objects_are_not_background():
    segmentation, raw, boxes = ball_stack(50, 10)
    raw[:, :, 34:] += 500
    segmentation[:, :, 34:] = 8
    assert measure_contrast(segmentation, boxes, raw, SPACING)[0] == pytest.approx(5, abs=0.3)
    segmentation[segmentation == 0] = 9  # on all sides
    assert np.isnan(measure_contrast(segmentation, boxes, raw, SPACING)).all()


def test_the_background_is_a_shell_beyond_the_blurred_edge():
    # For a diameter of 8 um: from 0.4 to 1.6 um away. Closer voxels are blurred, others are far.
    spacing = (0.8, 0.4, 0.2)
    z, y, x = (np.arange(n) - n // 2 for n in (31, 61, 121))
    radius = np.sqrt(
        (z * spacing[0])[:, None, None] ** 2
        + (y * spacing[1])[:, None] ** 2
        + (x * spacing[2]) ** 2
    )
    segmentation = np.where(radius <= 4, 3, 0).astype(np.uint16)
    raw = np.random.default_rng(0).normal(100, 10, radius.shape)
    raw[segmentation > 0] += 50
    distance = ndimage.distance_transform_edt(segmentation == 0, sampling=spacing)
    raw[(distance > 0) & (distance < 0.4)] += 1000
    raw[distance > 1.6] += 1000
    found, _ = measure_contrast(segmentation, find_boxes(segmentation), raw, spacing)
    assert found == pytest.approx(5, abs=0.15)


@pytest.mark.parametrize(("free", "defined"), [(19, False), (20, True)])
def test_contrast_needs_20_voxels_of_background(free, defined):
    segmentation = np.full((1, 12, 13), 2, np.uint16)
    segmentation[0, 4:8, 4:8] = 1
    # The diameter is 100 um, so that the background is 5 to 20 um away.
    spacing, raw = (454.5, 9.0, 8.0), np.arange(156, dtype=float).reshape(1, 12, 13)
    away = ndimage.distance_transform_edt(segmentation != 1, sampling=spacing)
    segmentation[tuple(np.argwhere((away > 5) & (away <= 20))[:free].T)] = 0
    box = np.s_[0:1, 4:8, 4:8]
    ((found,), _) = measure_contrast(segmentation, {1: box}, raw, spacing)
    assert np.isfinite(found) == defined


def test_contrast_without_noise():
    for height, expected in ((50, np.inf), (-50, -np.inf), (0, 0)):
        segmentation, _, boxes = ball_stack(0, 1)
        raw = 100 + height * (segmentation > 0)
        assert measure_contrast(segmentation, boxes, raw, SPACING)[0] == expected


def test_voxels_without_data_are_not_background():
    raw = np.full((4, 20, 30), 300.0, "float32")
    raw += np.random.default_rng(0).normal(0, 10, raw.shape).astype("float32")
    segmentation = np.zeros(raw.shape, np.uint16)
    segmentation[1:3, 6:14, 8:16] = 1
    raw[segmentation > 0] += 200
    no_data = np.zeros(raw.shape, bool)
    no_data[:, :, 16:] = True
    box = (slice(1, 3), slice(6, 14), slice(8, 16))
    ((expected,), _) = measure_contrast(segmentation, {1: box}, raw, (1.0, 0.7, 0.6), 1, no_data)
    raw[no_data] = 0
    ((found,), _) = measure_contrast(segmentation, {1: box}, raw, (1.0, 0.7, 0.6), 1, no_data)
    ((blind,), _) = measure_contrast(segmentation, {1: box}, raw, (1.0, 0.7, 0.6))
    assert found == expected
    assert blind < 0.5 * found
