"""Widths of filters that the geometry of blocks has to know too; nothing here imports NumPy."""

TRUNCATE = 4.0  # radius of a Gaussian kernel in standard deviations, as in SciPy

# Lengths in units of sigma, the standard deviation of the blob filter:
FILTER_GRID = 1 / 5  # maximum voxel size of the grid on which a wide filter is computed
SEARCH_GRID = 1 / 3  # maximum voxel size of the grid on which blobs are searched for
CENTRE_WIDTH = 1 / 2  # sigma of the Gaussian that averages the centre of a blob, and its radius


def grid_factor(width: float) -> int:
    """Return the number of voxels that are averaged along an axis, for a width in voxels.

    Examples
    --------
    >>> grid_factor(2.9), grid_factor(0.4)
    (2, 1)
    """
    return max(1, int(width))
