import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from skimage.morphology import convex_hull_image

from cellstack.core.convex_hull import convex_hull, count_voxels, ends_of_rows, feret_diameter_max

MASKS = arrays(
    bool, array_shapes(min_dims=3, max_dims=3, max_side=7), elements=st.booleans()
).filter(np.any)
SCRIPTS = str(Path(__file__).parents[3] / "scripts")
FACE_CENTRES = np.concatenate([np.eye(3), -np.eye(3)]) / 2


def count(mask):
    return count_voxels(convex_hull(mask), mask.shape)


def spans_volume(mask):
    return np.linalg.matrix_rank(np.argwhere(mask) - np.argwhere(mask)[0]) == 3


@given(MASKS.filter(spans_volume))
def test_voxels_in_the_hull_against_scikit_image(mask):
    assert count(mask) == np.count_nonzero(convex_hull_image(mask, offset_coordinates=False))


@pytest.mark.parametrize(
    "radii", [(3, 9, 9), (8, 8, 8), (1, 12, 7), (10, 4, 6), (0, 9, 9), (2, 16, 16)]
)
def test_the_hull_of_an_ellipsoid_has_its_voxels(radii):
    z, y, x = np.ogrid[tuple(slice(-radius, radius + 1) for radius in radii)]
    mask = (
        sum((axis / max(radius, 1)) ** 2 for axis, radius in zip((z, y, x), radii, strict=True))
        <= 1
    )
    assert count(mask) == np.count_nonzero(mask)


def test_a_concavity_is_in_the_hull():
    mask = np.ones((7, 8, 9), bool)
    mask[2:, 2:6, 2:6] = False
    assert count(mask) == mask.size


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_an_object_of_one_plane(axis):
    plane = np.zeros((6, 7), bool)
    plane[1, 1:6] = plane[1:6, 1] = True  # an L with sides of 5, whose hull is a triangle
    assert count(np.expand_dims(plane, axis)) == 15


def test_an_object_of_one_diagonal_plane_or_row():
    mask = np.zeros((5, 5, 4), bool)
    mask[range(5), range(5), 0] = mask[range(5), range(5), 3] = True
    assert count(mask) == 20
    mask[..., 3] = False
    assert count(mask) == 5


@given(MASKS)
def test_feret_diameter_is_the_greatest_distance_between_faces(mask):
    spacing = (2.0, 0.5, 0.4)
    faces = (np.argwhere(mask)[:, None] + FACE_CENTRES).reshape(-1, 3) * spacing
    assert feret_diameter_max(convex_hull(mask), spacing) == pytest.approx(pdist(faces).max())


def count_by_all_facets(mask):
    """Number of voxel centres on the inner side of all facets of the hull of all voxels."""
    hull = ConvexHull(np.argwhere(mask))
    inside = np.ones(mask.shape, bool)
    z, y, x = np.indices(mask.shape)
    for *slope, offset in hull.equations:
        inside &= slope[0] * z + slope[1] * y + slope[2] * x + offset <= 1e-10
    return np.count_nonzero(inside)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ratio", [1, 4, 8])
def test_voxels_in_the_hull_of_rotated_and_cut_ellipsoids(ratio, seed):
    rng = np.random.default_rng(seed)
    at = (
        np.indices((24 // ratio + 3, 31, 28)).reshape(3, -1).T
        - rng.uniform([0, 8, 8], [12 / ratio, 20, 20])
    ) * (ratio, 1, 1)
    at = at @ np.linalg.qr(rng.normal(size=(3, 3)))[0] / rng.uniform(9, 14, 3)
    mask = ((at**2).sum(axis=1) <= 1).reshape(24 // ratio + 3, 31, 28)
    assert count(mask) == count_by_all_facets(mask)


@given(MASKS.filter(spans_volume))
def test_ends_of_rows_include_all_corners_of_the_hull(mask):
    every = ConvexHull(np.argwhere(mask))
    corners = {tuple(point) for point in every.points[every.vertices].astype(int).tolist()}
    assert corners <= {tuple(point) for point in ends_of_rows(mask).tolist()}
    assert len(ends_of_rows(mask)) == len(np.unique(ends_of_rows(mask), axis=0))


def test_scipy_can_be_imported_after_a_hull():
    code = (
        "import sys, numpy as np\n"
        "from cellstack.core.convex_hull import convex_hull\n"
        "convex_hull(np.ones((2, 2, 2), bool))\n"
        "assert not {'scipy.linalg', 'scipy.spatial'} & sys.modules.keys()\n"
        "import scipy.linalg\n"
        "from scipy.spatial import ConvexHull, Delaunay\n"
        "assert type(convex_hull(np.ones((2, 2, 2), bool))) is ConvexHull\n"
        "assert Delaunay(np.eye(3, 2)).find_simplex([0.2, 0.2]) == 0\n"
    )
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": SCRIPTS}, check=True)
