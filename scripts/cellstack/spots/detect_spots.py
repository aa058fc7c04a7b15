"""Detection of spots: bright dots of one size, such as single molecules of RNA."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cellstack.config.columns import POSITION
from cellstack.core import blobs, filters, maxima, parallel
from cellstack.core.intensities import percentiles_of_planes
from cellstack.core.planes import Allocate, ComputedPlanes, ComputedStack, Stack, as_type
from cellstack.core.types import Spacing, Volume
from cellstack.spots.fit_spots import FWHM, fit_spots
from cellstack.spots.measure_roundness import measure_roundness

COLUMNS = (
    *("stack", "channel", "spot"),
    *POSITION,
    *("intensity", "background", "integrated_intensity"),
    *("signal_to_noise_ratio", "detection_ratio"),
)
# Sigma of the filter in standard deviations of a spot. A narrower one separates closer spots, but
# sees less of a spot above the noise: at 0.82, where its response to a spot is greatest, 0.7 times.
FILTER_SIGMA = 1.15
QUANTILE, QUANTILE_OF_HALF_NORMAL = 0.1, 0.125661
NOISE_BLOCK = 12  # side of the blocks in which noise is measured, in diameters of a spot
MIN_BLOCK = 16  # voxels on each side, if the stack has as many
CLIP = 4.0  # responses above this multiple of the noise are not noise
MAX_CLIPS = 20
TAIL_PERCENTILE = 25  # of blocks; the others may have edges
# An edge has no curvature along itself but that of noise:
MIN_ROUNDNESS = 0.15
MIN_LEAST_CURVATURE = 0.5  # in units of the threshold


class Spots(NamedTuple):
    """Spots of a stack, in the order of their positions.

    Attributes
    ----------
    positions_um : (n, 3) ndarray of float
        Centres along z, y, x in um; the centre of the first voxel is at 0.
    intensities : (n,) ndarray of float
        Heights above the background, in raw values.
    backgrounds : (n,) ndarray of float
        Raw value around each spot.
    noises : (n,) ndarray of float
        Standard deviation of the raw values around the fitted spot.
    sums : (n,) ndarray of float
        Sum of raw value minus background over the voxels within 0.75 diameters of the centre.
    detection_ratios : (n,) ndarray of float
        Response of the blob filter divided by its local noise, above the threshold.
    """

    positions_um: NDArray[np.float64]
    intensities: NDArray[np.float64]
    backgrounds: NDArray[np.float64]
    noises: NDArray[np.float64]
    sums: NDArray[np.float64]
    detection_ratios: NDArray[np.float64]

    def rows(self) -> Iterator[tuple[float, ...]]:
        """Yield for each spot the values of the columns from the position on."""
        quality = self.intensities / np.where(self.noises > 0, self.noises, np.nan)
        values = (self.intensities, self.backgrounds, self.sums, quality, self.detection_ratios)
        table = np.column_stack([self.positions_um, *values])
        yield from map(tuple, table.tolist())


def detect_spots(
    raw: Stack,
    spacing: Spacing,
    *,
    diameter_um: float,
    diameter_z_um: float | None = None,
    threshold: float = 5.0,
    min_distance_um: float | None = None,
    no_data: Stack | None = None,
    allocate: Allocate = np.empty,
) -> Spots:
    """Find bright spots of one size, and measure their positions and intensities.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray or stack of uint8, uint16 or float32
        Raw intensities.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameter_um : float
        Full width at half maximum of a spot along y and x in um, as it appears in the image.
    diameter_z_um : float, optional
        Full width at half maximum along z in um; by default `diameter_um`.
    threshold : float
        Minimum response of the blob filter, as a multiple of its local noise.
    min_distance_um : float, optional
        Minimum distance between two spots in um, where distances along z are divided by
        ``diameter_z_um / diameter_um``; by default half of `diameter_um`.
    no_data : (Z, Y, X) ndarray or stack of bool, optional
        Voxels without data, in which there are no spots.
    allocate : callable
        Provides the filtered stack, of which some planes are read at a time.

    Returns
    -------
    Spots

    Notes
    -----
    Spots are maxima of the negative Laplacian of Gaussian (LoG) at the scale of the spots [1]_, see
    :func:`cellstack.core.blobs.blobness`. The Laplacian is taken in coordinates in which spots are
    spheres. Where a plane is thicker than a spot, it contributes little along z, and the filter is
    that of 2D. Noise is measured in the response of the filter, in blocks of twelve diameters, so
    that it may vary in space and may be correlated.

    References
    ----------
    .. [1] T. Lindeberg, "Feature detection with automatic scale selection", International Journal
       of Computer Vision 30, 1998.

    Examples
    --------
    >>> stack = np.random.default_rng(0).normal(100, 2, (20, 40, 40)).astype("float32")
    >>> z, y, x = np.ogrid[:20, :40, :40]
    >>> distance2 = (0.2 * (z - 10)) ** 2 + (0.1 * (y - 12)) ** 2 + (0.1 * (x - 25.4)) ** 2
    >>> stack += 50 * np.exp(-0.5 * distance2 / 0.2**2)
    >>> spots = detect_spots(stack, (0.2, 0.1, 0.1), diameter_um=0.47)
    >>> spots.positions_um.round(1)
    array([[2. , 1.2, 2.5]])
    """
    height_um = diameter_um if diameter_z_um is None else diameter_z_um
    # in these coordinates spots are spheres
    steps = (spacing[0] * diameter_um / height_um, *spacing[1:])
    ratios = _detection_ratios(raw, steps, diameter_um, no_data, allocate)
    limit = np.float32(threshold)

    def above(z: int) -> NDArray[np.float32]:
        plane = ratios[z]
        return np.where(plane > limit, plane, np.float32(0))

    if min_distance_um is None:
        min_distance_um = diameter_um / 2
    voxels, heights = maxima.list_peaks(
        ComputedPlanes(raw.shape, np.float32, above), steps, min_distance_um=min_distance_um
    )
    diameters = (height_um, diameter_um, diameter_um)
    roundness = measure_roundness(raw, spacing, voxels, diameters, FILTER_SIGMA)
    is_spot = roundness >= MIN_ROUNDNESS
    is_spot &= roundness * heights >= MIN_LEAST_CURVATURE * threshold
    voxels, heights = voxels[is_spot], heights[is_spot]
    fits = fit_spots(raw, spacing, voxels, diameters)
    places = fits.positions_um * (diameter_um / height_um, 1, 1)
    kept = (fits.amplitudes > 0) & ~_has_higher_neighbour(places, heights, min_distance_um)
    return Spots(
        fits.positions_um[kept],
        fits.amplitudes[kept],
        fits.backgrounds[kept],
        fits.noises[kept],
        fits.sums[kept],
        heights[kept].astype(np.float64),
    )


def _has_higher_neighbour(
    places: NDArray[np.float64], heights: NDArray[np.float32], distance: float
) -> NDArray[np.bool_]:
    """Mark the lower of two places that are closer than a distance, if the higher one is kept."""
    from scipy.spatial import cKDTree

    order = np.argsort(-heights, kind="stable")
    dropped = np.zeros(len(places), bool)
    if len(places):
        pairs = cKDTree(places[order]).query_pairs(distance, output_type="ndarray")
        for higher, lower in pairs[np.lexsort(pairs.T[::-1])].tolist():  # the first one is higher
            if not dropped[order[higher]]:
                dropped[order[lower]] = True
    return dropped


def _detection_ratios(
    raw: Stack, spacing: Spacing, diameter_um: float, no_data: Stack | None, allocate: Allocate
) -> Volume:
    """Return the positive response of the blob filter divided by its local noise."""
    sigma_um = FILTER_SIGMA * diameter_um / FWHM
    stack = as_type(raw, np.dtype(np.float32))
    if no_data is not None and not all(plane.all() for plane in no_data):
        median = np.float32(percentiles_of_planes(raw, [50], no_data)[0])
        stack = ComputedStack(
            raw.shape, np.float32, lambda box: np.where(no_data[box], median, raw[box])
        )
    ratios = blobs.blobness(stack, spacing, sigma_um, allocate(raw.shape, np.float32))
    gains = [
        _axis_gains(length, step, sigma_um) for length, step in zip(raw.shape, spacing, strict=True)
    ]

    def gains_of_data(z: int) -> NDArray[np.float32]:
        gain = _gains_of_plane(gains, z)
        return gain if no_data is None else np.where(no_data[z], np.float32(0), gain)

    _in_planes(ratios, gains_of_data)
    # a change of one grey level is no signal where the noise is lower
    least = 0.0 if raw.dtype.kind == "f" else 1.0
    sides = [max(MIN_BLOCK, round(NOISE_BLOCK * diameter_um / step)) for step in spacing]
    noise = _local_noise(ratios, sides, least)
    along_z, along_y, along_x = (
        _interpolation(count, length)
        for count, length in zip(noise.shape, ratios.shape, strict=True)
    )
    _in_planes(ratios, lambda z: along_y @ np.tensordot(along_z[z], noise, 1) @ along_x.T)
    return ratios


def _in_planes(values: Volume, divisor: Callable[[int], NDArray[np.float32]]) -> None:
    """Divide each plane in place, and set it to 0 where the divisor is 0."""

    def divide(z: int) -> None:
        by = divisor(z)
        values[z] = np.where(by > 0, values[z] / np.where(by > 0, by, 1), 0)

    parallel.map_threads(divide, range(len(values)), parallel.threads_for(values))


def _axis_gains(length: int, step: float, sigma_um: float) -> NDArray[np.float64]:
    """Return at each voxel of an axis the products of the filter's two weights along it.

    They are the sums over the axis of smoothing times smoothing, smoothing times second
    difference, and second difference times second difference, of shape (3, length). At the ends
    they are larger, since voxels are repeated outward.
    """
    (kernel,) = filters.gaussian_kernels(sigma_um, [step])
    count = min(length, 2 * len(kernel) + 3)  # the middle of a longer axis is the same
    still = np.ones(1)
    smooth = filters.separable_filter(np.eye(count, dtype=np.float32)[None], [still, still, kernel])
    padded = np.pad(smooth[0].astype(float), ((0, 0), (1, 1)), mode="edge")
    bend = -((sigma_um / step) ** 2) * np.diff(padded, n=2, axis=1)
    pairs = ((smooth[0], smooth[0]), (smooth[0], bend), (bend, bend))
    products = np.array([(one * other).sum(axis=0) for one, other in pairs])
    half = count // 2
    middle = np.repeat(products[:, half : half + 1], length - count, axis=1)
    return np.concatenate([products[:, :half], middle, products[:, half:]], axis=1)


def _gains_of_plane(gains: Sequence[NDArray[np.float64]], z: int) -> NDArray[np.float32]:
    """Return the noise of the response to noise of 1 that is independent from voxel to voxel."""
    along_z, along_y, along_x = gains[0][:, z], gains[1][:, :, None], gains[2][:, None, :]
    variance = np.zeros((along_y.shape[1], along_x.shape[2]))
    for bent, other in itertools.product(range(3), repeat=2):
        at_z, at_y, at_x = ((bent == axis) + (other == axis) for axis in range(3))
        variance += along_z[at_z] * along_y[at_y] * along_x[at_x]
    gain: NDArray[np.float32] = np.sqrt(np.maximum(variance, 0)).astype(np.float32)
    return gain


def _local_noise(response: Volume, sides: Sequence[int], least: float) -> Volume:
    """Return the noise of the response in blocks, from its positive values without spots."""
    edges = [
        np.linspace(0, length, max(1, round(length / side)) + 1).astype(int)
        for length, side in zip(response.shape, sides, strict=True)
    ]
    noise = np.zeros([len(edge) - 1 for edge in edges], np.float32)
    tails = []
    for z, y in np.ndindex(noise.shape[:2]):
        row = response[slice(*edges[0][z : z + 2]), slice(*edges[1][y : y + 2])]
        for x, block in enumerate(np.split(row, edges[2][1:-1], axis=2)):
            values = block[block > 0]
            if len(values):
                noise[z, y, x], square = _clipped_noise(values)
                tails.append(square / float(noise[z, y, x]))
    if tails:
        noise *= np.float32(np.percentile(tails, TAIL_PERCENTILE))
    np.maximum(noise, np.float32(least), out=noise)
    return noise


def _clipped_noise(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return two estimates of the standard deviation of noise, from its positive values.

    The first is from a low quantile, which spots and edges change little even if they fill a third
    of the stack. The second is the root mean square. If it is higher in most blocks, the noise has
    heavy tails, as that of few photons. Both leave out values above four times the result.
    """
    ranked = np.sort(values)
    squares = np.cumsum(np.square(ranked, dtype=np.float64))
    count = len(ranked)
    for _ in range(MAX_CLIPS):
        low = float(ranked[int(QUANTILE * count)]) / QUANTILE_OF_HALF_NORMAL
        kept = int(np.searchsorted(ranked, CLIP * low, side="right"))
        if kept >= count:
            break
        count = kept
    square = low
    for _ in range(MAX_CLIPS):
        kept = int(np.searchsorted(ranked, CLIP * square, side="right"))
        if kept == count:
            break
        count = kept
        square = float(np.sqrt(squares[count - 1] / count))
    return low, square


def _interpolation(count: int, length: int) -> NDArray[np.float32]:
    """Return the weights of the blocks along an axis at each voxel, for linear interpolation."""
    places = np.clip((np.arange(length) + 0.5) * count / length - 0.5, 0, count - 1)
    distances = np.abs(places[:, None] - np.arange(count))
    weights: NDArray[np.float32] = np.maximum(1 - distances, 0).astype(np.float32)
    return weights
