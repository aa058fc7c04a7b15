"""Scores of whole stacks against hand-made cases and against public implementations."""

import numpy as np
import pytest
import tifffile
from ctc_metrics.metrics.technical.det import det
from ctc_metrics.metrics.technical.seg import seg
from ctc_metrics.utils.representations import match
from hypothesis import given
from labels import LABELS, line
from skimage.metrics import adapted_rand_error, variation_of_information

from cellstack import agreement
from cellstack.overlaps import count_overlaps, pair_up

TWO = line((1, 10), (0, 5), (2, 10))
NONE = line((0, 25))


def tables(truth, labels):
    overlaps = count_overlaps(truth, labels)
    return overlaps, pair_up(overlaps)


@pytest.mark.parametrize(
    ("truth", "labels", "seg", "det", "aji"),
    [
        pytest.param(TWO, TWO, 1, 1, 1, id="perfect"),
        pytest.param(TWO, line((1, 25)), 0.4, 1 - 5 / 20, 20 / (25 + 25), id="merged: both take the one label"),
        pytest.param(TWO, line((1, 10), (0, 5), (2, 6), (3, 4)), 0.8, 1 - 1 / 20, 16 / (20 + 4), id="split"),
        pytest.param(TWO, line((1, 10), (0, 5), (2, 5), (3, 5)), 0.5, 1 - 12 / 20, 15 / (20 + 5), id="split in halves finds nothing"),
        pytest.param(TWO, line((1, 10), (0, 15)), 0.5, 0.5, 0.5, id="missed"),
        pytest.param(TWO, line((1, 10), (3, 5), (2, 10)), 1, 1 - 1 / 20, 20 / 25, id="spurious"),
        pytest.param(NONE, NONE, 1, 1, 1, id="both empty"),
        pytest.param(NONE, TWO, 0, 0, 0, id="truth empty"),
        pytest.param(TWO, NONE, 0, 0, 0, id="labels empty"),
    ],
)
def test_set_by_hand(truth, labels, seg, det, aji):
    overlaps, pairs = tables(truth, labels)
    assert agreement.cell_tracking_scores(overlaps, pairs) == pytest.approx((seg, det))
    assert agreement.aggregated_jaccard_index(overlaps, pairs) == pytest.approx(aji)


def test_information_set_by_hand():
    halves = line((1, 10), (0, 5), (2, 5), (3, 5))  # one bit for half of the voxels
    assert agreement.variation_of_information(count_overlaps(TWO, halves)) == pytest.approx((0.5, 0))
    assert agreement.variation_of_information(count_overlaps(TWO, line((1, 25)))) == pytest.approx((0, 1))
    assert agreement.variation_of_information(count_overlaps(NONE, TWO)) == (None, None)
    assert agreement.adapted_rand_error(count_overlaps(NONE, TWO)) is None
    assert agreement.adapted_rand_error(count_overlaps(line((1, 1), (2, 1)), line((1, 1), (2, 1)))) is None


@pytest.mark.filterwarnings("ignore:invalid value")  # of scikit-image, where no two voxels belong together
@given(LABELS, LABELS)
def test_as_scikit_image(truth, labels):
    overlaps = count_overlaps(truth, labels)
    if truth.any():
        split, merge = variation_of_information(truth, labels, ignore_labels=(0,))[::-1]
        assert agreement.variation_of_information(overlaps) == pytest.approx((merge, split), abs=1e-12)
    ours = agreement.adapted_rand_error(overlaps)
    if ours is not None:
        assert ours == pytest.approx(adapted_rand_error(truth, labels)[0])


def test_as_the_cell_tracking_challenge(tmp_path):
    rng = np.random.default_rng(4)
    for _ in range(40):
        truth, labels = (np.kron(rng.integers(0, 5, (2, 3, 3)), np.ones((1, 2, 2), int)) for _ in range(2))
        keep = rng.random(truth.shape) < rng.random()
        labels[keep] = truth[keep]
        truth, labels = (np.unique(each, return_inverse=True)[1].astype("uint16") for each in (truth, labels))
        truth.flat[0] = labels.flat[0] = 0
        tifffile.imwrite(tmp_path / "truth.tif", truth, photometric="minisblack")
        tifffile.imwrite(tmp_path / "labels.tif", labels, photometric="minisblack")
        objects, found, hits, finders, ious = match(str(tmp_path / "truth.tif"), str(tmp_path / "labels.tif"))
        several = len(hits) - len(set(finders))
        costs = {"NS": several, "FN": len(objects) - len(hits), "FP": len(found) - len(set(finders)), "num_vertices": len(objects)}
        expected = seg([objects], [ious]), det(**costs)
        assert agreement.cell_tracking_scores(*tables(truth, labels)) == pytest.approx(expected)


@given(LABELS, LABELS)
def test_aggregated_jaccard_by_its_definition(truth, labels):
    shared, covered, used = 0, 0, set()
    for each in range(1, truth.max() + 1):
        mask = truth == each
        partners = [label for label in np.unique(labels[mask]) if label]
        scores = [(mask & (labels == label)).sum() / (mask | (labels == label)).sum() for label in partners]
        if not partners:
            covered += mask.sum()
            continue
        chosen = partners[int(np.argmax(scores))]
        used.add(chosen)
        shared += (mask & (labels == chosen)).sum()
        covered += (mask | (labels == chosen)).sum()
    covered += sum((labels == label).sum() for label in range(1, labels.max() + 1) if label not in used)
    if covered:
        assert agreement.aggregated_jaccard_index(*tables(truth, labels)) == pytest.approx(shared / covered)
