"""Tests and intervals against published results, brute force and simulations."""

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from cellstack.compare.inference import (
    BENJAMINI_HOCHBERG,
    HOLM,
    bootstrap_interval,
    compare_all,
    compare_means,
    compare_pairs,
    correct_p_values,
    find_outlier,
    permutation_p_value,
)

# the data sets `sleep` and `PlantGrowth` of R, with the results of t.test and oneway.test
SLEEP_1 = np.array([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0])
SLEEP_2 = np.array([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4])
PLANTS = [
    np.array([4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14]),
    np.array([4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69]),
    np.array([6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26]),
]


def test_the_tests_agree_with_r():
    welch = compare_means(SLEEP_1, SLEEP_2)
    assert welch[1:] == pytest.approx((1.8608, 17.776, 0.07939), rel=1e-4)
    paired = compare_pairs(SLEEP_1, SLEEP_2)
    assert paired[1:] == pytest.approx((4.0621, 9, 0.002833), rel=1e-4)
    assert compare_all(PLANTS) == pytest.approx(0.01739, rel=1e-3)
    swapped = compare_means(SLEEP_2, SLEEP_1)
    assert (swapped.statistic, swapped.p_value) == (-welch.statistic, welch.p_value)


def test_welch_by_hand_in_unbalanced_groups_of_unequal_variance():
    first, second = np.array([3.0, 5.0, 10.0]), np.array([7.0, 7.5, 8.0, 8.5, 9.0, 6.5])
    parts = [each.var(ddof=1) / len(each) for each in (first, second)]
    statistic = (second.mean() - first.mean()) / np.sqrt(sum(parts))
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 5)
    p_value = 2 * stats.t.sf(abs(statistic), degrees)
    assert compare_means(first, second)[1:] == pytest.approx((statistic, degrees, p_value))


def test_equal_values():
    equal = np.array([0.1 + 0.2, 0.3, 0.3])  # equal but for rounding
    varied = np.array([1.0, 2.0, 4.0])
    assert compare_means(equal, equal + 1) is None
    assert compare_pairs(varied, varied + equal) is None
    assert compare_all([equal, varied, varied]) is None
    assert bootstrap_interval(equal, equal, is_paired=False, confidence=0.95) is None
    one_sided = compare_means(equal, varied)
    assert one_sided.degrees_of_freedom == 2
    statistic = (varied.mean() - 0.3) / (varied.std(ddof=1) / np.sqrt(3))
    assert one_sided.statistic == pytest.approx(statistic)
    assert permutation_p_value(equal, equal, is_paired=False) == 1


@pytest.mark.parametrize("counts", [(3, 3), (3, 5), (2, 6), (6, 7)])
def test_permutations_agree_with_all_partitions(counts):
    rng = np.random.default_rng(sum(counts))
    first, second = (rng.normal(i, 1, count) for i, count in enumerate(counts))
    pooled, places = np.concatenate([first, second]), range(sum(counts))
    observed, extreme, total = abs(second.mean() - first.mean()), [0, 0], 0
    signed = second.mean() - first.mean()
    for chosen in combinations(places, counts[0]):
        rest = [i for i in places if i not in chosen]
        difference = pooled[rest].mean() - pooled[list(chosen)].mean()
        extreme[0] += difference >= signed - 1e-9
        extreme[1] += difference <= signed + 1e-9
        total += 1
    assert observed > 0
    expected = min(2 * min(extreme) / total, 1)  # twice the one-sided p value
    assert permutation_p_value(first, second, is_paired=False) == pytest.approx(expected)


def test_permutations_of_pairs_agree_with_all_signs():
    differences = SLEEP_2 - SLEEP_1
    means = [np.mean(differences * signs) for signs in product((-1, 1), repeat=10)]
    expected = 2 * np.mean(np.array(means) >= differences.mean() - 1e-9)
    assert permutation_p_value(SLEEP_1, SLEEP_2, is_paired=True) == pytest.approx(expected)
    assert permutation_p_value(np.arange(3.0), np.arange(3.0) * 2 + 5, is_paired=True) == 0.25


def test_many_permutations_are_the_same_in_each_run():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0, 1, 30), rng.normal(0.6, 1, 25)
    found = permutation_p_value(first, second, is_paired=False)
    assert found == permutation_p_value(first, second, is_paired=False)
    assert found == pytest.approx(compare_means(first, second).p_value, abs=0.01)


def test_the_interval_agrees_with_all_resamples():
    first, second = np.array([1.0, 2.5, 3.0]), np.array([6.0, 6.5, 9.0])
    means = []
    for sample in (first, second):
        resampled = np.array([np.mean(each) for each in product(sample, repeat=3)])
        means.append((resampled - sample.mean()) * np.sqrt(1.5))
    every = np.sort((np.subtract.outer(means[1], means[0])).ravel())
    parts = [each.var(ddof=1) / 3 for each in (first, second)]
    degrees = sum(parts) ** 2 / sum(part**2 / 2 for part in parts)
    tail = stats.norm.cdf(stats.t.ppf(0.05, degrees))
    expected = second.mean() - first.mean() + np.quantile(every, [tail, 1 - tail])
    found = bootstrap_interval(first, second, is_paired=False, confidence=0.9)
    assert found == pytest.approx(expected, abs=0.2)
    assert bootstrap_interval(first, second, is_paired=False, confidence=0.9) == found


def test_the_interval_of_many_units_is_that_of_the_t_distribution():
    rng = np.random.default_rng(5)
    first, second = rng.normal(5, 1, 60), rng.normal(7, 3, 50)
    test = compare_means(first, second)
    error = (second.mean() - first.mean()) / test.statistic
    half = stats.t.ppf(0.975, test.degrees_of_freedom) * error
    expected = second.mean() - first.mean() + np.array([-half, half])
    found = bootstrap_interval(first, second, is_paired=False, confidence=0.95)
    assert found == pytest.approx(expected, abs=0.1)
    wider = bootstrap_interval(first, second, is_paired=False, confidence=0.99)
    assert wider[0] < found[0] < found[1] < wider[1]


def test_pairs_are_resampled_together():
    first = np.array([10.0, 200.0, 3000.0, 40.0, 500.0])
    second = first + np.array([1.0, 1.2, 0.8, 1.1, 0.9])
    low, high = bootstrap_interval(first, second, is_paired=True, confidence=0.95)
    assert 0.7 < low < 1 < high < 1.3
    low, high = bootstrap_interval(first, second, is_paired=False, confidence=0.95)
    assert low < -1000 and high > 1000


def test_corrections_agree_with_r():
    given = [0.01, 0.02, None, 0.03, 0.04, 0.05]
    expected = {BENJAMINI_HOCHBERG: [0.05] * 5, HOLM: [0.05, 0.08, 0.09, 0.09, 0.09]}
    for method, p_values in expected.items():
        found = correct_p_values(given, method)
        assert found.pop(2) is None
        assert found == pytest.approx(p_values)
    assert correct_p_values([0.9, 0.03, 0.001], HOLM) == pytest.approx([0.9, 0.06, 0.003])
    assert correct_p_values([0.9, 0.03, 0.001], BENJAMINI_HOCHBERG) == pytest.approx(
        [0.9, 0.045, 0.003]
    )
    for method in (HOLM, BENJAMINI_HOCHBERG):
        assert correct_p_values([None, None], method) == [None, None]
        assert correct_p_values([0.04], method) == [0.04]


def test_outliers_at_the_published_limits():
    for count, limit in ((5, 1.764), (10, 2.482)):  # of Grubbs' test at 0.01, two-sided
        for factor, expected in ((1.01, 0), (0.99, None)):
            sample = _with_deviation(count, factor * limit)
            deviations = np.abs(sample - sample.mean()) / sample.std(ddof=1)
            assert deviations[0] == pytest.approx(factor * limit)
            assert find_outlier(sample) == expected
    assert find_outlier(np.full(6, 2.0)) is None


def _with_deviation(count, deviation):
    """Return a sample whose first value lies a number of standard deviations from the mean."""
    others = np.tile([-1.0, 1.0], count)[: count - 1] if count % 2 else np.arange(count - 1.0)
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        sample = np.concatenate([[others.mean() + middle], others])
        found = (sample[0] - sample.mean()) / sample.std(ddof=1)
        low, high = (middle, high) if found < deviation else (low, middle)
    return sample


def test_false_positives_are_as_frequent_as_stated():
    rng = np.random.default_rng(11)
    found, naive, runs = 0, 0, 400
    for _ in range(runs):
        samples = []
        for _ in range(2):  # three animals of 60 objects, which resemble those of the same animal
            animals = rng.normal(0, 1, 3)
            samples.append(animals[:, None] + rng.normal(0, 2, (3, 60)))
        first, second = samples
        found += compare_means(first.mean(axis=1), second.mean(axis=1)).p_value < 0.05
        naive += stats.ttest_ind(first.ravel(), second.ravel()).pvalue < 0.05
    assert 0.015 < found / runs < 0.07  # Welch's test is slightly conservative with three units
    assert naive / runs > 0.5
