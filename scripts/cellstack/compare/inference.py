"""Tests and intervals for the difference between the means of two groups of units.

The samples are values of experimental units, such as the mean of each animal. Objects of one stack
resemble each other, so that tests on objects report differences where there are none.
"""

import math
import warnings
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Sample: TypeAlias = NDArray[np.float64]

BENJAMINI_HOCHBERG, HOLM = "benjamini_hochberg", "holm"  # corrections for many tests
MIN_UNITS = 3  # of each group, for a test
RESAMPLES = 10_000  # of the bootstrap
MAX_PERMUTATIONS = 9_999  # above which permutations are drawn at random
SEED = 0
OUTLIER_LEVEL = 0.01  # of Grubbs' test
EQUAL = 1e-12  # relative difference up to which values are equal


class TestResult(NamedTuple):
    """Result of a test.

    Attributes
    ----------
    name : str
    statistic, degrees_of_freedom, p_value : float
        The p value is two-sided.
    """

    name: str
    statistic: float
    degrees_of_freedom: float
    p_value: float


def is_constant(sample: Sample) -> bool:
    """Return whether all values of a sample are equal, up to rounding.

    Parameters
    ----------
    sample : (n,) ndarray of float64

    Examples
    --------
    >>> is_constant(np.array([0.1 + 0.2, 0.3])), is_constant(np.array([0.3, 0.4]))
    (True, False)
    """
    return bool(np.ptp(sample) <= EQUAL * np.abs(sample).max())


def compare_means(first: Sample, second: Sample) -> TestResult | None:
    """Compare two groups of independent units by Welch's t-test.

    Parameters
    ----------
    first, second : (n,), (m,) ndarray of float64
        A value of each unit; at least two in each group. The variances may differ.

    Returns
    -------
    TestResult or None
        The statistic is positive if the second mean is larger. None if both samples are constant.

    References
    ----------
    .. [1] B. L. Welch, "The Generalization of 'Student's' Problem when Several Different Population
       Variances are Involved", Biometrika 34, 28-35, 1947.

    Examples
    --------
    >>> test = compare_means(np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 9.0]))
    >>> round(test.statistic, 3), round(test.degrees_of_freedom, 3), round(test.p_value, 3)
    (2.449, 2.56, 0.106)
    """
    if is_constant(first) and is_constant(second):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # SciPy warns of a constant sample
        found = stats.ttest_ind(_settle(second), _settle(first), equal_var=False)
    return _result("Welch's t-test", found)


def compare_pairs(first: Sample, second: Sample) -> TestResult | None:
    """Compare paired units by the paired t-test.

    Parameters
    ----------
    first, second : (n,) ndarray of float64
        The values of each pair at the same place; at least two pairs.

    Returns
    -------
    TestResult or None
        The statistic is positive if the second mean is larger. None if all differences are equal.

    Examples
    --------
    >>> test = compare_pairs(np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0]))
    >>> round(test.statistic, 3), test.degrees_of_freedom, round(test.p_value, 3)
    (3.464, 2.0, 0.074)
    """
    size = max(np.abs(first).max(), np.abs(second).max())
    if np.ptp(second - first) <= EQUAL * size:
        return None
    found = stats.ttest_rel(second, first)
    return _result("paired t-test", found)


def compare_all(samples: Sequence[Sample]) -> float | None:
    """Compare the means of three or more groups of independent units by Welch's ANOVA.

    Parameters
    ----------
    samples : sequence of (n,) ndarray of float64
        A value of each unit, by group.

    Returns
    -------
    float or None
        p value. None if a group is constant, as its weight is infinite.

    References
    ----------
    .. [1] B. L. Welch, "On the Comparison of Several Mean Values: An Alternative Approach",
       Biometrika 38, 330-336, 1951.

    Examples
    --------
    >>> groups = [np.array([1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.5]), np.array([7.0, 8.0, 9.0])]
    >>> round(compare_all(groups), 4)
    0.0056
    """
    if any(map(is_constant, samples)):
        return None
    return float(stats.f_oneway(*samples, equal_var=False).pvalue)


def permutation_p_value(first: Sample, second: Sample, *, is_paired: bool) -> float:
    """Return the p value of a permutation test of the difference between two means.

    It needs no normal distribution, but many units: with three in each group it is at least 0.1,
    with three pairs at least 0.25.

    Parameters
    ----------
    first, second : (n,), (m,) ndarray of float64
        A value of each unit.
    is_paired : bool
        Whether values at the same place are a pair.

    Returns
    -------
    float
        Two-sided. It is exact up to 9999 permutations, of which all are then compared; otherwise it
        is estimated from 9999 random ones, always the same.

    Examples
    --------
    >>> permutation_p_value(np.arange(3.0), np.arange(3.0) + 9, is_paired=False)
    0.1
    """

    def difference(a: Sample, b: Sample, axis: int) -> Sample:
        return np.asarray(np.mean(b, axis=axis) - np.mean(a, axis=axis))

    found = stats.permutation_test(
        (_settle(first), _settle(second)),
        difference,
        permutation_type="samples" if is_paired else "independent",
        n_resamples=MAX_PERMUTATIONS,
        vectorized=True,
        rng=np.random.Generator(np.random.PCG64(SEED)),
    )
    return float(found.pvalue)


def bootstrap_interval(
    first: Sample, second: Sample, *, is_paired: bool, confidence: float
) -> tuple[float, float] | None:
    """Return a confidence interval of the difference between two means, by the bootstrap.

    Parameters
    ----------
    first, second : (n,), (m,) ndarray of float64
        A value of each unit; at least two in each group.
    is_paired : bool
        Whether values at the same place are a pair. Pairs are then resampled together.
    confidence : float
        Between 0 and 1.

    Returns
    -------
    low, high : float
        Of the second mean minus the first. None if no unit differs from the others.

    Notes
    -----
    Units are resampled 10000 times with replacement, always the same. This is the expanded
    percentile interval [1]_: deviations are multiplied by the square root of n / (n - 1), and the
    percentiles are those at which a normal distribution is as wide as Student's t. The interval
    between plain percentiles is much too narrow for few units.

    References
    ----------
    .. [1] T. C. Hesterberg, "What Teachers Should Know About the Bootstrap", The American
       Statistician 69, 371-386, 2015.

    Examples
    --------
    >>> first, second = np.array([1.0, 2.0, 3.0, 4.0]), np.array([6.0, 8.0, 9.0, 9.0])
    >>> low, high = bootstrap_interval(first, second, is_paired=False, confidence=0.95)
    >>> round(low, 2), round(high, 2)
    (3.19, 7.52)
    """
    samples = [second - first] if is_paired else [first, second]
    variances = [0.0 if is_constant(each) else each.var(ddof=1) / len(each) for each in samples]
    if not any(variances):
        return None
    spread = zip(variances, samples, strict=True)
    degrees = sum(variances) ** 2 / sum(each**2 / (len(values) - 1) for each, values in spread)
    tail = NormalDist().cdf(float(stats.t.ppf((1 - confidence) / 2, degrees)))
    rng = np.random.Generator(np.random.PCG64(SEED))
    deviations = []
    for values in samples:
        count = len(values)
        # a sum over the first axis adds in the same order on any processor
        means = values[rng.integers(0, count, (count, RESAMPLES))].sum(axis=0) / count
        deviations.append((means - values.mean()) * math.sqrt(count / (count - 1)))
    difference = samples[-1].mean() - (0.0 if is_paired else first.mean())
    resampled = difference + deviations[-1] - (0.0 if is_paired else deviations[0])
    low, high = np.quantile(resampled, (tail, 1 - tail))
    return float(low), float(high)


def correct_p_values(p_values: Sequence[float | None], method: str) -> list[float | None]:
    """Correct p values for the number of tests.

    Parameters
    ----------
    p_values : sequence of float or None
        None where there was no test.
    method : str
        ``"benjamini_hochberg"``, which limits the expected fraction of false discoveries, or
        ``"holm"``, which limits the probability of any false discovery.

    Returns
    -------
    list of float or None
        In the same order.

    References
    ----------
    .. [1] Y. Benjamini and Y. Hochberg, "Controlling the False Discovery Rate", Journal of the
       Royal Statistical Society B 57, 289-300, 1995.
    .. [2] S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal
       of Statistics 6, 65-70, 1979.

    Examples
    --------
    >>> correct_p_values([0.01, None, 0.04, 0.03], "holm")
    [0.03, None, 0.06, 0.06]
    """
    places = [i for i, p in enumerate(p_values) if p is not None]
    given = np.array([p_values[i] for i in places], float)
    if method == BENJAMINI_HOCHBERG:
        corrected = stats.false_discovery_control(given) if len(given) else given
    else:
        order = np.argsort(given, kind="stable")
        steps = np.maximum.accumulate(given[order] * np.arange(len(given), 0, -1))
        corrected = np.empty_like(given)
        corrected[order] = np.minimum(steps, 1)
    found: list[float | None] = [None] * len(p_values)
    for place, p in zip(places, corrected.tolist(), strict=True):
        found[place] = p
    return found


def find_outlier(sample: Sample) -> int | None:
    """Return the place of the value that differs most from the others, if Grubbs' test rejects it.

    Parameters
    ----------
    sample : (n,) ndarray of float64

    Returns
    -------
    int or None
        None if there is no outlier at the level of 0.01, or fewer than four values.

    References
    ----------
    .. [1] F. E. Grubbs, "Procedures for Detecting Outlying Observations in Samples", Technometrics
       11, 1-21, 1969.

    Examples
    --------
    >>> find_outlier(np.array([5.0, 5.1, 4.9, 5.0, 9.0])), find_outlier(np.array([5.0, 5.1, 9.0]))
    (4, None)
    """
    count = len(sample)
    if count < 4 or is_constant(sample):
        return None
    deviations = np.abs(sample - sample.mean()) / sample.std(ddof=1)
    limit = stats.t.ppf(1 - OUTLIER_LEVEL / (2 * count), count - 2) ** 2
    critical = (count - 1) / math.sqrt(count) * math.sqrt(limit / (count - 2 + limit))
    place = int(deviations.argmax())
    return place if deviations[place] > critical else None


def _result(name: str, found: Any) -> TestResult:
    return TestResult(name, float(found.statistic), float(found.df), float(found.pvalue))


def _settle(sample: Sample) -> Sample:
    """Return a sample in which values that differ by rounding errors only are equal."""
    return np.full_like(sample, sample[0]) if is_constant(sample) else sample
