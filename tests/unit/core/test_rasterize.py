import numpy as np
import pytest

from cellstack.core.rasterize import rasterize


def image_of(points, faces, shape):
    """Return the index of the triangle at each pixel, -1 where there is none."""
    seen = rasterize(np.array(points, float), np.array(faces), shape)
    image = np.full(shape, -1)
    image.ravel()[seen.pixels] = seen.faces
    return image


def reference(points, faces, shape):
    """Return the nearest triangle at each pixel by a ray through it."""
    image = np.full(shape, -1)
    for row, column in np.ndindex(shape):
        nearest = np.inf
        for i, face in enumerate(faces):
            a, b, c = points[face]
            matrix = np.array([[p[0] for p in (a, b, c)], [p[1] for p in (a, b, c)], [1, 1, 1]])
            if np.linalg.det(matrix) <= 0:
                continue
            weights = np.linalg.solve(matrix, [row, column, 1])
            if (weights >= 0).all():
                depth = weights @ [a[2], b[2], c[2]]
                if depth < nearest:
                    nearest, image[row, column] = depth, i
    return image


def test_nearest_triangle_at_each_pixel():
    rng = np.random.default_rng(0)
    points = rng.uniform(-5, 25, (60, 3))
    faces = rng.integers(0, 60, (40, 3))
    faces = faces[[len(set(face)) == 3 for face in faces.tolist()]]
    shape = (17, 20)
    expected = reference(points, faces, shape)
    assert len(np.unique(expected)) > 8
    np.testing.assert_array_equal(image_of(points, faces, shape), expected)


def test_weights_interpolate_the_vertices():
    rng = np.random.default_rng(1)
    points = rng.uniform(0, 40, (30, 3))
    faces = rng.permutation(30).reshape(10, 3)
    seen = rasterize(points, faces, (40, 50))
    assert len(seen.pixels) > 100
    corners = points[faces[seen.faces]]
    places = (corners * seen.weights[..., None]).sum(axis=1)[:, :2]
    np.testing.assert_allclose(places, np.column_stack(np.divmod(seen.pixels, 50)), atol=1e-9)


def test_back_faces_are_left_out():
    points = [[0, 0, 1], [9, 0, 1], [0, 9, 1]]
    assert (image_of(points, [[0, 1, 2]], (5, 5)) == 0).any()
    assert (image_of(points, [[0, 2, 1]], (5, 5)) == -1).all()


@pytest.mark.parametrize("points", [[[50, 50, 0], [60, 50, 0], [50, 60, 0]], [[1.2, 1.2, 0]] * 3])
def test_nothing_to_draw(points):
    assert (image_of(points, [[0, 1, 2]], (5, 5)) == -1).all()
    assert len(rasterize(np.zeros((0, 3)), np.zeros((0, 3), int), (5, 5)).pixels) == 0
