"""Sets of labels, against SciPy."""

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from cellstack.core.disjoint_sets import DisjointSets


def test_sets_are_the_components_of_the_graph_of_the_pairs():
    first, second = np.random.default_rng(0).integers(0, 40, (2, 25))
    sets = DisjointSets(10)
    sets.add(30)
    for pair in zip(first.tolist(), second.tolist(), strict=True):
        sets.join(*pair)
    graph = coo_array((np.ones(25), (first, second)), (40, 40))
    _, groups = connected_components(graph, directed=False)
    lowest = [np.flatnonzero(groups == group)[0] for group in groups]
    assert len(set(lowest)) > 1
    np.testing.assert_array_equal(sets.lowest(), lowest)
