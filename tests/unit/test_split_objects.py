import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import ndimage
from skimage.segmentation import watershed

from cellstack import io
from cellstack.detect_edges import detect_edges
from cellstack.errors import InputError
from cellstack.find_seeds import distance_map, find_seeds
from cellstack.label_components import label_components
from cellstack.split_objects import METHODS, split_objects
from split_objects import main

RATIOS = [1, 4, 8]
LANDSCAPES = [
    ("distance", {}),
    ("intensity", {}),
    ("edges", {}),
    ("blend", {"partner": "intensity", "weight": 0.5}),
    ("blend", {"partner": "edges", "weight": 0.5}),
]
MASKS = arrays("uint8", st.tuples(*[st.integers(1, 7)] * 3), elements=st.integers(0, 1))
each_landscape = pytest.mark.parametrize(("method", "options"), LANDSCAPES, ids=lambda each: each if isinstance(each, str) else "")
each_ratio = pytest.mark.parametrize("ratio", RATIOS)


def frozen(array):
    array.flags.writeable = False
    return array


def split(seeds, mask, landscape, method="distance"):
    """Split by one landscape, given as the one that `method` uses."""
    nothing = frozen(np.zeros(mask.shape, "float32"))
    stack, distance = (nothing, frozen(landscape)) if method == "distance" else (frozen(landscape), nothing)
    return split_objects(frozen(seeds), frozen(mask), stack, distance, method, {})


def ellipsoids(spacing, semi_axes, axis, squeeze=0.9):
    """Two ellipsoids that overlap a little along `axis`; the mask, and which voxel lies on the side of which."""
    semi_axes, spacing = np.array(semi_axes), np.array(spacing)
    shift = np.eye(3)[axis] * semi_axes * squeeze
    shape = np.ceil(2 * (semi_axes + shift + spacing) / spacing).astype(int)
    at = (np.indices(shape) - (shape - 1).reshape(3, 1, 1, 1) / 2) * spacing.reshape(3, 1, 1, 1)
    inside = [sum(((at[i] - sign * shift[i]) / semi_axes[i]) ** 2 for i in range(3)) <= 1 for sign in (-1, 1)]
    return (inside[0] | inside[1]).astype("uint8"), np.where(at[axis] < 0, 1, 2)


@pytest.mark.parametrize("semi_axes", [(4.0, 4.0, 4.0), (6.0, 4.0, 5.0)], ids=str)
@pytest.mark.parametrize("axis", range(3))
@each_ratio
def test_touching_ellipsoids_are_cut_at_their_contact(ratio, axis, semi_axes):
    spacing = (0.25 * ratio, 0.25, 0.25)
    mask, truth = ellipsoids(spacing, semi_axes, axis)
    components, distance = label_components(mask, 26), distance_map(mask, spacing, 0.4)
    assert components.max() == 1
    labels = split(find_seeds(distance, components, spacing, "h_maxima", {"h_um": 0.3}), mask, distance)
    assert labels.max() == 2
    assert np.array_equal(labels > 0, mask > 0)
    # A plane that lies on the contact itself belongs to neither: at most half of that plane may be on the wrong side.
    assert (labels[mask > 0] == truth[mask > 0]).mean() > (0.99 if axis else 0.98)


def test_contrast_goes_by_the_stack_that_it_is_given():
    mask, _ = ellipsoids((1.0, 0.25, 0.25), (4.0, 4.0, 4.0), 1)
    stack = np.random.default_rng(0).random(mask.shape, np.float32)
    seeds = np.zeros(mask.shape, "uint16")
    seeds[tuple(np.argwhere(mask)[[0, -1]].T)] = 1, 2
    np.testing.assert_array_equal(split(seeds, mask, stack, "contrast"), split(seeds, mask, stack, "intensity"))


@pytest.mark.parametrize(("connectivity", "reached"), [(6, 2), (18, 3), (26, 4)])
def test_objects_grow_over_the_neighbours_told(connectivity, reached):
    mask = np.zeros((3, 3, 3), "uint8")
    mask[0, 0, 0] = mask[0, 0, 1] = mask[0, 1, 2] = mask[1, 2, 1] = 1  # a face, an edge, a corner from one to the next
    seeds, nothing = np.zeros(mask.shape, "uint16"), np.zeros(mask.shape, "float32")
    seeds[0, 0, 0] = 1
    labels = split_objects(seeds, mask, nothing, nothing, "distance", {}, connectivity=connectivity)
    assert np.count_nonzero(labels) == reached


def test_intensity_cuts_where_it_is_dark_and_not_where_it_is_narrow():
    bar = np.ones((3, 9, 40), "uint8")
    bar[:, [0, 1, 7, 8], 12] = 0  # narrow
    stack = np.abs(np.arange(40) - 28.0).astype("float32") * np.ones(bar.shape, "float32")  # dark at 28
    seeds = np.zeros(bar.shape, "uint16")
    seeds[1, 4, 4], seeds[1, 4, 36] = 1, 2
    distance = distance_map(bar, (1.0, 1.0, 1.0))
    by_intensity, by_distance = split(seeds, bar, stack, "intensity"), split(seeds, bar, distance)
    for labels, cut in ((by_intensity, 28), (by_distance, 12)):
        right = np.where(np.arange(40) < cut, 1, 2) * np.ones(bar.shape, int)
        assert (labels == right)[bar > 0].mean() > 0.95


@given(MASKS, st.sampled_from([6, 18, 26]), st.integers(0, 2**32 - 1), st.sampled_from(LANDSCAPES), st.sampled_from([0, 0.1, 100]))
def test_seeds_keep_their_labels_and_fill_their_components(mask, connectivity, seed, landscape, compactness):
    rng = np.random.default_rng(seed)
    components = label_components(mask, connectivity)
    places = rng.permutation(np.flatnonzero(mask))[:4]
    seeds = np.zeros(mask.shape, "uint16")
    seeds.ravel()[places] = np.arange(1, len(places) + 1)
    stack, distance, edges = (frozen(rng.random(mask.shape, "float32")) for _ in range(3))
    labels = split_objects(frozen(seeds), frozen(mask), stack, distance, *landscape, edges, compactness)
    assert labels.dtype == np.uint16
    assert not labels[mask == 0].any()
    assert np.array_equal(labels[seeds > 0], seeds[seeds > 0])
    assert np.array_equal(np.unique(labels[labels > 0]), np.arange(1, len(places) + 1))
    seeded = np.isin(components, components[seeds > 0]) & (mask > 0)
    assert labels[seeded].all()


@each_ratio
def test_against_scikit_image(ratio):
    # Across faces, as scikit-image does by default, and across corners, as here: the same but for ties on flat ground.
    shape, spacing = (16, 40, 41), (0.25 * ratio, 0.25, 0.25)
    field = ndimage.gaussian_filter(np.random.default_rng(0).random(shape), 2.5)
    mask = (field > np.median(field)).astype("uint8")
    components, distance = label_components(mask, 26), distance_map(mask, spacing, 0.3)
    seeds = find_seeds(distance, components, spacing, "h_maxima", {"h_um": 0.1})
    labels = split(seeds, mask, distance)
    expected = watershed(-distance, seeds.astype("int32"), mask=mask.astype(bool))
    assert seeds.max() > 5
    assert (labels == expected)[mask > 0].mean() > 0.95


def test_parts_joined_by_a_corner_alone_are_labelled():
    mask = np.zeros((2, 4, 4), "uint8")
    mask[0, :2, :2] = mask[1, 2:, 2:] = 1
    seeds = np.zeros(mask.shape, "uint16")
    seeds[0, 0, 0] = 1
    assert np.array_equal(split(seeds, mask, mask.astype("float32")), mask)


def test_labels_follow_the_seeds_and_not_the_scan():
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
    """Two touching ellipsoids with a darker seam, smooth and noisy: mask, truth, stack, distance, edges, seeds."""
    spacing = (0.25 * ratio, 0.25, 0.25)
    mask, truth = ellipsoids(spacing, (6.0, 4.0, 5.0), axis=2)
    distance = distance_map(mask, spacing, 0.4)
    noise = np.random.default_rng(0).normal(0, 0.01, mask.shape)
    stack = (np.sqrt(distance / distance.max()) + noise).astype("float32")
    seeds = find_seeds(distance, label_components(mask, 26), spacing, "h_maxima", {"h_um": 0.3})
    return mask, truth, stack, distance, detect_edges(stack, spacing, "sobel", {}), seeds


@each_landscape
@each_ratio
def test_each_landscape_cuts_touching_ellipsoids_at_their_contact(ratio, method, options):
    mask, truth, stack, distance, edges, seeds = colony(ratio)
    labels = split_objects(seeds, mask, stack, distance, method, options, edges)
    assert seeds.max() == 2
    # Edges have their ridge on either side of the seam and none on it.
    assert (labels == truth)[mask > 0].mean() > (0.9 if method == "edges" or "edges" in options.values() else 0.97)


@pytest.mark.parametrize("compactness", [0, 0.01, 1.0])
@each_landscape
@each_ratio
def test_landscapes_against_scikit_image(ratio, method, options, compactness):
    # The same watershed of the landscape as stated: the same to the voxel, but for ties that rounding makes or breaks in a blend.
    mask, _, stack, distance, edges, seeds = colony(ratio)
    inside = mask.astype(bool)
    parts = {"distance": -distance.astype(float), "intensity": -stack.astype(float), "edges": edges.astype(float)}
    if method == "blend":
        far, other = (parts[name] / parts[name][inside].std() for name in ("distance", options["partner"]))
        landscape = (far + other) / 2
    else:
        landscape = parts[method]
    expected = watershed(landscape, seeds.astype(int), connectivity=np.ones((3, 3, 3)), mask=inside, compactness=compactness)
    labels = split_objects(seeds, mask, stack, distance, method, options, edges, compactness)
    assert (labels == expected)[inside].mean() >= (0.999 if method == "blend" else 1)


def bar():
    """A bar that is narrow at 12, dark at 20 and has an edge at 28; a seed at either end."""
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
def test_each_landscape_cuts_where_it_says(method, options, cut):
    seeds, mask, *rest, edges = bar()
    labels = split_objects(seeds, mask, *rest, method, options, edges)
    assert (labels == np.where(np.arange(40) < cut, 1, 2))[mask > 0].mean() > 0.95


@given(st.floats(0, 1), st.sampled_from(["intensity", "edges"]), st.floats(0.01, 100), st.floats(0.01, 100))
def test_a_blend_does_not_depend_on_the_units_of_either(weight, partner, some, other):
    _, mask, stack, distance, edges = bar()
    first = METHODS["blend"](stack, distance, edges, mask, weight=weight, partner=partner)(...)
    factors = (np.float32(some), np.float32(other))
    second = METHODS["blend"](stack * factors[1], distance * factors[0], edges * factors[1], mask, weight=weight, partner=partner)(...)
    np.testing.assert_allclose(first, second, atol=1e-4)


@each_landscape
@pytest.mark.parametrize("fill", [0, 1])
def test_flat_landscapes_and_empty_masks(fill, method, options):
    flat = np.ones((3, 5, 12), "float32")
    mask, seeds = np.full(flat.shape, fill, "uint8"), np.zeros(flat.shape, "uint16")
    seeds[1, 2, 2], seeds[1, 2, 9] = fill, 2 * fill
    labels = split_objects(seeds, mask, flat, flat, method, options, flat)
    assert np.array_equal(labels, fill * np.where(np.arange(12) < 6, 1, 2) * np.ones(flat.shape, int))


def test_great_compactness_cuts_half_way_between_seeds():
    seeds, mask, *rest = bar()
    labels = split_objects(seeds, mask, *rest[:2], "distance", {}, compactness=1000)
    assert (labels == np.where(np.arange(40) <= 20, 1, 2))[mask > 0].mean() > 0.97


@pytest.mark.parametrize(("method", "options"), [("edges", {}), ("blend", {"partner": "edges", "weight": 0.5})])
def test_without_edges_there_is_one_line(method, options):
    with pytest.raises(InputError, match="no edges to go by: give"):
        split_objects(*bar()[:-1], method, options)


def test_the_script_takes_edges_and_compactness(tmp_path):
    arrays = dict(zip(("seeds", "clean", "stack", "distance", "edges"), bar(), strict=True))
    files = {name: tmp_path / f"{name}.tif" for name in arrays}
    for name, array in arrays.items():
        io.write_stack(files[name], array, (2.0, 0.5, 0.5))
    files["edges"] = [files["edges"]]
    main(**files, parts=tmp_path / "parts.tif", method="edges", options={}, compactness=0.001)
    expected = split_objects(*bar()[:-1], "edges", {}, bar()[-1], 0.001)
    assert np.array_equal(io.read_stack(tmp_path / "parts.tif")[0], expected)


@settings(deadline=None)
@given(MASKS, st.sampled_from([6, 18, 26]), st.integers(0, 2**32 - 1), st.sampled_from([0, 0.5]), st.integers(1, 6), st.integers(1, 3))
def test_components_apart_give_what_the_whole_stack_gives(mask, connectivity, seed, compactness, count, threads):
    """To the voxel, with ties on flat ground, as long as no two seed voxels have the same height."""
    rng = np.random.default_rng(seed)
    flat = rng.integers(0, 4, mask.shape).astype("float32")
    seeds = np.zeros(mask.shape, "uint16")
    places = rng.permutation(np.flatnonzero(mask))[:6]
    seeds.ravel()[places] = np.arange(len(places)) % count + 1
    flat.ravel()[places] = 5 + rng.permutation(len(places))
    steps = ndimage.generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[connectivity])
    expected = watershed(-flat, seeds.astype("int32"), connectivity=steps, mask=mask.astype(bool), compactness=compactness)
    how = {"compactness": compactness, "connectivity": connectivity, "threads": threads}
    labels = split_objects(frozen(seeds), frozen(mask), flat, frozen(flat), "distance", {}, **how)
    np.testing.assert_array_equal(labels, expected)


def test_objects_at_all_faces_and_a_mask_without_background():
    rng = np.random.default_rng(0)
    for shape in [(1, 30, 30), (30, 1, 30), (30, 30, 1), (9, 30, 31)]:
        mask, landscape = np.ones(shape, "uint8"), rng.random(shape, "float32")
        seeds = np.zeros(shape, "uint16")
        seeds.ravel()[rng.permutation(seeds.size)[:9]] = np.arange(1, 10)
        expected = watershed(-landscape, seeds.astype("int32"), connectivity=np.ones((3, 3, 3)), mask=mask.astype(bool))
        np.testing.assert_array_equal(split(seeds, mask, landscape), expected)
