"""Sub-voxel position and intensity of spots, by least-squares fits of Gaussians."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.core.planes import Stack
from cellstack.core.types import Spacing
from cellstack.spots.boxes import read_boxes

FWHM = 2.354820045  # full width at half maximum of a Gaussian in standard deviations
BOX_RADIUS = 1.25  # of the voxels that are fitted, in diameters of a spot
MAX_STEPS = 12
MAX_STEP = 0.5  # in standard deviations, so that a step does not leave the range of the derivatives
CONVERGED = 1e-3  # in standard deviations
INTEGRATION_RADIUS = 0.75  # in diameters: 63 % of the light of a Gaussian spot
VOXELS_PER_BATCH = 1 << 20

# The model is background + amplitude * g(z) g(y) g(x). Each of its derivatives, and the model
# itself, is a product of one of these three functions of each axis.
ONE, GAUSS, SLOPE = range(3)
TERMS = np.array(
    [
        [ONE, ONE, ONE],
        [GAUSS, GAUSS, GAUSS],
        [SLOPE, GAUSS, GAUSS],
        [GAUSS, SLOPE, GAUSS],
        [GAUSS, GAUSS, SLOPE],
    ]
)


class Fits(NamedTuple):
    """Gaussians fitted to spots.

    Attributes
    ----------
    positions_um : (n, 3) ndarray of float
        Centres along z, y, x in um; the centre of the first voxel is at 0.
    amplitudes : (n,) ndarray of float
        Heights above the background. Those that are not positive have no meaning.
    backgrounds : (n,) ndarray of float
    noises : (n,) ndarray of float
        Standard deviation of the residuals.
    sums : (n,) ndarray of float
        Sum of raw value minus background over the voxels within 0.75 diameters of the centre.
    """

    positions_um: NDArray[np.float64]
    amplitudes: NDArray[np.float64]
    backgrounds: NDArray[np.float64]
    noises: NDArray[np.float64]
    sums: NDArray[np.float64]


def fit_spots(
    raw: Stack, spacing: Spacing, voxels: NDArray[np.intp], diameters_um: Sequence[float]
) -> Fits:
    """Fit a Gaussian and a constant background to each spot by least squares.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    voxels : (n, 3) ndarray of int
        The voxel nearest to the centre of each spot.
    diameters_um : (3,) sequence of float
        Full width at half maximum of a spot along z, y, x in um. It is not fitted.

    Returns
    -------
    Fits

    Notes
    -----
    Gauss-Newton steps on the voxels of a box with half sides of 1.25 diameters, at least one voxel.
    A centre moves by at most one voxel or half a diameter, whichever is more. Along an axis
    where the image does not determine it, such as z in a stack of one plane, it stays in the middle
    of the voxel.

    Examples
    --------
    >>> offsets = np.arange(9) * 0.1 - 0.43
    >>> plane = 20 + 100 * np.exp(-0.5 * (offsets[:, None] ** 2 + offsets**2) / 0.1**2)
    >>> voxels, diameters_um = np.array([[0, 4, 4]]), (1, 0.2355, 0.2355)
    >>> fits = fit_spots(plane[None].astype("float32"), (1, 0.1, 0.1), voxels, diameters_um)
    >>> fits.positions_um.round(3), fits.amplitudes.round(), fits.backgrounds.round()
    (array([[0.  , 0.43, 0.43]]), array([100.]), array([20.]))
    """
    steps, diameters = np.asarray(spacing, float), np.asarray(diameters_um, float)
    radii = np.maximum(1, np.floor(BOX_RADIUS * diameters / steps + 0.5)).astype(int)
    size = max(1, VOXELS_PER_BATCH // int(np.prod(2 * radii + 1)))
    batches = [
        _fit_batch(raw, steps, voxels[start : start + size], diameters / FWHM, radii)
        for start in range(0, len(voxels), size)
    ]
    if not batches:
        return Fits(np.empty((0, 3)), *(np.empty(0) for _ in range(4)))
    return Fits(*(np.concatenate(parts) for parts in zip(*batches, strict=True)))


def _fit_batch(
    raw: Stack,
    spacing: NDArray[np.float64],
    voxels: NDArray[np.intp],
    sigmas: NDArray[np.float64],
    radii: NDArray[np.intp],
) -> Fits:
    values, places, is_inside = read_boxes(raw, voxels, radii)
    weights = [each.astype(float) for each in is_inside]
    inside = weights[0][:, :, None, None] * weights[1][:, None, :, None]
    inside = inside * weights[2][:, None, None, :]
    counts = inside.sum(axis=(1, 2, 3))
    means = (values * inside).sum(axis=(1, 2, 3)) / counts
    values = (values - means[:, None, None, None]) * inside  # no loss of digits on a high offset

    middles = voxels * spacing
    reach = np.maximum(spacing, sigmas * FWHM / 2)
    positions = middles.copy()
    for _ in range(MAX_STEPS):
        coefficients, explained = _solve(values, places, weights, positions, spacing, sigmas)
        amplitudes = coefficients[:, 1:2]
        move = np.where(
            amplitudes > 0,
            coefficients[:, 2:] / np.where(amplitudes > 0, amplitudes, 1),
            0,
        )
        move = np.clip(move, -MAX_STEP, MAX_STEP) * sigmas
        moved = np.clip(positions + move, middles - reach, middles + reach)
        settled = np.abs(moved - positions).max(initial=0) < CONVERGED * sigmas.min()
        positions = moved
        if settled:
            break
    left = np.einsum("nzyx,nzyx->n", values, values) - explained
    noises = np.sqrt(np.maximum(left, 0) / np.maximum(counts - len(TERMS), 1))
    z, y, x = (
        ((place * step - positions[:, axis : axis + 1]) / (FWHM * sigmas[axis])) ** 2
        for axis, (place, step) in enumerate(zip(places, spacing, strict=True))
    )
    near = z[:, :, None, None] + y[:, None, :, None] + x[:, None, None, :] <= INTEGRATION_RADIUS**2
    above = (values - coefficients[:, 0, None, None, None]) * inside
    sums = (above * near).sum(axis=(1, 2, 3))
    return Fits(positions, coefficients[:, 1], coefficients[:, 0] + means, noises, sums)


def _solve(
    values: NDArray[np.float64],
    places: Sequence[NDArray[np.intp]],
    weights: Sequence[NDArray[np.float64]],
    positions: NDArray[np.float64],
    spacing: NDArray[np.float64],
    sigmas: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the coefficient of each term, and the sum of squares that they explain.

    The slopes are those with respect to the position in standard deviations.
    """
    functions = []  # along each axis, of shape (n, side of the box, 3)
    for axis in range(3):
        offsets = (places[axis] * spacing[axis] - positions[:, axis : axis + 1]) / sigmas[axis]
        bell = np.exp(-0.5 * offsets**2)
        functions.append(np.stack([np.ones_like(bell), bell, offsets * bell], axis=2))
    # the product of values and terms, by one matrix product per axis
    along_z, along_y, along_x = functions
    product = values @ along_x[:, None]  # n, z, y, 3
    product = np.einsum("nzya,nyb->nzba", product, along_y, optimize=True)
    product = np.einsum("nzba,nzc->ncba", product, along_z, optimize=True)
    right = np.stack([product[:, c, b, a] for c, b, a in TERMS], axis=1)
    matrix = np.ones((len(values), len(TERMS), len(TERMS)))
    for axis, each in enumerate(functions):
        products = np.einsum("ni,nia,nib->nab", weights[axis], each, each, optimize=True)
        matrix *= products[:, TERMS[:, axis][:, None], TERMS[:, axis]]
    # a term that vanishes in the voxels gets the coefficient 0
    scales = np.sqrt(np.einsum("nkk->nk", matrix))
    scales[scales < 1e-6] = np.inf
    matrix /= scales[:, :, None] * scales[:, None]
    matrix += 1e-9 * np.eye(len(TERMS))
    coefficients = np.linalg.solve(matrix, (right / scales)[..., None])[..., 0] / scales
    return coefficients, np.einsum("nk,nk->n", coefficients, right)
