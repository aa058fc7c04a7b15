import numpy as np
import pytest
from scipy.spatial import KDTree

from cellstack.core import points
from cellstack.core.points import Points, squared_distances

PLACES = np.random.default_rng(3).uniform(0, 20, (120, 3)) * (2.0, 0.7, 0.3)


@pytest.mark.parametrize("max_compared", [2000, 10])
def test_same_as_a_tree(max_compared, monkeypatch):
    monkeypatch.setattr(points, "MAX_COMPARED", max_compared)
    found, tree = Points(PLACES), KDTree(PLACES)
    for count in (1, 4):
        expected = tree.query(PLACES[:7] + 0.1, range(1, count + 1))
        for own, other in zip(found.nearest(PLACES[:7] + 0.1, count), expected, strict=True):
            np.testing.assert_array_equal(own, other)
    assert found.pairs(2.5) == tree.query_pairs(2.5)
    within = found.within(PLACES[5], 6.0).tolist()
    assert sorted(within) == sorted(tree.query_ball_point(PLACES[5], 6.0))


def test_a_point_at_the_distance_is_within_it():
    found = Points(np.array([[0.0, 0, 0], [0, 3, 4]]))
    assert found.pairs(5.0) == {(0, 1)}
    assert found.pairs(4.99) == set()


def test_squared_distances_of_no_points():
    assert squared_distances(np.zeros((0, 3)), PLACES).shape == (0, 120)
