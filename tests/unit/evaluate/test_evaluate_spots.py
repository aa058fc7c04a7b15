import itertools

import numpy as np
import pytest

from cellstack.evaluate.evaluate_spots import evaluate_spots, match_spots

SPACING, DIAMETERS = (0.4, 0.12, 0.1), (0.6, 0.5, 0.5)
NONE = np.empty((0, 3))


def brute_force(known, found, tolerances):
    """Return the number of pairs, and the least sum of distances with that number."""
    distances = np.linalg.norm((known[:, None] - found) / tolerances, axis=2)
    best = (0, 0.0)
    size = min(distances.shape)
    for rows in itertools.combinations(range(len(known)), size):
        for columns in itertools.permutations(range(len(found)), size):
            near = [d for d in distances[rows, columns] if d <= 1]
            best = max(best, (len(near), -sum(near)))
    return best[0], -best[1]


@pytest.mark.parametrize("seed", range(12))
def test_pairs_against_all_possible_ones(seed):
    rng = np.random.default_rng(seed)
    known, found = rng.random((5, 3)), rng.random((rng.integers(1, 6), 3))
    tolerances = (0.7, 0.4, 0.5)
    rows, columns = match_spots(known, found, tolerances)
    assert len(set(rows)) == len(rows) == len(set(columns))
    total = np.linalg.norm((known[rows] - found[columns]) / tolerances, axis=1).sum()
    count, least = brute_force(known, found, tolerances)
    assert len(rows) == count
    assert total == pytest.approx(least)


def test_scores():
    known = np.array([[0, 0, 0], [0, 1, 0], [0, 2, 0], [0, 3, 0.0]])
    found = known[:3] + np.array([[0, 0.1, 0], [0.3, 0, 0], [0, 0, 0.3]])
    scores = evaluate_spots(known, found, SPACING, DIAMETERS)
    # the third is farther than half a diameter; along z, a voxel is more than half a diameter
    assert scores["tolerance_z_um"] == 0.4
    assert scores["tolerance_x_um"] == 0.25
    assert (scores["true_positives"], scores["false_positives"]) == (2, 1)
    assert scores["false_negatives"] == 2
    assert (scores["precision"], scores["recall"]) == (pytest.approx(2 / 3), 0.5)
    assert scores["f1"] == pytest.approx(4 / 7)
    assert scores["mean_position_error_um"] == pytest.approx(0.2)
    assert scores["rms_position_error_z_um"] == pytest.approx(0.3 / 2**0.5)


def test_two_spots_at_one_position_are_one_match():
    scores = evaluate_spots(np.zeros((1, 3)), np.zeros((2, 3)), SPACING, DIAMETERS)
    assert (scores["true_positives"], scores["precision"]) == (1, 0.5)


@pytest.mark.parametrize(
    ("known", "found", "f1"),
    [(NONE, NONE, 1), (NONE, np.zeros((1, 3)), 0), (np.zeros((1, 3)), NONE, 0)],
)
def test_without_spots(known, found, f1):
    scores = evaluate_spots(known, found, SPACING, DIAMETERS)
    assert scores["f1"] == f1
    assert scores["mean_position_error_um"] is None


@pytest.mark.slow
def test_a_hundred_thousand_spots():
    rng = np.random.default_rng(0)
    known = rng.uniform(0, 100, (100_000, 3))
    found = known + rng.normal(0, 0.02, known.shape)
    assert evaluate_spots(known, found, SPACING, DIAMETERS)["f1"] > 0.99
