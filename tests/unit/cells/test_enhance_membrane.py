import numpy as np
import pytest
from scipy import ndimage
from skimage.filters import threshold_otsu

from cellstack.cells import enhance_membrane as module
from cellstack.cells.enhance_membrane import enhance_membrane
from cellstack.core.noise import estimate_noise
from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack, write_stack
from cellstack.prepare.simulate_stack import simulate_stack
from enhance_membrane import main

RATIOS = [1, 4, 8]
ONE_THRESHOLD = {"local_factor": None, "local_sigma_um": 2.0}
each_ratio = pytest.mark.parametrize("ratio", RATIOS)


def wall(spacing, axis, shape=(24, 40, 44), thickness_um=0.25):
    """A stack with a blurred wall perpendicular to an axis, in the middle."""
    along = (np.arange(shape[axis]) - shape[axis] // 2) * spacing[axis]
    profile = np.exp(-0.5 * (along / thickness_um) ** 2)
    return (
        np.moveaxis(np.broadcast_to(profile, np.roll(shape, -1 - axis)), -1, axis)
        .astype(np.float32)
        .copy()
    )


def test_smallest_eigenvalue_agrees_with_numpy():
    rng = np.random.default_rng(0)
    matrices = rng.normal(size=(500, 3, 3)).astype(np.float32)
    matrices = (matrices + matrices.transpose(0, 2, 1)) / 2
    matrices[0] = np.eye(3)
    matrices[1] = 0
    found = module._smallest_eigenvalue(
        *(matrices[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)))
    )
    np.testing.assert_allclose(found, np.linalg.eigvalsh(matrices)[:, 0], atol=2e-5)


@each_ratio
def test_walls_across_z_and_x_have_similar_strength_and_the_right_position(ratio):
    spacing = (0.25 * ratio, 0.25, 0.25)
    strengths = []
    for axis in (0, 2):
        stack = wall(spacing, axis)
        ridges = np.moveaxis(module.ridges(stack, spacing, sigma_um=0.5), axis, 0)
        middle = ridges.shape[0] // 2
        assert (ridges.argmax(axis=0) == middle).all()
        strengths.append(ridges[middle].mean())
    assert 0.5 < strengths[0] / strengths[1] < 2


def test_strength_does_not_depend_on_the_direction_of_the_wall():
    _, y, x = np.indices((40, 40, 40)) - 20
    oblique = np.exp(-0.5 * ((y + x) / 2**0.5 / 2) ** 2).astype(np.float32)
    straight = np.exp(-0.5 * (y / 2) ** 2).astype(np.float32)
    found = [
        module.ridges(stack, (1, 1, 1), sigma_um=1.5)[20, 20, 20] for stack in (oblique, straight)
    ]
    assert found[0] == pytest.approx(found[1], rel=0.05)


def test_ridges_2d_ignores_walls_parallel_to_the_planes():
    spacing = (1.0, 0.25, 0.25)
    assert module.ridges_2d(wall(spacing, 0), spacing, sigma_um=0.5).max() < 1e-5
    assert module.ridges_2d(wall(spacing, 2), spacing, sigma_um=0.5).max() > 0.1


def test_result_does_not_depend_on_the_slabs(monkeypatch):
    stack = np.random.default_rng(1).random((21, 9, 8), np.float32)
    whole = module.ridges(stack, (1, 0.5, 0.5), sigma_um=0.6)
    monkeypatch.setattr(module, "VOXELS_AT_ONCE", 4 * 9 * 8)
    np.testing.assert_array_equal(module.ridges(stack, (1, 0.5, 0.5), sigma_um=0.6), whole)


@pytest.mark.parametrize("method", module.METHODS)
def test_strength_is_the_smallest_eigenvalue_of_the_hessian_matrix(method):
    spacing, sigma_um = np.array([0.8, 0.5, 0.3]), 0.6
    rng = np.random.default_rng(0)
    stack = ndimage.gaussian_filter(rng.random((12, 14, 16)), 1).astype(np.float32)
    sigma = sigma_um / spacing * ([1, 1, 1] if method == "ridges" else [0, 1, 1])
    smooth = ndimage.gaussian_filter(stack.astype(float), sigma, mode="nearest")
    found = module.METHODS[method](stack, tuple(spacing), sigma_um=sigma_um)
    unit = np.eye(3, dtype=int)
    for place in ([6, 7, 8], [3, 10, 4], [9, 3, 12], [5, 5, 5], [7, 11, 3]):

        def value(*steps, at=place):
            return smooth[tuple(at + sum(steps))]

        hessian = np.empty((3, 3))
        for i, a in enumerate(unit):
            for j, b in enumerate(unit):
                corners = value(a, b) - value(a, -b) - value(-a, b) + value(-a, -b)
                sides = value(a) + value(-a) - 2 * value(0 * a)
                # along an axis the second difference of neighbours
                hessian[i, j] = sides if i == j else corners / 4
        hessian *= np.outer(sigma, sigma)
        expected = max(-np.linalg.eigvalsh(hessian)[0], 0)
        assert found[tuple(place)] == pytest.approx(expected, rel=1e-3, abs=2e-5)


@pytest.mark.parametrize("method", module.METHODS)
@pytest.mark.parametrize("value", [0, 0.3, 1])
def test_constant_stack_has_no_walls(method, value):
    stack = np.full((5, 20, 20), value, np.float32)
    smooth, ridges, record = enhance_membrane(
        stack, (1, 0.3, 0.3), 0.4, method, {"sigma_um": 0.5}, square_root=True, **ONE_THRESHOLD
    )
    assert not ridges.any()
    assert record == {"noise": 0.0, "threshold": 0.0, "certain_strength": 1.0}
    np.testing.assert_allclose(smooth, value**0.5, atol=1e-6)


@pytest.mark.parametrize("method", module.METHODS)
@pytest.mark.parametrize("sigma_um", [0.4, 1.5])
@each_ratio
def test_noise_has_no_walls(ratio, sigma_um, method):
    stack = np.random.default_rng(4).normal(0.5, 0.1, (16, 90, 90)).astype(np.float32)
    _, ridges, record = enhance_membrane(
        stack,
        (0.26 * ratio, 0.26, 0.26),
        0.5,
        method,
        {"sigma_um": sigma_um},
        square_root=True,
        **ONE_THRESHOLD,
    )
    assert not ridges.any()
    assert record["threshold"] == 0


@pytest.mark.parametrize("signal_to_noise", [2, 8])
def test_walls_in_noise_are_found(signal_to_noise):
    spacing = (1.04, 0.26, 0.26)
    colony = simulate_stack(
        (20, 120, 120), spacing, diameter_um=10, count=10, seed=3, signal_to_noise=signal_to_noise
    )
    image = colony.membrane_image.astype(np.float32)
    _, ridges, _ = enhance_membrane(
        (image - image.min()) / np.ptp(image),
        spacing,
        0.5,
        "ridges",
        {"sigma_um": 0.84},
        square_root=True,
        **ONE_THRESHOLD,
    )
    assert ridges[colony.cell_labels > 0].max() > 1


def test_walls_are_above_one():
    spacing = (0.5, 0.25, 0.25)
    stack = wall(spacing, 2)
    before = stack.copy()
    _, ridges, record = enhance_membrane(
        stack, spacing, 0.1, "ridges", {"sigma_um": 0.3}, square_root=True, **ONE_THRESHOLD
    )
    np.testing.assert_array_equal(stack, before)
    assert (ridges[..., 22] > 1).all()
    assert (ridges[..., :15] < 0.1).all()
    assert record["threshold"] > 0


@pytest.mark.parametrize("method", module.METHODS)
def test_results_are_the_smoothed_stack_and_the_strength_in_units_of_its_threshold(method):
    spacing = (0.8, 0.5, 0.3)
    stack = wall(spacing, 2) + np.random.default_rng(0).normal(0, 0.02, (24, 40, 44))
    stack = stack.astype(np.float32)
    smooth, ridges, record = enhance_membrane(
        stack, spacing, 0.6, method, {"sigma_um": 0.4}, square_root=False, **ONE_THRESHOLD
    )
    expected = ndimage.gaussian_filter(stack, np.divide(0.6, spacing), mode="nearest")
    np.testing.assert_allclose(smooth, expected, atol=1e-5)
    strength = module.METHODS[method](stack, spacing, sigma_um=0.4)
    np.testing.assert_allclose(ridges * record["threshold"], strength, atol=1e-5)
    assert record["threshold"] == pytest.approx(threshold_otsu(strength), rel=0.05)


def test_square_root_is_taken_first():
    """The result is that of the square root, to which some noise is added first."""
    spacing, options = (0.8, 0.5, 0.3), {"sigma_um": 0.4}
    stack = wall(spacing, 2) + np.random.default_rng(0).normal(0, 0.02, (24, 40, 44))
    stack = stack.astype(np.float32)
    root = np.sqrt(np.clip(stack + np.float32(5 * estimate_noise(stack)), 0, None))
    found = enhance_membrane(
        stack, spacing, 0.6, "ridges", options, square_root=True, **ONE_THRESHOLD
    )
    expected = enhance_membrane(
        root, spacing, 0.6, "ridges", options, square_root=False, **ONE_THRESHOLD
    )
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_equal(one, other)


def test_square_root_brings_dim_walls_above_the_threshold():
    spacing = (1.0, 0.25, 0.4)
    bright, dim = (np.roll(wall(spacing, 1), shift, axis=1) for shift in (-10, 10))
    stack = bright + np.float32(0.2) * dim
    strength = [
        enhance_membrane(
            stack, spacing, 0.1, "ridges", {"sigma_um": 0.3}, square_root=root, **ONE_THRESHOLD
        )[1]
        for root in (False, True)
    ]
    assert [bool((ridges[:, 30] > 1).all()) for ridges in strength] == [False, True]
    assert all((ridges[:, 10] > 1).all() for ridges in strength)


def two_walls(spacing, dim):
    """Noise, a bright wall in row 20, and one in row 60 whose height is `dim`."""
    rows = np.arange(120)
    bright, other = (
        np.exp(-0.5 * ((rows - row) * spacing[1] / 0.25) ** 2)[:, None] for row in (20, 60)
    )
    noise = np.random.default_rng(0).normal(0, 0.004, (24, 120, 44))
    return (bright + dim * other + noise).astype(np.float32)


@pytest.mark.parametrize("factor", [None, 2.5])
def test_dim_walls_far_from_bright_ones_are_found_with_a_local_threshold(factor):
    spacing, options = (0.5, 0.2, 0.3), {"sigma_um": 0.3}
    stack = two_walls(spacing, 0.15)
    _, ridges, record = enhance_membrane(
        stack,
        spacing,
        0.1,
        "ridges",
        options,
        square_root=False,
        **ONE_THRESHOLD | {"local_factor": factor},
    )
    assert (ridges[:, 20] > 1).all()
    assert bool((ridges[:, 60] > 1).all()) == (factor is not None)
    _, one, same = enhance_membrane(
        stack, spacing, 0.1, "ridges", options, square_root=False, **ONE_THRESHOLD
    )
    assert record == same
    np.testing.assert_array_less(one, ridges * (1 + 1e-6) + 1e-9)


@pytest.mark.parametrize("factor", [2.5, 10])
def test_local_threshold_is_a_multiple_of_the_mean_strength_around(factor):
    """It is between a fifth of Otsu's threshold and this, and sizes are in um."""
    spacing, options = (0.5, 0.2, 0.3), {"sigma_um": 0.3}
    stack = two_walls(spacing, 0.3)
    local = {"local_factor": factor, "local_sigma_um": 2.0}
    _, ridges, record = enhance_membrane(
        stack, spacing, 0.1, "ridges", options, square_root=False, **local
    )
    strength = module.ridges(stack, spacing, sigma_um=0.3)
    mean = ndimage.gaussian_filter(strength, np.divide(2.0, spacing), mode="nearest")
    noise = np.random.default_rng(1).normal(0, 0.004, stack.shape).astype(np.float32)
    certain = 3 * threshold_otsu(module.ridges(noise, spacing, sigma_um=0.3))
    lowest = max(certain, 0.2 * record["threshold"])
    expected = np.minimum(np.maximum(factor * mean, lowest), record["threshold"])
    assert (expected == lowest).any()
    assert (expected == record["threshold"]).any() == (factor == 10)
    is_known = ridges > 1e-3
    np.testing.assert_allclose(strength[is_known] / ridges[is_known], expected[is_known], rtol=0.12)


def test_local_threshold_of_a_stack_without_noise():
    spacing, options = (0.5, 0.2, 0.3), {"sigma_um": 0.3}
    stack = np.zeros((8, 120, 44), np.float32)
    stack[:, 20], stack[:, 60] = 1, 0.1
    local = {"local_factor": 2.5, "local_sigma_um": 2.0}
    with np.errstate(all="raise"):
        _, ridges, _ = enhance_membrane(
            stack, spacing, 0.1, "ridges", options, square_root=True, **local
        )
    rows = np.arange(120)
    is_near = (abs(rows - 20) < 4) | (abs(rows - 60) < 4)
    assert (ridges[:, [20, 60]] > 1).all()
    assert (ridges[:, ~is_near] < 0.1).all()


def test_certain_strength_is_above_noise():
    spacing, options = (1.0, 0.25, 0.25), {"sigma_um": 0.3}
    noise = np.random.default_rng(0).normal(0.5, 0.1, (24, 60, 60)).astype(np.float32)
    stack = noise + np.float32(0.35) * wall(spacing, 2, noise.shape)
    for factor in (1, 0.1):
        part = noise * np.float32(factor) + (stack - noise)
        _, ridges, record = enhance_membrane(
            part, spacing, 0.1, "ridges", options, square_root=False, **ONE_THRESHOLD
        )
        beside = np.delete(ridges, np.s_[20:40], axis=2)
        assert (beside > record["certain_strength"]).mean() < 0.02
        assert (ridges[:, :, 30] > record["certain_strength"]).mean() > 0.5
        assert (record["certain_strength"] > 1) == (factor == 1)
    assert (beside > 1).mean() < 0.02


def test_record_has_the_noise_of_the_smoothed_stack():
    stack = np.random.default_rng(2).normal(0.5, 0.1, (12, 80, 80)).astype(np.float32)
    smooth, _, record = enhance_membrane(
        stack, (1.0, 0.3, 0.3), 0.5, "ridges", {"sigma_um": 0.5}, square_root=False, **ONE_THRESHOLD
    )
    assert record["noise"] == pytest.approx(smooth.std(), rel=0.1)


def test_script_writes_the_result_of_the_function(tmp_path):
    stack, spacing = np.random.default_rng(3).random((6, 20, 20), np.float32), (1.0, 0.3, 0.3)
    write_stack(tmp_path / "contrast.tif", stack, spacing)
    files = {name: tmp_path / f"{name}.tif" for name in ("membrane_smooth", "membrane_ridges")}
    main(
        contrast=tmp_path / "contrast.tif",
        record=tmp_path / "membrane_ridges.json",
        **files,
        square_root=True,
        **ONE_THRESHOLD,
        smoothing_um=0.3,
        method="ridges",
        options={"sigma_um": 0.5},
    )
    expected = enhance_membrane(
        stack, spacing, 0.3, "ridges", {"sigma_um": 0.5}, square_root=True, **ONE_THRESHOLD
    )
    for name, wanted in zip(files, expected, strict=False):
        found, read = read_stack(files[name])
        np.testing.assert_array_equal(found, wanted)
        assert read == spacing
    assert read_json(tmp_path / "membrane_ridges.json") == expected[2]
