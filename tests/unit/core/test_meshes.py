"""Meshes of shapes whose surface, volume and orientation are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cellstack.core.meshes import surface_mesh

SEMI_AXES = [(8.0, 8.0, 8.0), (6.0, 8.0, 10.0), (5.0, 10.0, 7.0)]


def ellipsoid(semi_axes, spacing, offset=(0.3, 0.2, 0.4)):
    """Return the mask of an ellipsoid, and the position of its first voxel from the centre in um.

    `offset` is the position of the centre between voxels.
    """
    counts = [int(np.ceil(a / step)) + 2 for a, step in zip(semi_axes, spacing, strict=True)]
    axes = [
        (np.arange(-n, n + 1) + shift) * step
        for n, shift, step in zip(counts, offset, spacing, strict=True)
    ]
    grid = np.meshgrid(*axes, indexing="ij")
    mask = sum((x / a) ** 2 for x, a in zip(grid, semi_axes, strict=True)) <= 1
    return mask, np.array([axis[0] for axis in axes])


def is_closed(faces):
    """Whether each edge belongs to two triangles that run along it in opposite directions."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    forwards = {tuple(edge) for edge in edges.tolist()}
    is_unique = len(forwards) == len(edges)
    return is_unique and all((b, a) in forwards for a, b in forwards)


@pytest.mark.parametrize("ratio", [1, 4, 8])
@pytest.mark.parametrize("semi_axes", SEMI_AXES)
def test_mesh_of_an_ellipsoid(ratio, semi_axes):
    spacing = (ratio * 0.4, 0.4, 0.5)
    mask, first = ellipsoid(semi_axes, spacing)
    mesh = surface_mesh(mask, spacing)
    volume = mask.sum() * np.prod(spacing)
    assert mesh.volume_um3 == pytest.approx(volume, rel=1e-5)
    places = mesh.vertices + first  # from the centre of the ellipsoid
    # distance to the surface, to first order
    relative = np.linalg.norm(places / semi_axes, axis=1)
    gradient = np.linalg.norm(places / np.square(semi_axes), axis=1) / relative
    distance = (relative - 1) / gradient
    assert np.abs(distance).mean() < 0.2 * max(spacing)
    assert np.abs(distance).max() < 0.6 * max(spacing)
    outwards = places / np.square(semi_axes)
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    cosines = (mesh.normals * outwards).sum(axis=1)
    assert cosines.min() > 0.6 and cosines.mean() > 0.98
    assert is_closed(mesh.faces)
    assert mesh.vertices.dtype == np.float32 and mesh.faces.dtype == np.int32


@settings(max_examples=40)
@given(
    hnp.arrays(bool, st.tuples(*[st.integers(1, 6)] * 3)).filter(lambda mask: mask.any()),
    st.tuples(st.floats(0.3, 4), st.floats(0.3, 1), st.floats(0.3, 1)),
    st.booleans(),
)
def test_any_mask_has_a_closed_mesh_of_its_volume(mask, spacing, is_cut):
    shape = mask.shape if is_cut else None
    mesh = surface_mesh(mask, spacing, shape=shape)
    assert mesh.volume_um3 == pytest.approx(mask.sum() * np.prod(spacing), rel=1e-4)
    assert is_closed(mesh.faces)
    assert np.isfinite(mesh.vertices).all() and np.isfinite(mesh.normals).all()


def test_mesh_lies_where_the_object_lies_and_is_not_mirrored():
    spacing = (2.0, 0.5, 0.4)
    mask = np.zeros((6, 24, 30), bool)  # a bar along each axis, all of different length
    mask[:2, :5, :6] = mask[:6, :5, :6] = mask[:2, :24, :6] = mask[:2, :5, :30] = True
    start = (3, 10, 20)
    mesh = surface_mesh(mask, spacing, start)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    expected = (np.array(start) - 0.5) * spacing
    assert low == pytest.approx(expected, abs=1.5)
    assert high == pytest.approx(expected + np.multiply(mask.shape, spacing), abs=2)
    # the arms meet at the first corner
    corners = mesh.vertices[(mesh.vertices < low + 2).sum(axis=1) >= 2]
    assert (corners.max(axis=0) > high - 0.5).all()
    assert mesh.volume_um3 > 0


def test_mesh_is_flat_where_the_stack_cuts_the_object():
    spacing = (1.0, 0.5, 0.4)
    mask, _ = ellipsoid((6.0, 5.0, 5.0), spacing)
    half = mask[len(mask) // 2 :]
    mesh = surface_mesh(half, spacing, shape=(99, 99, 99))
    z = mesh.vertices[:, 0]
    face = z < -0.5 * spacing[0] + 0.05
    assert z.min() == pytest.approx(-0.5 * spacing[0], abs=0.05)
    assert np.ptp(mesh.vertices[face], axis=0)[1:] == pytest.approx([10, 10], abs=1)
    assert (mesh.normals[face, 0] < -0.6).all()
    free = surface_mesh(half, spacing, start=(5, 0, 0), shape=(99, 99, 99))
    ends = free.vertices[:, 0] < free.vertices[:, 0].min() + 0.05
    assert ends.sum() < face.sum() / 2  # round


def test_object_that_fills_the_stack_is_a_box():
    mesh = surface_mesh(np.ones((4, 10, 12), bool), (1.0, 0.5, 0.4), shape=(4, 10, 12))
    assert mesh.vertices.min(axis=0) == pytest.approx([-0.5, -0.25, -0.2], abs=0.05)
    assert mesh.vertices.max(axis=0) == pytest.approx([3.5, 4.75, 4.6], abs=0.05)


def test_large_objects_are_sampled_with_the_accuracy_of_the_grid():
    spacing, semi_axes = (0.3, 0.1, 0.1), np.array([7.0, 8.0, 9.0])
    mask, first = ellipsoid(semi_axes, spacing)
    mesh = surface_mesh(mask, spacing)
    assert mesh.volume_um3 == pytest.approx(mask.sum() * np.prod(spacing), rel=1e-5)
    relative = np.linalg.norm((mesh.vertices + first) / semi_axes, axis=1)
    assert np.abs(relative - 1).max() < 0.03
    assert is_closed(mesh.faces)
    half = mask[len(mask) // 2 :]
    cut = surface_mesh(half, spacing, shape=(99, 999, 999))
    assert cut.vertices[:, 0].min() == pytest.approx(-0.15, abs=0.05)
    assert len(mesh.faces) < 8000


def test_larger_steps_make_fewer_triangles():
    mask, _ = ellipsoid((6.0, 6.0, 6.0), (0.5, 0.5, 0.5))
    fine, coarse = (surface_mesh(mask, (0.5,) * 3, min_step_um=step) for step in (0, 2))
    assert len(coarse.faces) < len(fine.faces) / 4
    assert coarse.volume_um3 == pytest.approx(fine.volume_um3, rel=1e-5)
