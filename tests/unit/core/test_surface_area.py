import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial import SphericalVoronoi
from scipy.spatial.transform import Rotation
from scipy.special import elliprg

from cellstack.core.surface_area import (
    _count_staying,
    directions,
    mesh_surface_area,
    surface_area,
    surface_areas,
)

RATIOS = (1, 4, 8)
SHAPES = {
    "sphere": (1, 1, 1),
    "oblate": (0.5, 1, 1),
    "prolate": (0.6, 0.6, 1),
    "triaxial": (0.5, 0.75, 1),
    "flat": (0.25, 1, 1),
}


def ellipsoid(semi_axes, rotation, centre, spacing):
    """Mask of an ellipsoid; `centre` is in voxels from the centre of the array."""
    form = rotation @ np.diag(np.array(semi_axes, float) ** -2) @ rotation.T
    half = np.ceil(np.sqrt(np.diag(np.linalg.inv(form))) / spacing).astype(int) + 1
    z, y, x = np.ogrid[tuple(slice(-size, size + 1) for size in half)]
    z, y, x = (
        (axis - shift) * step for axis, shift, step in zip((z, y, x), centre, spacing, strict=True)
    )
    square = form[0, 0] * z * z + form[1, 1] * y * y + form[2, 2] * x * x
    return square + 2 * (form[0, 1] * z * y + form[0, 2] * z * x + form[1, 2] * y * x) <= 1


def ellipsoid_area(a, b, c):
    return 4 * np.pi * a * b * c * elliprg(a**-2, b**-2, c**-2)


def errors(shape, spacing, smallest, count):
    """Largest relative errors of volume and area over orientations and sub-voxel positions.

    `smallest` is the smallest semi-axis in um.
    """
    rng = np.random.default_rng(0)
    semi_axes = np.array(SHAPES[shape]) * smallest / min(SHAPES[shape])
    found = []
    for rotation in [np.eye(3), *Rotation.random(count - 1, random_state=1).as_matrix()]:
        mask = ellipsoid(semi_axes, rotation, rng.uniform(-0.5, 0.5, 3), spacing)
        volume = mask.sum() * np.prod(spacing) / (4 / 3 * np.pi * np.prod(semi_axes))
        found.append((volume - 1, surface_area(mask, spacing) / ellipsoid_area(*semi_axes) - 1))
    return np.abs(found).max(axis=0)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("shape", SHAPES)
def test_ellipsoids_with_8_planes(shape, ratio):
    # The smallest semi-axis has 8 planes; at ratio 8 the flat one would fill a gigabyte, and has 4.
    planes = 4 if (shape, ratio) == ("flat", 8) else 8
    volume, area = errors(
        shape, np.array([ratio, 1, 1]) * 0.25, planes * ratio * 0.25, 6 if ratio == 1 else 2
    )
    assert volume < 0.03
    assert area < 0.02


@pytest.mark.parametrize(("ratio", "limit"), [(4, 0.05), (8, 0.1)])
@pytest.mark.parametrize("shape", SHAPES)
def test_area_with_a_radius_of_8_pixels_and_few_planes(shape, ratio, limit):
    _, area = errors(shape, np.array([ratio, 1, 1]) * 0.25, 2.0, 10)
    assert area < limit


def test_short_chords_are_counted():
    # A plain count of crossings gives 4 % less for a sphere with a radius of two planes. The mean
    # over positions shows the bias.
    rng = np.random.default_rng(2)
    spacing = np.array([4.0, 1, 1])
    areas = [
        surface_area(ellipsoid((8, 8, 8), np.eye(3), rng.uniform(-0.5, 0.5, 3), spacing), spacing)
        for _ in range(40)
    ]
    assert np.mean(areas) == pytest.approx(4 * np.pi * 64, rel=0.015)


@pytest.mark.parametrize(("ratio", "low"), [(1, 0.88), (4, 0.8), (8, 0.8)])
def test_box_along_the_axes_has_at_most_the_documented_error(ratio, low):
    spacing = (ratio, 1, 1)
    mask = np.ones((16 if ratio == 1 else 4, 16, 16), bool)
    z, y, x = np.array(mask.shape) * spacing
    assert low < surface_area(mask, spacing) / (2 * (z * y + z * x + y * x)) < 1


@pytest.mark.parametrize("ratio", RATIOS)
def test_rotated_cubes(ratio):
    spacing = np.array([ratio, 1.0, 1.0])
    half = 16.0 if ratio == 1 else 32.0
    size = np.ceil(half * 3**0.5 / spacing).astype(int)
    grid = np.stack(
        np.meshgrid(
            *[np.arange(-n, n + 1) * step for n, step in zip(size, spacing, strict=True)],
            indexing="ij",
        ),
        -1,
    )
    for rotation in Rotation.random(3, random_state=0).as_matrix():
        mask = (np.abs(grid @ rotation) <= half).all(axis=-1)
        assert 0.93 < surface_area(mask, spacing) / (24 * half**2) < 1.01


@pytest.mark.parametrize(
    "spacing", [(1, 1, 1), (0.29, 0.26, 0.26), (4, 1, 1), (8, 1, 1), (1.75, 0.8, 0.7)]
)
def test_weights_are_those_of_the_voronoi_cells(spacing):
    steps, lengths, weights = directions(tuple(map(float, spacing)))
    assert len({tuple(step) for step in steps}) == 13
    vectors = steps * spacing
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), lengths)
    unit = vectors / lengths[:, None]
    cells = SphericalVoronoi(np.concatenate([unit, -unit])).calculate_areas()
    np.testing.assert_allclose(weights, (cells[:13] + cells[13:]) / (4 * np.pi), rtol=0.01)
    assert weights.sum() == pytest.approx(1)


def test_diagonal_directions_at_ratio_8():
    steps = {tuple(map(int, step)) for step in directions((8.0, 1.0, 1.0))[0]}
    assert {(1, 8, 0), (1, 8, 8), (0, 1, 1), (1, 0, 0)} <= steps


@pytest.mark.parametrize("factor", [1, 5, 0.1, 3])
def test_directions_do_not_depend_on_the_unit_of_length(factor):
    # In floating point 0.3 / 0.2 is slightly less than 1.5, and 1.5 / 1.0 is not.
    steps, *_ = directions((0.7 * factor, 0.3 * factor, 0.2 * factor))
    assert [0, 1, 2] in steps.tolist()


masks = arrays(bool, st.tuples(st.integers(1, 5), st.integers(1, 7), st.integers(1, 7)))
spacings = st.tuples(*[st.floats(0.05, 10)] * 3)


@given(masks, spacings)
@settings(max_examples=60, deadline=None)
def test_areas_are_finite_and_do_not_depend_on_padding_and_scale(mask, spacing):
    area = surface_area(mask, spacing)
    assert np.isfinite(area)
    assert (area > 0) == mask.any()
    assert surface_area(np.pad(mask, ((1, 2), (0, 3), (4, 0))), spacing) == area
    assert surface_area(mask.astype(np.uint8), [2 * step for step in spacing]) == pytest.approx(
        4 * area
    )
    assert surface_area(mask[::-1, :, ::-1], spacing) == pytest.approx(area)


def test_one_voxel_has_about_the_area_of_a_sphere_of_its_volume():
    assert surface_area(np.ones((1, 1, 1)), (1, 1, 1)) == pytest.approx(
        (36 * np.pi) ** (1 / 3), rel=0.15
    )


@settings(deadline=None)
@given(
    arrays(bool, st.tuples(*[st.integers(1, 9)] * 3)),
    st.sampled_from([(1, 1, 1), (4, 1, 0.5), (0.5, 3, 1), (8, 1, 1)]),
)
def test_counts_of_steps_against_a_loop_over_voxels(mask, spacing):
    steps = [tuple(step) for step in directions(tuple(map(float, spacing)))[0].tolist()]
    voxels = {tuple(place) for place in np.argwhere(mask).tolist()}
    for step, number in _count_staying(mask, steps).items():
        assert number == sum(tuple(np.add(place, step).tolist()) in voxels for place in voxels)
    assert surface_areas(mask, [spacing, (1, 1, 1)]) == [
        surface_area(mask, spacing),
        surface_area(mask, (1, 1, 1)),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_ellipsoid_with_three_different_voxel_sides(order):
    semi_axes, spacing = np.array([4.0, 8.0, 2.5]), np.array([0.8, 0.5, 0.25])[list(order)]
    mask = ellipsoid(semi_axes, np.eye(3), (0.2, -0.3, 0.1), spacing)
    assert surface_area(mask, spacing) == pytest.approx(ellipsoid_area(*semi_axes), rel=0.05)


@pytest.mark.parametrize(
    ("ratio", "smallest", "largest"), [(1, 1.07, 1.09), (4, 1.17, 1.26), (8, 1.24, 1.29)]
)
@pytest.mark.parametrize("shape", ["sphere", "oblate", "triaxial"])
def test_meshes_are_larger_than_ellipsoids_and_areas_by_crofton_are_not(
    shape, ratio, smallest, largest
):
    spacing = np.array([ratio, 1, 1]) * 0.25
    semi_axes = np.array(SHAPES[shape]) * 8 * ratio * 0.25 / min(SHAPES[shape])
    rotation = Rotation.random(random_state=3).as_matrix()
    mask = ellipsoid(semi_axes, rotation, (0.1, -0.2, 0.3), spacing)
    area = ellipsoid_area(*semi_axes)
    assert smallest < mesh_surface_area(mask, spacing) / area < largest
    assert mesh_surface_area(mask, spacing, 0) > mesh_surface_area(mask, spacing)
    assert surface_area(mask, spacing) / area == pytest.approx(1, abs=0.02)


def test_the_mesh_of_a_voxel_is_an_octahedron():
    voxel, spacing = np.ones((1, 1, 1), bool), (1.0, 1.0, 1.0)
    side = 2**0.5  # at level 0 its corners are the centres of the neighbours
    octahedron = 2 * 3**0.5 * side**2
    assert mesh_surface_area(voxel, spacing, 0) == pytest.approx(octahedron)
    assert mesh_surface_area(voxel, spacing) == pytest.approx(octahedron / 4)
