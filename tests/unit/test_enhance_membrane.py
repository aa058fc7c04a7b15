import numpy as np
import pytest

from cellstack import enhance_membrane as module
from cellstack import io, whole_files
from cellstack.enhance_membrane import enhance_membrane
from cellstack.simulate_stack import simulate_stack
from enhance_membrane import main

RATIOS = [1, 4, 8]
each_ratio = pytest.mark.parametrize("ratio", RATIOS)


def sheet(spacing, axis, shape=(24, 40, 44), thickness_um=0.25):
    """A wall across an axis through the middle of a stack, blurred."""
    along = (np.arange(shape[axis]) - shape[axis] // 2) * spacing[axis]
    profile = np.exp(-0.5 * (along / thickness_um) ** 2)
    return np.moveaxis(np.broadcast_to(profile, np.roll(shape, -1 - axis)), -1, axis).astype(np.float32).copy()


def test_the_eigenvalue_is_the_least_of_numpy():
    rng = np.random.default_rng(0)
    matrices = rng.normal(size=(500, 3, 3)).astype(np.float32)
    matrices = (matrices + matrices.transpose(0, 2, 1)) / 2
    matrices[0] = np.eye(3)
    matrices[1] = 0
    found = module._least_eigenvalue(*(matrices[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))))
    np.testing.assert_allclose(found, np.linalg.eigvalsh(matrices)[:, 0], atol=2e-5)


@each_ratio
def test_walls_across_z_and_x_are_as_strong_and_lie_where_they_are(ratio):
    spacing = (0.25 * ratio, 0.25, 0.25)
    strengths = []
    for axis in (0, 2):
        stack = sheet(spacing, axis)
        walls = np.moveaxis(module.ridges(stack, spacing, sigma_um=0.5), axis, 0)
        middle = walls.shape[0] // 2
        assert (walls.argmax(axis=0) == middle).all()
        strengths.append(walls[middle].mean())
    assert 0.5 < strengths[0] / strengths[1] < 2


def test_an_oblique_wall_is_as_strong_as_a_straight_one():
    _, y, x = np.indices((40, 40, 40)) - 20
    oblique = np.exp(-0.5 * ((y + x) / 2**0.5 / 2) ** 2).astype(np.float32)
    straight = np.exp(-0.5 * (y / 2) ** 2).astype(np.float32)
    found = [module.ridges(stack, (1, 1, 1), sigma_um=1.5)[20, 20, 20] for stack in (oblique, straight)]
    assert found[0] == pytest.approx(found[1], rel=0.05)


def test_planes_do_not_see_walls_within_them():
    spacing = (1.0, 0.25, 0.25)
    assert module.ridges_planes(sheet(spacing, 0), spacing, sigma_um=0.5).max() < 1e-5
    assert module.ridges_planes(sheet(spacing, 2), spacing, sigma_um=0.5).max() > 0.1


def test_slabs_leave_no_trace(monkeypatch):
    stack = np.random.default_rng(1).random((21, 9, 8), np.float32)
    whole = module.ridges(stack, (1, 0.5, 0.5), sigma_um=0.6)
    monkeypatch.setattr(module, "SLAB", 4)
    np.testing.assert_array_equal(module.ridges(stack, (1, 0.5, 0.5), sigma_um=0.6), whole)


@pytest.mark.parametrize("method", module.METHODS)
@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_nothing_varies_nothing_is_wall(method, value):
    stack = np.full((5, 20, 20), value, np.float32)
    smooth, walls, record = enhance_membrane(stack, (1, 0.3, 0.3), 0.4, method, {"sigma_um": 0.5})
    assert not walls.any()
    assert record == {"noise": 0.0, "threshold": 0.0}
    np.testing.assert_allclose(smooth, value, atol=1e-6)


@pytest.mark.parametrize("method", module.METHODS)
@pytest.mark.parametrize("sigma_um", [0.4, 1.5])
@each_ratio
def test_mere_noise_has_no_walls(ratio, sigma_um, method):
    stack = np.random.default_rng(4).normal(0.5, 0.1, (16, 90, 90)).astype(np.float32)
    _, walls, record = enhance_membrane(stack, (0.26 * ratio, 0.26, 0.26), 0.5, method, {"sigma_um": sigma_um})
    assert not walls.any()
    assert record["threshold"] == 0


@pytest.mark.parametrize("signal_to_noise", [2, 8])
def test_walls_in_noise_are_found(signal_to_noise):
    spacing = (1.04, 0.26, 0.26)
    colony = simulate_stack((20, 120, 120), spacing, diameter_um=10, count=10, seed=3, signal_to_noise=signal_to_noise)
    image = colony.membrane_image.astype(np.float32)
    _, walls, _ = enhance_membrane((image - image.min()) / np.ptp(image), spacing, 0.5, "ridges", {"sigma_um": 0.84})
    assert walls[colony.cell_labels > 0].max() > 1


def test_above_one_is_wall():
    spacing = (0.5, 0.25, 0.25)
    stack = sheet(spacing, 2)
    before = stack.copy()
    _, walls, record = enhance_membrane(stack, spacing, 0.1, "ridges", {"sigma_um": 0.3})
    np.testing.assert_array_equal(stack, before)
    assert (walls[..., 22] > 1).all()
    assert (walls[..., :15] < 0.1).all()
    assert record["threshold"] > 0


def test_the_noise_left_after_smoothing_is_known():
    stack = np.random.default_rng(2).normal(0.5, 0.1, (12, 80, 80)).astype(np.float32)
    smooth, _, record = enhance_membrane(stack, (1.0, 0.3, 0.3), 0.5, "ridges", {"sigma_um": 0.5})
    assert record["noise"] == pytest.approx(smooth.std(), rel=0.1)


def test_script_writes_what_the_function_gives(tmp_path):
    stack, spacing = np.random.default_rng(3).random((6, 20, 20), np.float32), (1.0, 0.3, 0.3)
    io.write_stack(tmp_path / "contrast.tif", stack, spacing)
    files = {name: tmp_path / f"{name}.tif" for name in ("smooth", "walls")}
    main(
        contrast=tmp_path / "contrast.tif",
        record=tmp_path / "walls.json",
        **files,
        smoothing_um=0.3,
        method="ridges",
        options={"sigma_um": 0.5},
    )
    expected = enhance_membrane(stack, spacing, 0.3, "ridges", {"sigma_um": 0.5})
    for name, wanted in zip(files, expected, strict=False):
        found, read = io.read_stack(files[name])
        np.testing.assert_array_equal(found, wanted)
        assert read == spacing
    assert whole_files.read_json(tmp_path / "walls.json") == expected[2]
