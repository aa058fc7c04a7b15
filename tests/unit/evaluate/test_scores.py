"""Scores of small examples, and comparison with public implementations."""

import numpy as np
import pytest
import tifffile
from ctc_metrics.metrics.technical.det import det
from ctc_metrics.metrics.technical.seg import seg
from ctc_metrics.utils.representations import match
from hypothesis import given
from labels import LABELS, line
from skimage.metrics import adapted_rand_error, variation_of_information

from cellstack.core.overlaps import count_overlaps, pair_up
from cellstack.evaluate import scores

TWO = line((1, 10), (0, 5), (2, 10))
NONE = line((0, 25))


def tables(ground_truth, labels):
    overlaps = count_overlaps(ground_truth, labels)
    return overlaps, pair_up(overlaps)


@pytest.mark.parametrize(
    ("ground_truth", "labels", "seg", "det", "aji"),
    [
        pytest.param(TWO, TWO, 1, 1, 1, id="perfect"),
        pytest.param(
            TWO,
            line((1, 25)),
            0.4,
            1 - 5 / 20,
            20 / (25 + 25),
            id="merged, both paired with the same object",
        ),
        pytest.param(
            TWO, line((1, 10), (0, 5), (2, 6), (3, 4)), 0.8, 1 - 1 / 20, 16 / (20 + 4), id="split"
        ),
        pytest.param(
            TWO,
            line((1, 10), (0, 5), (2, 5), (3, 5)),
            0.5,
            1 - 12 / 20,
            15 / (20 + 5),
            id="split into halves, neither of which detects it",
        ),
        pytest.param(TWO, line((1, 10), (0, 15)), 0.5, 0.5, 0.5, id="missed"),
        pytest.param(TWO, line((1, 10), (3, 5), (2, 10)), 1, 1 - 1 / 20, 20 / 25, id="spurious"),
        pytest.param(NONE, NONE, 1, 1, 1, id="both empty"),
        pytest.param(NONE, TWO, 0, 0, 0, id="no true objects"),
        pytest.param(TWO, NONE, 0, 0, 0, id="no objects found"),
    ],
)
def test_small_examples(ground_truth, labels, seg, det, aji):
    overlaps, pairs = tables(ground_truth, labels)
    assert scores.cell_tracking_scores(overlaps, pairs) == pytest.approx((seg, det))
    assert scores.aggregated_jaccard_index(overlaps, pairs) == pytest.approx(aji)


def test_variation_of_information_of_small_examples():
    halves = line((1, 10), (0, 5), (2, 5), (3, 5))  # one bit for half of the voxels
    assert scores.variation_of_information(count_overlaps(TWO, halves)) == pytest.approx((0.5, 0))
    assert scores.variation_of_information(count_overlaps(TWO, line((1, 25)))) == pytest.approx(
        (0, 1)
    )
    assert scores.variation_of_information(count_overlaps(NONE, TWO)) == (None, None)
    assert scores.adapted_rand_error(count_overlaps(NONE, TWO)) is None
    assert (
        scores.adapted_rand_error(count_overlaps(line((1, 1), (2, 1)), line((1, 1), (2, 1))))
        is None
    )


@pytest.mark.filterwarnings("ignore:invalid value")  # in scikit-image, if no object has two voxels
@given(LABELS, LABELS)
def test_agrees_with_scikit_image(ground_truth, labels):
    overlaps = count_overlaps(ground_truth, labels)
    if ground_truth.any():
        split, merge = variation_of_information(ground_truth, labels, ignore_labels=(0,))[::-1]
        assert scores.variation_of_information(overlaps) == pytest.approx((merge, split), abs=1e-12)
    ours = scores.adapted_rand_error(overlaps)
    if ours is not None:
        assert ours == pytest.approx(adapted_rand_error(ground_truth, labels)[0])


def test_agrees_with_the_cell_tracking_challenge(tmp_path):
    rng = np.random.default_rng(4)
    for _ in range(40):
        ground_truth, labels = (
            np.kron(rng.integers(0, 5, (2, 3, 3)), np.ones((1, 2, 2), int)) for _ in range(2)
        )
        keep = rng.random(ground_truth.shape) < rng.random()
        labels[keep] = ground_truth[keep]
        ground_truth, labels = (
            np.unique(each, return_inverse=True)[1].astype("uint16")
            for each in (ground_truth, labels)
        )
        ground_truth.flat[0] = labels.flat[0] = 0
        tifffile.imwrite(tmp_path / "ground_truth.tif", ground_truth, photometric="minisblack")
        tifffile.imwrite(tmp_path / "labels.tif", labels, photometric="minisblack")
        objects, found, detected, detectors, ious = match(
            str(tmp_path / "ground_truth.tif"), str(tmp_path / "labels.tif")
        )
        splits = len(detected) - len(set(detectors))
        costs = {
            "NS": splits,
            "FN": len(objects) - len(detected),
            "FP": len(found) - len(set(detectors)),
            "num_vertices": len(objects),
        }
        expected = seg([objects], [ious]), det(**costs)
        assert scores.cell_tracking_scores(*tables(ground_truth, labels)) == pytest.approx(expected)


@given(LABELS, LABELS)
def test_aggregated_jaccard_index_agrees_with_its_definition(ground_truth, labels):
    shared, covered, used = 0, 0, set()
    for each in range(1, ground_truth.max() + 1):
        mask = ground_truth == each
        partners = [label for label in np.unique(labels[mask]) if label]
        ious = [
            (mask & (labels == label)).sum() / (mask | (labels == label)).sum()
            for label in partners
        ]
        if not partners:
            covered += mask.sum()
            continue
        chosen = partners[int(np.argmax(ious))]
        used.add(chosen)
        shared += (mask & (labels == chosen)).sum()
        covered += (mask | (labels == chosen)).sum()
    covered += sum(
        (labels == label).sum() for label in range(1, labels.max() + 1) if label not in used
    )
    if covered:
        assert scores.aggregated_jaccard_index(*tables(ground_truth, labels)) == pytest.approx(
            shared / covered
        )
