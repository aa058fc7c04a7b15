"""Accuracy of detected spots compared with known positions."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cellstack.core.types import Spacing
from cellstack.evaluate import scores

OUT_OF_REACH = 1e6  # cost of a pair that is too far apart, more than any others together


def match_spots(
    known_um: NDArray[np.float64], found_um: NDArray[np.float64], tolerances_um: Sequence[float]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Pair spots with known positions, one to one.

    Parameters
    ----------
    known_um : (n, 3) ndarray of float
        Positions along z, y, x in um.
    found_um : (m, 3) ndarray of float
        Positions of the spots that were found, along z, y, x in um.
    tolerances_um : (3,) sequence of float
        Semi-axes along z, y, x of the ellipsoid around a known position in which a spot can be
        paired with it.

    Returns
    -------
    known, found : (k,) ndarray of int
        Indices of the pairs: as many as possible, and of these the ones with the least sum of
        distances, in units of the tolerance.

    Examples
    --------
    >>> known, found = np.array([[0, 0, 0.0], [0, 0, 1.0]]), np.array([[0, 0, 0.9], [0, 0, 0.2]])
    >>> match_spots(known, found, (0.5, 0.5, 0.5))
    (array([0, 1]), array([1, 0]))
    """
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    tolerances = np.asarray(tolerances_um, float)
    if len(known_um) == 0 or len(found_um) == 0:
        return np.empty(0, np.intp), np.empty(0, np.intp)
    trees = [cKDTree(positions / tolerances) for positions in (known_um, found_um)]
    near = trees[0].sparse_distance_matrix(trees[1], 1, output_type="ndarray")
    rows, columns, distances = near["i"], near["j"], near["v"]
    size = len(known_um) + len(found_um)
    graph = coo_array((np.ones(len(rows)), (rows, columns + len(known_um))), (size, size))
    _, groups = connected_components(graph, directed=False)
    order = np.argsort(groups[rows], kind="stable")
    ends = np.flatnonzero(np.diff(groups[rows][order])) + 1
    pairs = []
    for group in np.split(order, ends):
        known, row = np.unique(rows[group], return_inverse=True)
        found, column = np.unique(columns[group], return_inverse=True)
        costs = np.full((len(known), len(found)), OUT_OF_REACH)
        costs[row, column] = distances[group]
        chosen = linear_sum_assignment(costs)
        is_near = costs[chosen] < OUT_OF_REACH
        pairs.append((known[chosen[0][is_near]], found[chosen[1][is_near]]))
    known, found = (np.concatenate(side) for side in zip(*pairs, strict=True))
    rank = np.argsort(known, kind="stable")
    return known[rank], found[rank]


def evaluate_spots(
    known_um: NDArray[np.float64],
    found_um: NDArray[np.float64],
    spacing: Spacing,
    diameters_um: Sequence[float],
) -> dict[str, float | None]:
    """Score spots against known positions.

    Parameters
    ----------
    known_um, found_um
        See :func:`match_spots`.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    diameters_um : (3,) sequence of float
        Diameter of a spot along z, y, x in um. A spot is correct if it lies within half a diameter,
        or within one voxel where a voxel is larger than that.

    Returns
    -------
    dict
        :data:`cellstack.evaluate.score_columns.BY_SPOT_CHANNEL` defines the keys.

    Examples
    --------
    >>> known, found = np.array([[0, 0, 0.0], [0, 0, 1.0]]), np.array([[0, 0, 0.1]])
    >>> scores = evaluate_spots(known, found, (0.2, 0.1, 0.1), (0.5, 0.5, 0.5))
    >>> scores["precision"], scores["recall"], scores["mean_position_error_um"]
    (1.0, 0.5, 0.1)
    """
    tolerances = np.maximum(np.divide(diameters_um, 2), spacing)
    known, found = match_spots(known_um, found_um, tolerances.tolist())
    count, n_known, n_found = len(known), len(known_um), len(found_um)
    default = 1.0 if n_known == n_found == 0 else 0.0
    errors = found_um[found] - known_um[known]
    distances = np.linalg.norm(errors, axis=1)
    rms = np.sqrt(np.mean(np.square(errors), axis=0)) if count else [None] * 3
    return {
        "count_ground_truth": n_known,
        "count_found": n_found,
        "true_positives": count,
        "false_positives": n_found - count,
        "false_negatives": n_known - count,
        "precision": scores.ratio_or_default(count, n_found, default),
        "recall": scores.ratio_or_default(count, n_known, default),
        "f1": scores.ratio_or_default(2 * count, n_known + n_found, default),
        "mean_position_error_um": float(distances.mean()) if count else None,
        **{
            f"rms_position_error_{axis}_um": None if error is None else float(error)
            for axis, error in zip("zyx", rms, strict=True)
        },
        **{
            f"tolerance_{axis}_um": float(tolerance)
            for axis, tolerance in zip("zyx", tolerances, strict=True)
        },
    }
