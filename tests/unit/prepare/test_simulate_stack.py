"""Simulated colonies: geometry, image quality, reproducibility and errors."""

import cc3d
import cv2
import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

import simulate_stack as script
from cellstack.errors import InputError
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import read_stack
from cellstack.prepare import simulate_stack as module
from cellstack.prepare.simulate_stack import simulate_stack

DIAMETER = 10.0
STACKS = {  # by the ratio of the spacings along z and x: shape, spacing, count
    1: ((60, 200, 200), (0.29, 0.26, 0.26), 22),
    4: ((60, 160, 160), (1.04, 0.26, 0.26), 45),
    8: ((30, 160, 160), (2.08, 0.26, 0.26), 45),
}


@pytest.fixture(scope="module", params=STACKS, ids="ratio{}".format)
def stack(request):
    shape, spacing, count = STACKS[request.param]
    return simulate_stack(shape, spacing, diameter_um=DIAMETER, count=count, seed=3), spacing, count


def small(**changed):
    given = {"diameter_um": 6.0, "count": 3, "seed": 0} | changed
    shape, spacing = given.pop("shape", (16, 48, 56)), given.pop("spacing", (0.8, 0.4, 0.4))
    return simulate_stack(shape, spacing, **given)


def volumes(labels, spacing):
    return np.bincount(labels.ravel())[1:] * np.prod(spacing)


def touching(labels):
    """Labels with a voxel that shares a face with a voxel of another label."""
    found = set()
    for axis in range(3):
        along = np.moveaxis(labels, axis, 0)
        here, there = along[1:], along[:-1]
        border = (here != there) & (here > 0) & (there > 0)
        found |= set(here[border].tolist()) | set(there[border].tolist())
    return found


def cut(labels):
    faces = [np.moveaxis(labels, axis, 0)[side] for axis in range(3) for side in (0, -1)]
    return set(np.concatenate([face.ravel() for face in faces]).tolist()) - {0}


@pytest.mark.slow
def test_labels_are_connected_and_consecutive(stack):
    simulated, _, count = stack
    for labels in (simulated.nuclei_labels, simulated.cell_labels):
        assert np.array_equal(np.unique(labels), np.arange(count + 1))
        assert labels.dtype == np.uint16
        assert cc3d.connected_components(labels).max() == count


def test_each_nucleus_lies_in_its_own_larger_cell(stack):
    simulated, spacing, _ = stack
    nuclei, cells = simulated.nuclei_labels, simulated.cell_labels
    assert np.array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    assert np.all(volumes(cells, spacing) > 1.2 * volumes(nuclei, spacing))


def test_the_colony_is_cut_by_lateral_faces_only(stack):
    cells = stack[0].cell_labels
    assert (cells[[0, -1]] > 0).mean() < 0.02
    assert 0.2 < (cells == 0).mean() < 0.8
    assert cut(cells)


def test_volumes_of_isolated_nuclei_are_those_of_their_ellipsoids(stack):
    simulated, spacing, count = stack
    isolated = set(range(1, count + 1)) - {simulated.mitotic}
    isolated -= cut(simulated.nuclei_labels) | touching(simulated.nuclei_labels)
    index = np.array(sorted(isolated)) - 1
    assert len(index) >= 3
    np.testing.assert_allclose(
        volumes(simulated.nuclei_labels, spacing)[index], simulated.volumes_um3[index], rtol=0.06
    )
    assert np.cbrt(simulated.volumes_um3.mean() * 6 / np.pi) == pytest.approx(DIAMETER, rel=0.1)


def test_many_nuclei_touch_and_some_are_cut(stack):
    simulated, _, count = stack
    assert len(touching(simulated.nuclei_labels)) >= 0.3 * count
    assert cut(simulated.nuclei_labels)


def test_one_nucleus_is_mitotic(stack):
    simulated, spacing, _ = stack
    labels, image = simulated.nuclei_labels, simulated.nuclei_image
    mean = np.bincount(labels.ravel(), image.ravel())[1:] / np.bincount(labels.ravel())[1:]
    others = np.delete(mean, simulated.mitotic - 1)
    assert mean[simulated.mitotic - 1] > 1.2 * others.max()
    assert (
        volumes(labels, spacing)[simulated.mitotic - 1]
        < 0.5 * simulated.volumes_um3[simulated.mitotic - 1]
    )


def test_membrane_is_bright_between_cells(stack):
    simulated, _, _ = stack
    cells, image = simulated.cell_labels, simulated.membrane_image.astype(float)
    wall = np.zeros(cells.shape, bool)
    wall[:, :, 1:] = (
        (cells[:, :, 1:] != cells[:, :, :-1]) & (cells[:, :, 1:] > 0) & (cells[:, :, :-1] > 0)
    )
    outside, inside = image[cells == 0].mean(), image[simulated.nuclei_labels > 0].mean()
    assert image[wall].mean() - outside > 4 * (inside - outside)
    assert inside > outside


def test_a_colony_can_be_painted_at_any_spacing():
    fine = small(shape=(48, 48, 56), spacing=(0.3, 0.4, 0.4))
    coarse = small(shape=(12, 24, 28), spacing=(1.2, 0.8, 0.8))
    assert fine.mitotic == coarse.mitotic
    np.testing.assert_allclose(fine.volumes_um3, coarse.volumes_um3, rtol=1e-6)
    np.testing.assert_allclose(
        volumes(fine.cell_labels, (0.3, 0.4, 0.4)),
        volumes(coarse.cell_labels, (1.2, 0.8, 0.8)),
        rtol=0.06,
    )


@pytest.mark.slow
def test_signal_to_noise():
    shape, spacing, count = STACKS[1]
    options = {"diameter_um": DIAMETER, "count": count, "seed": 3, "depth_factor": 1}
    clean = simulate_stack(shape, spacing, signal_to_noise=1e4, **options)
    nuclei = (clean.nuclei_labels > 0).astype(np.uint8)
    inner = np.stack([cv2.erode(plane, np.ones((5, 5))) > 0 for plane in nuclei])
    inner &= clean.nuclei_labels != clean.mitotic
    exact = clean.nuclei_image.astype(float)
    level = exact[inner].mean()
    signal = level - exact[clean.cell_labels == 0].mean()
    is_typical = np.abs(exact - level) < 0.05 * signal
    for ratio in (3, 8):
        noisy = simulate_stack(shape, spacing, signal_to_noise=ratio, **options)
        assert np.array_equal(noisy.nuclei_labels, clean.nuclei_labels)
        noise = (noisy.nuclei_image - exact)[is_typical]
        assert abs(noise.mean()) < 0.02 * signal
        assert signal / noise.std() == pytest.approx(ratio, rel=0.1)


@pytest.mark.parametrize("channel", ["nuclei_image", "membrane_image"])
def test_the_signal_decays_exponentially_with_depth_and_the_background_does_not(channel):
    stacks = [small(signal_to_noise=1e4, depth_factor=factor) for factor in (1, 4, 16)]
    even, fourth, sixteenth = (getattr(each, channel).astype(float) for each in stacks)
    colony = stacks[0].cell_labels > 0
    away = cv2.dilate(colony.any(axis=0).astype(np.uint8), np.ones((9, 9))) == 0
    assert away.any()
    np.testing.assert_allclose(sixteenth[:, away], even[:, away], atol=3)
    np.testing.assert_allclose(sixteenth[0], even[0], atol=3)
    planes = np.arange(4, 12)
    lost = [np.sum((even - each) * colony, axis=(1, 2))[planes] for each in (fourth, sixteenth)]
    # (1 - d) / (1 - d**2) = 1 / (1 + d) for any signal and background
    np.testing.assert_allclose(lost[0] / lost[1], 1 / (1 + 4 ** (-planes / 15)), rtol=0.01)


def test_the_same_seed_gives_the_same_bytes_for_any_number_of_threads():
    threads = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        one = small(seed=5)
        cv2.setNumThreads(4)
        many = small(seed=5)
    finally:
        cv2.setNumThreads(threads)
    other = small(seed=6)
    for field in ("nuclei_image", "membrane_image", "nuclei_labels", "cell_labels"):
        assert getattr(one, field).tobytes() == getattr(many, field).tobytes()
        assert getattr(one, field).tobytes() != getattr(other, field).tobytes()


def test_labels_do_not_depend_on_the_size_of_blocks(monkeypatch):
    at_once = small()
    monkeypatch.setattr(module, "VOXELS_PER_BLOCK", 3 * 48 * 56)
    in_parts = small()
    assert np.array_equal(at_once.nuclei_labels, in_parts.nuclei_labels)
    assert np.array_equal(at_once.cell_labels, in_parts.cell_labels)


@pytest.mark.parametrize(
    ("shape", "count"), [((1, 40, 40), 2), ((9, 1, 60), 2), ((6, 17, 31), 1), ((3, 5, 64), 2)]
)
def test_odd_shapes(shape, count):
    simulated = small(shape=shape, count=count)
    assert simulated.nuclei_image.shape == simulated.cell_labels.shape == shape
    assert np.array_equal(np.unique(simulated.nuclei_labels)[-count:], np.arange(1, count + 1))


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(1, 6), ratio=st.sampled_from([1, 4, 8]))
def test_labels_are_consistent_for_any_seed(seed, count, ratio):
    simulated = small(
        seed=seed,
        count=count,
        shape=(48 // ratio, 48, 56),
        spacing=(0.3 * ratio, 0.3, 0.3),
        diameter_um=5.0,
    )
    nuclei, cells = simulated.nuclei_labels, simulated.cell_labels
    assert np.array_equal(np.unique(nuclei)[-count:], np.arange(1, count + 1))
    assert np.array_equal(cells[nuclei > 0], nuclei[nuclei > 0])
    assert 1 <= simulated.mitotic <= count


def test_the_error_for_too_many_nuclei_names_the_number_that_fits():
    with pytest.raises(InputError, match=r"nuclei_count=100: only \d+ nuclei of 6 um fit") as error:
        small(count=100)
    fitting = int(str(error.value).split("only ")[1].split()[0])
    assert 10 < fitting < 100
    assert small(count=fitting // 2).nuclei_labels.max() == fitting // 2


def test_nuclei_smaller_than_a_voxel_are_an_error():
    with pytest.raises(InputError, match=r"diameter_um=0\.05"):
        small(diameter_um=0.05)


@pytest.mark.parametrize(
    "invalid",
    [
        {"shape": (4, 4)},
        {"shape": (0, 4, 4)},
        {"spacing": (1, 0, 1)},
        {"diameter_um": 0},
        {"count": 0},
        {"signal_to_noise": 0},
        {"depth_factor": 0.5},
    ],
)
def test_values_out_of_range_are_an_error(invalid):
    with pytest.raises(InputError, match=f"{next(iter(invalid))}=.*: must be"):
        small(**invalid)


def test_the_script_writes_the_same_files_each_time(tmp_path):
    spacing = [0.8, 0.4, 0.4]
    options = {"diameter_um": 6.0, "seed": 0, "signal_to_noise": 8.0, "depth_factor": 2.0}
    for folder in (tmp_path / "a", tmp_path / "b"):
        files = {name: folder / f"{name}.ome.tif" for name in ("image", "nuclei", "cells")}
        script.main(**files, shape=[16, 48, 56], spacing=spacing, nuclei_count=3, **options)
    for name in files:
        assert (tmp_path / "a" / f"{name}.ome.tif").read_bytes() == files[name].read_bytes()
    expected = simulate_stack((16, 48, 56), spacing, count=3, **options)
    with tifffile.TiffFile(files["image"]) as tif:
        assert tif.series[0].axes == "CZYX"
        assert np.array_equal(tif.asarray(), [expected.nuclei_image, expected.membrane_image])
        described = tifffile.xml2dict(tif.ome_metadata)["OME"]["Image"]
    assert "simulated by cellstack" in described["Name"]
    assert [channel["Name"] for channel in described["Pixels"]["Channel"]] == ["nuclei", "membrane"]
    assert [described["Pixels"][f"PhysicalSize{axis}"] for axis in "ZYX"] == spacing
    for name, ground_truth in {
        "nuclei": expected.nuclei_labels,
        "cells": expected.cell_labels,
    }.items():
        labels, steps = read_stack(files[name])
        assert np.array_equal(labels, ground_truth)
        assert list(steps) == spacing


@pytest.mark.parametrize("spacing", [(0.8, 0.4, 0.4), (0.3, 0.4, 0.4)])
def test_stacks_in_files_are_those_in_memory(tmp_path, spacing):
    expected = small(spacing=spacing)
    with scratch_stacks(tmp_path) as allocate:
        found = small(spacing=spacing, allocate=allocate)
        for name in ("nuclei_image", "membrane_image", "nuclei_labels", "cell_labels"):
            stack = getattr(found, name)
            assert not isinstance(stack, np.ndarray)
            np.testing.assert_array_equal(stack[:], getattr(expected, name))
