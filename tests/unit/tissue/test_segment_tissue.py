"""The mask of the tissue: sizes in um, anisotropic voxels, and stacks that are odd."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu

from cellstack.core import components, filters
from cellstack.files.scratch import scratch_stacks
from cellstack.tissue.segment_tissue import close_gaps, segment_tissue

SPACINGS = [(0.5, 0.5, 0.4), (2.0, 0.5, 0.4), (4.0, 0.5, 0.4)]
NOTHING = {
    "sigma_um": 0.0,
    "method": "otsu",
    "options": {},
    "factor": 1.0,
    "closing_radius_um": 0.0,
    "max_hole_um3": 0.0,
    "min_volume_um3": 0.0,
}


def distances(shape, spacing, centre_um):
    """Return the distance in um of each voxel to a point."""
    squares = [
        ((axis * step) - c) ** 2
        for axis, step, c in zip(np.indices(shape), spacing, centre_um, strict=True)
    ]
    return np.sqrt(sum(squares))


@pytest.fixture(params=SPACINGS, ids=lambda spacing: f"z={spacing[0]}")
def embryo(request):
    """Return a noisy ball of tissue of 12 um radius with dark cavities, and its spacing."""
    spacing = request.param
    shape = tuple(int(36 / step) for step in spacing)
    distance = distances(shape, spacing, (18, 18, 18))
    rng = np.random.default_rng(0)
    raw = rng.poisson(20, shape) + (distance < 12) * rng.poisson(100, shape)
    return raw.astype(np.uint16), distance, spacing


def test_a_ball_has_its_volume(embryo):
    raw, distance, spacing = embryo
    settings = NOTHING | {"sigma_um": 0.8, "min_volume_um3": 50.0, "max_hole_um3": 50.0}
    mask, threshold = segment_tissue(raw, spacing, **settings)
    assert mask.dtype == np.uint8
    assert 50 < threshold < 90
    volume = mask.sum() * np.prod(spacing)
    assert volume == pytest.approx(4 / 3 * np.pi * 12**3, rel=0.06)
    assert not mask[distance > 12 + spacing[0]].any()
    assert mask[distance < 12 - spacing[0]].all()


def test_the_threshold_is_that_of_scikit_image():
    raw = np.random.default_rng(1).poisson(20, (4, 30, 30)).astype(np.uint16)
    raw[:, 10:20] += 80
    mask, threshold = segment_tissue(raw, (1, 0.5, 0.4), **NOTHING)
    expected = threshold_otsu(raw)
    np.testing.assert_array_equal(mask, raw > expected)
    assert expected <= threshold <= expected + 1
    halved, lower = segment_tissue(raw, (1, 0.5, 0.4), **NOTHING | {"factor": 0.5})
    assert lower == pytest.approx(threshold / 2)
    np.testing.assert_array_equal(halved, raw > lower)
    fixed = {"method": "fixed", "options": {"value": 15.0}}
    np.testing.assert_array_equal(
        segment_tissue(raw, (1, 0.5, 0.4), **NOTHING | fixed)[0], raw > 15
    )


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("radius_um", [0.7, 2.0, 5.0])
def test_closing_is_that_of_scipy(spacing, radius_um):
    mask = np.random.default_rng(2).random((10, 24, 26)) < 0.01

    def edt(foreground):
        return ndimage.distance_transform_edt(foreground, sampling=spacing)

    dilated = edt(~mask) <= radius_um + 1e-5
    expected = edt(dilated) > radius_um + 1e-5 if not dilated.all() else dilated
    found = close_gaps(mask.astype(np.uint8), spacing, radius_um)
    np.testing.assert_array_equal(found, expected)
    assert (found >= mask).all()


def test_holes_and_pieces_by_volume_in_um3():
    raw = np.zeros((12, 20, 22), np.uint8)
    raw[2:9, 2:14, 2:14] = 200
    raw[4:6, 5:7, 5:7] = 0  # a hole of 8 voxels
    raw[10:, 16:18, 16:19] = 200  # a piece of 12 voxels
    voxel = 0.5

    def segment(hole, piece):
        settings = {"max_hole_um3": hole, "min_volume_um3": piece}
        return segment_tissue(raw, (1.0, 0.5, 1.0), **NOTHING | settings)[0]

    assert segment(0, 0).sum() == 7 * 12 * 12 - 8 + 12
    assert segment(8 * voxel, 0).sum() == 7 * 12 * 12 + 12
    assert segment(7 * voxel, 0)[4, 5, 5] == 0
    assert segment(0, 12 * voxel)[10, 16, 16] == 1  # pieces of the minimum volume stay
    assert segment(0, 13 * voxel)[10, 16, 16] == 0


def test_regions_without_data_are_not_tissue_and_do_not_move_the_threshold():
    raw = np.random.default_rng(3).poisson(50, (4, 30, 40)).astype(np.uint16)
    raw[:, :15] += 100
    settings = NOTHING | {"sigma_um": 1.0}
    whole, threshold = segment_tissue(raw, (1, 0.5, 0.5), **settings)
    no_data = np.zeros(raw.shape, bool)
    no_data[..., 30:] = True
    raw[no_data] = 0
    mask, same = segment_tissue(raw, (1, 0.5, 0.5), **settings, no_data=no_data)
    assert same == pytest.approx(threshold, rel=0.05)
    assert not mask[no_data].any()
    np.testing.assert_array_equal(mask[..., :29], whole[..., :29])
    nothing = segment_tissue(raw, (1, 0.5, 0.5), **settings, no_data=np.ones(raw.shape, bool))
    assert not nothing[0].any()


@pytest.mark.parametrize("value", [0, 7])
def test_a_constant_stack_has_no_tissue(value):
    raw = np.full((3, 8, 9), value, np.uint8)
    settings = NOTHING | {"sigma_um": 1.0, "closing_radius_um": 3.0, "min_volume_um3": 1.0}
    mask, _ = segment_tissue(raw, (1, 0.5, 0.5), **settings)
    assert mask.sum() == 0


def test_the_result_depends_neither_on_threads_nor_on_the_input_being_writable():
    raw = np.random.default_rng(4).poisson(20, (8, 30, 30)).astype(np.uint16)
    raw[2:6, 5:20, 5:20] += 50
    raw.flags.writeable = False
    settings = NOTHING | {"sigma_um": 0.6, "closing_radius_um": 2.0, "min_volume_um3": 2.0}
    one = segment_tissue(raw, (1, 0.5, 0.4), **settings)
    two = segment_tissue(raw, (1, 0.5, 0.4), **settings, threads=2)
    np.testing.assert_array_equal(one[0], two[0])


def test_the_result_is_the_same_in_small_slabs(tmp_path, monkeypatch):
    rng = np.random.default_rng(5)
    raw = rng.poisson(20, (9, 31, 30)).astype(np.uint16)
    raw[2:8, 5:20, 5:20] += 50
    raw[0, 20:, 20:] += 80
    raw[:, :, 27:] = 0
    settings = NOTHING | {
        "sigma_um": 0.6,
        "closing_radius_um": 1.2,
        "max_hole_um3": 4.0,
        "min_volume_um3": 4.0,
        "no_data": raw == 0,
    }
    spacing = (0.8, 0.5, 0.4)
    whole, threshold = segment_tissue(raw, spacing, **settings)
    assert 0 < whole.sum() < whole.size
    monkeypatch.setattr(components, "SLAB_VOXELS", 2 * raw[0].size)
    monkeypatch.setattr(filters, "VOXELS_IN_MEMORY", 3 * raw[:, 0].size)
    with scratch_stacks(tmp_path) as allocate:
        mask, same = segment_tissue(raw, spacing, **settings, allocate=allocate)
        np.testing.assert_array_equal(mask[:], whole)
    assert same == threshold
