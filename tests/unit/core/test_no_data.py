"""Stacks with and without regions without data."""

import numpy as np
import pytest
from scipy import ndimage

from cellstack.core.no_data import (
    NoData,
    fill_no_data,
    find_no_data,
    labels_beside,
    mark_no_data,
    widen,
)
from cellstack.prepare.simulate_stack import simulate_stack

SHAPE = (16, 80, 90)
SPACING = (1.0, 0.4, 0.3)


def balls(heights):
    """Return 12 separate balls with the given heights, without background."""
    z, y, x = (
        np.arange(length).reshape(np.roll((-1, 1, 1), axis)) * step
        for axis, (length, step) in enumerate(zip(SHAPE, SPACING, strict=True))
    )
    stack = np.zeros(SHAPE)
    for number, height in enumerate(np.broadcast_to(heights, 12)):
        centre = 8, 4.5 + 11 * (number // 4), 3.8 + 6.4 * (number % 4)
        squares = (z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2
        stack[squares <= 9] = height
    return stack


def counts(mean):
    return np.random.default_rng(5).poisson(mean).astype(np.uint16)


def blurred(heights=400.0):
    return ndimage.gaussian_filter(balls(heights), 0.9)


def camera(pedestal=300.0):
    return counts(blurred() + pedestal)


def with_zeros(stack, *box):
    stack = stack.copy()
    stack[box] = 0
    return stack


def turn(stack, angle=25, axes=(1, 2), **options):
    return ndimage.rotate(stack, angle, axes=axes, **{"order": 1} | options)


def sheared(stack):
    last = 2 * (len(stack) - 1)
    return np.stack([np.pad(p, ((2 * z, last - 2 * z), (0, 0))) for z, p in enumerate(stack)])


def padded(stack, *margins, value=0):
    return np.pad(stack, margins, constant_values=value)


def wall(profile):
    """Return one large object that fills the stack from a column on; `profile` is along x."""
    inner = np.broadcast_to(profile, (*SHAPE[:2], len(profile)))
    return padded(counts(inner), (0, 0), (0, 0), (SHAPE[2] - len(profile), 0))


def with_dark_spots():
    stack = wall(np.full(70, 400))
    stack[4:8, 20:30, 40:75] = 50  # 1.6 % of the object
    return stack


def with_few_dark_pixels():
    stack = with_zeros(camera(), ..., slice(9))
    stack.flat[np.flatnonzero(stack)[::2000]] = 20  # 0.05 %
    return stack


WITHOUT_DATA = {
    "strip": lambda: with_zeros(camera(), ..., slice(84, None)),
    "last column": lambda: with_zeros(camera(), ..., -1),
    "strip beside a low offset": lambda: with_zeros(camera(60), ..., slice(4)),
    "strip in an empty stack": lambda: with_zeros(counts(np.full(SHAPE, 300)), ..., slice(9)),
    "strip in one plane": lambda: with_zeros(camera()[8:9], ..., slice(9)),
    "strip, and few dark pixels": with_few_dark_pixels,
    "strip of floats": lambda: (with_zeros(camera(), ..., slice(9)) / 1000).astype(np.float32),
    "strip of bytes": lambda: with_zeros((camera() // 4).clip(0, 255).astype(np.uint8), 0),
    "planes": lambda: padded(camera(), (3, 0), (0, 0), (0, 0)),
    "frame": lambda: padded(camera(), (2, 2), (9, 9), (7, 7)),
    "frame of a constant": lambda: padded(camera(), (0, 0), (9, 9), (7, 7), value=50),
    "white frame": lambda: padded(camera(), (0, 0), (9, 9), (7, 7), value=65535),
    "missing tile": lambda: with_zeros(camera(), slice(None), slice(40), slice(45)),
    "small missing tile": lambda: with_zeros(camera(), slice(None), slice(8), slice(8)),
    "rotated": lambda: turn(camera()),
    "rotated with interpolated border": lambda: turn(camera(), mode="grid-constant"),
    "rotated by splines": lambda: turn(camera(), -40, order=3),
    "rotated out of the plane": lambda: turn(camera(), 10, axes=(0, 2)),
    "rotated twice": lambda: turn(turn(camera()), 10, axes=(0, 1)),
    "rotated, empty": lambda: turn(counts(np.full(SHAPE, 300))),
    "sheared": lambda: sheared(camera()),
}
WITH_DATA = {
    "offset": camera,
    "background 0": lambda: counts(blurred()),
    "background 0, noise-free": lambda: blurred().astype(np.float32),
    "background 0, noise-free integers": lambda: blurred().astype(np.uint16),
    "background 0, sharp": lambda: counts(balls(400)),
    "background 0, sharp and noise-free": lambda: balls(400).astype(np.uint8),
    "background 0, sharp, few bright": lambda: counts(balls([400] * 10 + [2000] * 2)),
    "background 0, sharp, all different": lambda: counts(balls(np.linspace(200, 1500, 12))),
    "one sharp ball": lambda: counts(balls([900] + [0] * 11)[:, :24, :24]),
    "background subtracted": lambda: (camera().astype(int) - 300).clip(0).astype(np.uint16),
    "more subtracted": lambda: (camera().astype(int) - 340).clip(0).astype(np.uint16),
    "masked by a threshold": lambda: np.where(camera() > 450, camera(), 0).astype(np.uint16),
    "few counts": lambda: counts(blurred(8.0) + 0.1),
    "bytes in 16 bits": lambda: ((camera() // 8 - 36).clip(0, 255) * 256).astype(np.uint16),
    "saturated": lambda: camera().clip(0, 500)[:, 12:, 12:],
    "saturated plane": lambda: camera().clip(0, 500)[8:9, 12:, 12:],
    "background 0, one object with a blurred rim": lambda: wall(400 * np.arange(70).clip(1, 30)),
    "background 0, one object with dark spots": with_dark_spots,
    "background 0, two large sharp objects": lambda: with_zeros(
        counts(np.full(SHAPE, 400)), ..., slice(50, 60)
    ),
    "dead column": lambda: with_zeros(camera(), ..., 3),
    "dead row": lambda: with_zeros(camera(), slice(None), 3),
    "few dead pixels at a face": lambda: with_zeros(camera(), 0, slice(2, 9), slice(2, 10)),
    "small hole at a face": lambda: with_zeros(camera(), slice(10), slice(2, 8), slice(2, 8)),
    "labels": lambda: (balls(np.arange(1, 13)) * 10).astype(np.uint16),
    "zeros": lambda: np.zeros(SHAPE, np.uint16),
    "constant": lambda: np.full((3, 8, 8), 7, np.uint8),
    "one voxel": lambda: np.zeros((1, 1, 1), np.float32),
    "one row": lambda: np.zeros((1, 1, 50), np.uint8),
}


@pytest.mark.parametrize("draw", WITHOUT_DATA.values(), ids=WITHOUT_DATA)
def test_regions_without_data_are_found(draw):
    stack = draw()
    found = find_no_data(stack)
    assert found is not None
    marked = mark_no_data(stack, found)
    constant = stack == found.value
    assert marked[constant].all()
    # Around them are interpolated voxels, at most two.
    assert not (marked & ~widen(widen(constant))).any()
    assert marked.sum() < 1.1 * constant.sum()


@pytest.mark.parametrize("draw", WITH_DATA.values(), ids=WITH_DATA)
def test_a_true_background_is_data(draw):
    assert find_no_data(draw()) is None


def test_a_simulated_colony_is_data_with_and_without_its_background():
    colony = simulate_stack((20, 90, 90), SPACING, diameter_um=8, count=9, seed=2).nuclei_image
    assert find_no_data(colony) is None
    for percent in (5, 50, 90):
        lowered = colony.astype(int) - int(np.percentile(colony, percent))
        assert find_no_data(lowered.clip(0).astype(np.uint16)) is None


@pytest.mark.parametrize("axis", range(3))
def test_half_of_a_noisy_colony_without_data(axis):
    colony = simulate_stack((20, 90, 90), SPACING, diameter_um=8, count=9, seed=2).nuclei_image
    half = np.moveaxis(colony, axis, 0)
    half[len(half) // 2 :] = 0  # 3.3 standard deviations of the noise below the background
    found = find_no_data(colony)
    assert found is not None
    assert mark_no_data(colony, found).mean() == pytest.approx(0.5, abs=0.01)


def test_interpolated_voxels_are_marked():
    turned, inside = (turn(stack, mode="grid-constant") for stack in (camera(), np.ones(SHAPE)))
    assert (inside[turned > 0] < 0.5).sum() > 1000
    marked = mark_no_data(turned, find_no_data(turned))
    assert marked[inside < 0.5].all()
    assert marked[inside > 0.999].mean() < 0.001


def test_noise_beside_a_sharp_border_is_data():
    stack = with_zeros(camera(), ..., slice(9))
    assert np.array_equal(mark_no_data(stack, find_no_data(stack)), stack == 0)


@pytest.mark.parametrize("order", [1, -1])
def test_marks_voxels_up_to_two_steps_from_the_value(order):
    row = np.array([0, 0, 30, 60, 70, 99, 60, 98], np.float32)[::order]
    marked = mark_no_data(row.reshape(1, 1, -1), NoData(0.0, 80.0))
    assert marked.ravel()[::order].tolist() == [True] * 4 + [False] * 4
    bright = mark_no_data(200 - row.reshape(1, 1, -1), NoData(200.0, 120.0))
    assert np.array_equal(bright, marked)


@pytest.mark.parametrize("shape", [(1, 1, 60), (1, 60, 1), (60, 1, 1)])
def test_a_line_of_voxels_is_data(shape):
    line = np.zeros(60, np.uint8)
    line[30:] = 100
    assert find_no_data(line.reshape(shape)) is None


def test_fill_has_the_level_of_the_data_near_it_and_changes_no_data():
    y, x = np.mgrid[:60, :70]
    ramp = np.broadcast_to(100 + 2.0 * y, (9, 60, 70)).astype(np.float32)
    no_data = np.broadcast_to(x + y // 3 > 55, ramp.shape)
    filled = fill_no_data(np.where(no_data, 0, ramp), no_data, (2.0, 0.5, 0.4))
    assert np.array_equal(filled[~no_data], ramp[~no_data])
    beside = no_data & widen(~no_data)
    assert np.abs(filled - ramp)[beside].mean() < 8
    assert ramp.min() < filled[no_data].min() < filled[no_data].max() < ramp.max()


def cylinder(radius, outside, planes=1):
    """Return planes with a sharp disc in them that reaches no face, and the distance from it."""
    y, x = np.ogrid[:130, :140]
    distance = np.hypot(y - 65, x - 70)
    plane = np.where(distance <= radius, counts(np.full((130, 140), 400)), outside)
    return np.repeat(plane[None], planes, axis=0).astype(np.uint16), distance


def test_one_large_object_is_data():
    # Also if it fills much of the only plane, or of one face, or if its middle is brighter.
    stack, distance = cylinder(60, 0)
    assert find_no_data(stack) is None
    assert find_no_data(stack[..., 65:]) is None
    stack[0] += np.uint16(2000) * (distance < 51)
    assert find_no_data(stack) is None


def test_a_saturated_background_is_data():
    stack, _ = cylinder(50, 4095, planes=7)
    stack[0] = stack[-1] = 4095
    assert find_no_data(stack) is None


def test_fill_takes_the_data_nearest_in_um():
    spacing = (2.0, 0.5, 0.4)
    stack = np.broadcast_to(np.uint16([100, 300, 500, 700]).reshape(4, 1, 1), (4, 32, 64)).copy()
    no_data = np.zeros(stack.shape, bool)
    no_data[..., 20] = True
    expected = stack.copy()
    stack[no_data] = 0
    assert np.array_equal(fill_no_data(stack, no_data, spacing), expected)
    # A missing plane gets the values of the next one at the same place.
    stack = np.broadcast_to(np.where(np.arange(64) < 32, 100, 300), (4, 32, 64)).astype(np.uint16)
    no_data = np.zeros(stack.shape, bool)
    no_data[2] = True
    assert np.array_equal(fill_no_data(np.where(no_data, 0, stack), no_data, spacing), stack)


def test_fill_does_not_round_floats():
    stack = np.array([[[0, 0.25, 0.5, 0]]], np.float32)
    filled = fill_no_data(stack, stack == 0, (2.0, 0.5, 0.4))
    assert filled.ravel().tolist() == [0.25, 0.25, 0.5, 0.5]


def test_fill_keeps_the_type_and_rounds():
    stack = np.array([[[0, 0, 5, 6, 0, 0, 0]]], np.uint8)
    filled = fill_no_data(stack, stack == 0, (1.0, 1.0, 1.0))
    assert filled.dtype == np.uint8
    assert filled.ravel().tolist() == [6, 6, 5, 6, 6, 6, 6]


def test_labels_beside_a_region_across_faces_edges_and_corners():
    labels = np.zeros((3, 4, 4), np.uint16)
    labels[0, 0, 0], labels[1, 1, 1], labels[2, 3, 3], labels[0, 3, 0] = 4, 2, 3, 7
    no_data = np.zeros(labels.shape, bool)
    no_data[0, 0, 0] = no_data[2, 2, 0] = True
    assert labels_beside(labels, no_data).tolist() == [2, 4]
