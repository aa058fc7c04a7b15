import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from shapes import read_only
from skimage.segmentation import watershed

from cellstack.core.distance import distance_map
from cellstack.enhance.detect_edges import detect_edges
from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_stack
from cellstack.segment.find_seeds import find_seeds
from cellstack.segment.label_components import label_components
from cellstack.segment.split_objects import METHODS, split_objects
from split_objects import main

RATIOS = [1, 4, 8]
SPACING = (2.0, 0.5, 0.4)
LANDSCAPES = [
    ("distance", {}),
    ("intensity", {}),
    ("edges", {}),
    ("blend", {"partner": "intensity", "weight": 0.5}),
    ("blend", {"partner": "edges", "weight": 0.5}),
]
MASKS = arrays("uint8", st.tuples(*[st.integers(1, 7)] * 3), elements=st.integers(0, 1))
each_landscape = pytest.mark.parametrize(
    ("method", "options"), LANDSCAPES, ids=lambda each: each if isinstance(each, str) else ""
)
each_ratio = pytest.mark.parametrize("ratio", RATIOS)


def split(seeds, mask, landscape, method="distance"):
    """Split by a landscape, passed as the distance map or as the intensities."""
    stack = distance = read_only(np.zeros(mask.shape, "float32"))
    if method == "distance":
        distance = read_only(landscape)
    else:
        stack = read_only(landscape)
    return split_objects(read_only(seeds), read_only(mask), stack, distance, SPACING, method, {})


def ellipsoids(spacing, semi_axes, axis, squeeze=0.9):
    """Return the mask of two ellipsoids that overlap slightly along `axis`, and 1 or 2 by side."""
    semi_axes, spacing = np.array(semi_axes), np.array(spacing)
    shift = np.eye(3)[axis] * semi_axes * squeeze
    shape = np.ceil(2 * (semi_axes + shift + spacing) / spacing).astype(int)
    at = (np.indices(shape) - (shape - 1).reshape(3, 1, 1, 1) / 2) * spacing.reshape(3, 1, 1, 1)
    inside = [
        sum(((at[i] - sign * shift[i]) / semi_axes[i]) ** 2 for i in range(3)) <= 1
        for sign in (-1, 1)
    ]
    return (inside[0] | inside[1]).astype("uint8"), np.where(at[axis] < 0, 1, 2)


@pytest.mark.parametrize("semi_axes", [(4.0, 4.0, 4.0), (6.0, 4.0, 5.0)], ids=str)
@pytest.mark.parametrize("axis", range(3))
@each_ratio
def test_touching_ellipsoids_are_split_at_their_contact(ratio, axis, semi_axes):
    spacing = (0.25 * ratio, 0.25, 0.25)
    mask, ground_truth = ellipsoids(spacing, semi_axes, axis)
    components, distance = label_components(mask, 26), distance_map(mask, spacing, 0.4)
    assert components.max() == 1
    seeds = find_seeds(distance, components, spacing, "h_maxima", {"h_um": 0.3})
    labels = split(seeds, mask, distance)
    assert labels.max() == 2
    assert np.array_equal(labels > 0, mask > 0)
    # A plane on the contact belongs to neither, so half of it may be on the wrong side.
    assert (labels[mask > 0] == ground_truth[mask > 0]).mean() > (0.99 if axis else 0.98)


def test_undenoised_intensity_is_the_landscape_of_the_given_stack():
    mask, _ = ellipsoids((1.0, 0.25, 0.25), (4.0, 4.0, 4.0), 1)
    stack = np.random.default_rng(0).random(mask.shape, np.float32)
    seeds = np.zeros(mask.shape, "uint16")
    seeds[tuple(np.argwhere(mask)[[0, -1]].T)] = 1, 2
    labels = split(seeds, mask, stack, "undenoised_intensity")
    np.testing.assert_array_equal(labels, split(seeds, mask, stack, "intensity"))


@pytest.mark.parametrize(("connectivity", "reached"), [(6, 2), (18, 3), (26, 4)])
def test_objects_grow_over_neighbours_of_the_given_connectivity(connectivity, reached):
    mask = np.zeros((3, 3, 3), "uint8")
    # Each voxel shares a face, an edge or a corner with the one before.
    mask[0, 0, 0] = mask[0, 0, 1] = mask[0, 1, 2] = mask[1, 2, 1] = 1
    seeds, nothing = np.zeros(mask.shape, "uint16"), np.zeros(mask.shape, "float32")
    seeds[0, 0, 0] = 1
    labels = split_objects(
        seeds, mask, nothing, nothing, SPACING, "distance", {}, connectivity=connectivity
    )
    assert np.count_nonzero(labels) == reached


def test_intensity_splits_dark_places_and_distance_narrow_ones():
    bar = np.ones((3, 9, 40), "uint8")
    bar[:, [0, 1, 7, 8], 12] = 0  # narrow
    stack = np.abs(np.arange(40) - 28.0).astype("float32") * bar  # dark at 28
    seeds = np.zeros(bar.shape, "uint16")
    seeds[1, 4, 4], seeds[1, 4, 36] = 1, 2
    distance = distance_map(bar, (1.0, 1.0, 1.0))
    by_intensity, by_distance = split(seeds, bar, stack, "intensity"), split(seeds, bar, distance)
    for labels, cut in ((by_intensity, 28), (by_distance, 12)):
        expected = np.where(np.arange(40) < cut, 1, 2) * np.ones(bar.shape, int)
        assert (labels == expected)[bar > 0].mean() > 0.95


@given(
    MASKS,
    st.sampled_from([6, 18, 26]),
    st.integers(0, 2**32 - 1),
    st.sampled_from(LANDSCAPES),
    st.sampled_from([0, 0.1, 100]),
)
def test_seeds_keep_their_labels_and_fill_their_components(
    mask, connectivity, seed, landscape, compactness
):
    rng = np.random.default_rng(seed)
    components = label_components(mask, connectivity)
    places = rng.permutation(np.flatnonzero(mask))[:4]
    seeds = np.zeros(mask.shape, "uint16")
    seeds.ravel()[places] = np.arange(1, len(places) + 1)
    stack, distance, edges = (read_only(rng.random(mask.shape, "float32")) for _ in range(3))
    labels = split_objects(
        read_only(seeds), read_only(mask), stack, distance, SPACING, *landscape, edges, compactness
    )
    assert labels.dtype == np.uint16
    assert not labels[mask == 0].any()
    assert np.array_equal(labels[seeds > 0], seeds[seeds > 0])
    assert np.array_equal(np.unique(labels[labels > 0]), np.arange(1, len(places) + 1))
    seeded = np.isin(components, components[seeds > 0]) & (mask > 0)
    assert labels[seeded].all()


@each_ratio
def test_against_scikit_image(ratio):
    # scikit-image grows across faces, this across corners too: ties on plateaus may differ.
    shape, spacing = (16, 40, 41), (0.25 * ratio, 0.25, 0.25)
    field = ndimage.gaussian_filter(np.random.default_rng(0).random(shape), 2.5)
    mask = (field > np.median(field)).astype("uint8")
    components, distance = label_components(mask, 26), distance_map(mask, spacing, 0.3)
    seeds = find_seeds(distance, components, spacing, "h_maxima", {"h_um": 0.1})
    labels = split(seeds, mask, distance)
    expected = watershed(-distance, seeds.astype("int32"), mask=mask.astype(bool))
    assert seeds.max() > 5
    assert (labels == expected)[mask > 0].mean() > 0.95


def test_objects_grow_across_corners():
    mask = np.zeros((2, 4, 4), "uint8")
    mask[0, :2, :2] = mask[1, 2:, 2:] = 1
    seeds = np.zeros(mask.shape, "uint16")
    seeds[0, 0, 0] = 1
    assert np.array_equal(split(seeds, mask, mask.astype("float32")), mask)


def test_labels_are_those_of_the_seeds():
    mask = np.ones((5, 5, 20), "uint8")
    seeds = np.zeros(mask.shape, "uint16")
    seeds[1, 2, 15], seeds[3, 2, 3] = 1, 2
    labels = split(seeds, mask, np.ones(mask.shape, "float32"))
    assert (labels[1, 2, 15], labels[3, 2, 3], labels[0, 0, 0]) == (1, 2, 2)


@pytest.mark.parametrize(("count", "dtype"), [(0, "uint16"), (65535, "uint16"), (65536, "uint32")])
def test_type_of_many_labels(count, dtype):
    seeds = np.zeros((1, 2, 2 * max(count, 1)), "uint32")
    seeds[0, 0, : 2 * count : 2] = np.arange(1, count + 1)
    labels = split(seeds, (seeds > 0).astype("uint8"), np.zeros(seeds.shape, "float32"))
    assert labels.dtype == dtype
    assert np.array_equal(labels, seeds)


# landscapes


def colony(ratio):
    """Return two noisy touching ellipsoids with a darker contact, and their maps and seeds."""
    spacing = (0.25 * ratio, 0.25, 0.25)
    mask, ground_truth = ellipsoids(spacing, (6.0, 4.0, 5.0), axis=2)
    distance = distance_map(mask, spacing, 0.4)
    noise = np.random.default_rng(0).normal(0, 0.01, mask.shape)
    stack = (np.sqrt(distance / distance.max()) + noise).astype("float32")
    seeds = find_seeds(distance, label_components(mask, 26), spacing, "h_maxima", {"h_um": 0.3})
    return mask, ground_truth, stack, distance, detect_edges(stack, spacing, "sobel", {}), seeds


@each_landscape
@each_ratio
def test_each_landscape_splits_touching_ellipsoids_at_their_contact(ratio, method, options):
    mask, ground_truth, stack, distance, edges, seeds = colony(ratio)
    labels = split_objects(seeds, mask, stack, distance, SPACING, method, options, edges)
    assert seeds.max() == 2
    # Edges are strong on both sides of the contact and weak on it.
    with_edges = method == "edges" or "edges" in options.values()
    assert (labels == ground_truth)[mask > 0].mean() > (0.9 if with_edges else 0.97)


@pytest.mark.slow
@pytest.mark.parametrize("compactness", [0, 0.01, 1.0])
@each_landscape
@each_ratio
def test_landscapes_against_scikit_image(ratio, method, options, compactness):
    # In a blend, rounding may make or break ties.
    mask, _, stack, distance, edges, seeds = colony(ratio)
    inside = mask.astype(bool)
    landscapes = {
        "distance": -distance.astype(float),
        "intensity": -stack.astype(float),
        "edges": edges.astype(float),
    }
    if method == "blend":
        first, second = (
            landscapes[name] / landscapes[name][inside].std()
            for name in ("distance", options["partner"])
        )
        landscape = (first + second) / 2
    else:
        landscape = landscapes[method]
    expected = watershed(
        landscape,
        seeds.astype(int),
        connectivity=np.ones((3, 3, 3)),
        mask=inside,
        compactness=compactness,
    )
    labels = split_objects(
        seeds, mask, stack, distance, SPACING, method, options, edges, compactness
    )
    assert (labels == expected)[inside].mean() >= (0.999 if method == "blend" else 1)


def bar():
    """Return a bar with two seeds that is narrow at 12, dark at 20 and has an edge at 28."""
    mask = np.ones((3, 9, 40), "uint8")
    mask[:, [0, 1, 7, 8], 12] = 0
    stack = np.abs(np.arange(40) - 20.0).astype("float32") * np.ones(mask.shape, "float32") / 20
    edges = (np.arange(40) == 28).astype("float32") * np.ones(mask.shape, "float32")
    seeds = np.zeros(mask.shape, "uint16")
    seeds[1, 4, 4], seeds[1, 4, 36] = 1, 2
    return seeds, mask, stack, distance_map(mask, (1.0, 1.0, 1.0)), edges


@pytest.mark.parametrize(
    ("method", "options", "cut"),
    [
        ("edges", {}, 28),
        ("blend", {"partner": "intensity", "weight": 0.0}, 12),
        ("blend", {"partner": "intensity", "weight": 1.0}, 20),
        ("blend", {"partner": "edges", "weight": 0.0}, 12),
        ("blend", {"partner": "edges", "weight": 1.0}, 28),
        ("distance", {}, 12),
    ],
)
def test_each_landscape_splits_the_bar_at_its_own_place(method, options, cut):
    seeds, mask, *rest, edges = bar()
    labels = split_objects(seeds, mask, *rest, SPACING, method, options, edges)
    assert (labels == np.where(np.arange(40) < cut, 1, 2))[mask > 0].mean() > 0.95


@given(
    st.floats(0, 1),
    st.sampled_from(["intensity", "edges"]),
    st.floats(0.01, 100).map(np.float32),
    st.floats(0.01, 100).map(np.float32),
)
def test_a_blend_does_not_depend_on_units(weight, partner, scale, distance_scale):
    _, mask, stack, distance, edges = bar()
    scaled = (stack * scale, distance * distance_scale, edges * scale)
    options = {"weight": weight, "partner": partner}
    first = METHODS["blend"](stack, distance, edges, mask, **options)(...)
    second = METHODS["blend"](*scaled, mask, **options)(...)
    np.testing.assert_allclose(first, second, atol=1e-4)


@pytest.mark.parametrize("partner", ["intensity", "edges"])
def test_a_blend_does_not_depend_on_the_intensity_outside_the_mask(partner):
    _, mask, stack, distance, edges = bar()
    options = {"weight": 0.5, "partner": partner}
    mask[:, :, :10] = 0
    outside = mask == 0
    blended = METHODS["blend"](stack, distance, edges, mask, **options)(...)
    changed = [np.where(outside, np.float32(50), each) for each in (stack, distance, edges)]
    again = METHODS["blend"](*changed, mask, **options)(...)
    np.testing.assert_array_equal(blended[~outside], again[~outside])
    own = {"intensity": -stack, "edges": edges}[partner][~outside].astype(float)
    far = -distance[~outside].astype(float)
    expected = (far / far.std() + own / own.std()) / 2
    np.testing.assert_allclose(blended[~outside], expected, rtol=1e-5, atol=1e-6)


@each_landscape
@pytest.mark.parametrize("fill", [0, 1])
def test_flat_landscapes_and_empty_masks(fill, method, options):
    flat = np.ones((3, 5, 12), "float32")
    mask, seeds = np.full(flat.shape, fill, "uint8"), np.zeros(flat.shape, "uint16")
    seeds[1, 2, 2], seeds[1, 2, 9] = fill, 2 * fill
    labels = split_objects(seeds, mask, flat, flat, SPACING, method, options, flat)
    halves = np.where(np.arange(12) < 6, 1, 2) * np.ones(flat.shape, int)
    assert np.array_equal(labels, fill * halves)


def test_high_compactness_splits_halfway_between_seeds():
    seeds, mask, *rest = bar()
    labels = split_objects(seeds, mask, *rest[:2], SPACING, "distance", {}, compactness=1000)
    assert (labels == np.where(np.arange(40) <= 20, 1, 2))[mask > 0].mean() > 0.97


@pytest.mark.parametrize(
    ("method", "options"), [("edges", {}), ("blend", {"partner": "edges", "weight": 0.5})]
)
def test_missing_edges_are_an_error(method, options):
    with pytest.raises(InputError, match="there are no edges; give"):
        split_objects(*bar()[:-1], SPACING, method, options)


def test_the_script_takes_edges_and_compactness(tmp_path):
    names = ("seeds", "mask_clean", "intensity", "distance", "edges")
    files = {name: tmp_path / f"{name}.tif" for name in (*names, "watershed")}
    for name, array in zip(names, bar(), strict=True):
        write_stack(files[name], array, (2.0, 0.5, 0.5))
    files["edges"] = [files["edges"]]
    main(**files, method="edges", options={}, compactness=0.001, connectivity=26)
    expected = split_objects(*bar()[:-1], SPACING, "edges", {}, bar()[-1], 0.001)
    assert np.array_equal(read_stack(files["watershed"])[0], expected)


@settings(deadline=None)
@given(
    MASKS,
    st.sampled_from([6, 18, 26]),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0, 0.5]),
    st.integers(1, 6),
    st.integers(1, 3),
)
def test_flooding_components_is_the_same_as_flooding_the_whole_stack(
    mask, connectivity, seed, compactness, count, threads
):
    # There are ties on plateaus, but all seed voxels have different heights.
    rng = np.random.default_rng(seed)
    flat = rng.integers(0, 4, mask.shape).astype("float32")
    seeds = np.zeros(mask.shape, "uint16")
    places = rng.permutation(np.flatnonzero(mask))[:6]
    seeds.ravel()[places] = np.arange(len(places)) % count + 1
    flat.ravel()[places] = 5 + rng.permutation(len(places))
    steps = ndimage.generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[connectivity])
    expected = watershed(
        -flat,
        seeds.astype("int32"),
        connectivity=steps,
        mask=mask.astype(bool),
        compactness=compactness,
    )
    labels = split_objects(
        read_only(seeds),
        read_only(mask),
        flat,
        read_only(flat),
        SPACING,
        "distance",
        {},
        compactness=compactness,
        connectivity=connectivity,
        threads=threads,
    )
    np.testing.assert_array_equal(labels, expected)


def test_objects_at_all_faces_and_a_mask_without_background():
    rng = np.random.default_rng(0)
    for shape in [(1, 30, 30), (30, 1, 30), (30, 30, 1), (9, 30, 31)]:
        mask, landscape = np.ones(shape, "uint8"), rng.random(shape, "float32")
        seeds = np.zeros(shape, "uint16")
        seeds.ravel()[rng.permutation(seeds.size)[:9]] = np.arange(1, 10)
        expected = watershed(
            -landscape,
            seeds.astype("int32"),
            connectivity=np.ones((3, 3, 3)),
            mask=mask.astype(bool),
        )
        np.testing.assert_array_equal(split(seeds, mask, landscape), expected)
