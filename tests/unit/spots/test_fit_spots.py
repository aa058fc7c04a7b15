import numpy as np
import pytest
from scipy.optimize import curve_fit

from cellstack.spots.fit_spots import FWHM, fit_spots
from cellstack.spots.measure_roundness import measure_roundness

SPACING = (0.3, 0.12, 0.1)
DIAMETERS = (0.8, 0.4, 0.4)


def gaussian(shape, centre_um, height, background, diameters=DIAMETERS):
    axes = np.meshgrid(
        *(np.arange(n) * s for n, s in zip(shape, SPACING, strict=True)), indexing="ij"
    )
    squares = [
        ((axis - at) * FWHM / d) ** 2
        for axis, at, d in zip(axes, centre_um, diameters, strict=True)
    ]
    return background + height * np.exp(-0.5 * np.sum(squares, axis=0))


@pytest.mark.parametrize("centre", [(1.5, 1.2, 1.0), (1.41, 1.17, 1.04), (1.63, 1.25, 0.96)])
def test_a_spot_without_noise_is_found_exactly(centre):
    stack = gaussian((11, 21, 21), centre, 50, 1e4).astype("float32")
    fits = fit_spots(stack, SPACING, np.array([[5, 10, 10]]), DIAMETERS)
    np.testing.assert_allclose(fits.positions_um[0], centre, atol=1e-3)
    assert fits.amplitudes[0] == pytest.approx(50, rel=1e-3)
    assert fits.backgrounds[0] == pytest.approx(1e4)
    assert fits.noises[0] < 0.01


def test_against_curve_fit():
    rng = np.random.default_rng(0)
    stack = gaussian((9, 13, 15), (1.25, 0.75, 0.68), 40, 100) + rng.normal(0, 4, (9, 13, 15))
    fits = fit_spots(stack.astype("float32"), SPACING, np.array([[4, 6, 7]]), DIAMETERS)
    radii = [3, 4, 5]  # 1.25 diameters
    box = tuple(slice(c - r, c + r + 1) for c, r in zip((4, 6, 7), radii, strict=True))

    def model(_, *p):
        return gaussian(stack.shape, p[:3], p[3], p[4])[box].ravel()

    found, _ = curve_fit(model, None, stack[box].ravel(), (1.2, 0.72, 0.7, 30, 90))
    np.testing.assert_allclose(fits.positions_um[0], found[:3], atol=2e-3)
    np.testing.assert_allclose([fits.amplitudes[0], fits.backgrounds[0]], found[3:], rtol=2e-3)
    left = stack[box].ravel() - model(None, *found)
    assert fits.noises[0] == pytest.approx(np.sqrt(np.sum(left**2) / (left.size - 5)), rel=1e-3)


def test_a_spot_at_a_corner():
    stack = gaussian((11, 21, 21), (0, 0.05, 2.0), 50, 100).astype("float32")
    fits = fit_spots(stack, SPACING, np.array([[0, 0, 20]]), DIAMETERS)
    np.testing.assert_allclose(fits.positions_um[0], (0, 0.05, 2.0), atol=0.01)


def test_batches_do_not_matter():
    stack = np.random.default_rng(0).random((20, 40, 40), "float32")
    voxels = np.argwhere(np.random.default_rng(1).random(stack.shape) < 0.3)
    together = fit_spots(stack, SPACING, voxels, DIAMETERS)
    alone = fit_spots(stack, SPACING, voxels[-3:], DIAMETERS)
    # all spots of a batch take steps until the last one has settled
    np.testing.assert_allclose(together.positions_um[-3:], alone.positions_um, atol=0.05)


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (1, 2), (0, 1)], ids=str)
def test_roundness_of_walls_and_lines(axes):
    # bright along the axes that are left out
    diameters = [d if axis in axes else 1e6 for axis, d in enumerate(DIAMETERS)]
    stack = gaussian((11, 31, 31), (1.5, 1.8, 1.5), 50, 100, diameters).astype("float32")
    voxels = np.array([[5, 15, 15]])
    assert abs(measure_roundness(stack, SPACING, voxels, DIAMETERS, 1.15)[0]) < 0.01


def test_roundness_of_spots():
    stack = gaussian((11, 31, 31), (1.5, 1.8, 1.5), 50, 100)
    voxels = np.array([[5, 15, 15]])
    assert measure_roundness(stack, SPACING, voxels, DIAMETERS, 1.15) == pytest.approx([1])
    # the same for an oblique line
    y, x = np.ogrid[:31, :31]
    line = np.exp(-0.5 * ((0.12 * (y - 15) - 0.1 * (x - 15)) / 0.25) ** 2)
    oblique = np.broadcast_to(line, (11, 31, 31)).astype("float32")
    assert abs(measure_roundness(oblique, SPACING, voxels, DIAMETERS, 1.15)[0]) < 0.05
