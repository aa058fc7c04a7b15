import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cellstack.core.distance import distance_map
from cellstack.files.stacks import read_stack, write_stack
from cellstack.segment.merge_objects import (
    METHODS,
    Typical,
    _look_at_planes,
    merge_objects,
)
from merge_objects import main

OPTIONS = {
    "min_convexity": 0.98,
    "min_neck": 0.0,
    "min_border_intensity_ratio": 0.8,
    "max_volume_um3": 1e9,
    "max_relative_volume": 1.2,
    "small_relative_volume": 0.7,
    "min_local_contrast": 0.0,
}
SPACINGS = [(0.4 * ratio, 0.4, 0.4) for ratio in (1.1, 4, 8)]
each_spacing = pytest.mark.parametrize("spacing", SPACINGS, ids=str)


def grid(spacing, field):
    """Return the coordinates z, y, x in um of the voxels of a field of view."""
    shape = np.round(np.array(field) / spacing).astype(int)
    return [
        ((np.arange(length) + 0.5) * step).reshape(np.roll((-1, 1, 1), axis))
        for axis, (length, step) in enumerate(zip(shape, spacing, strict=True))
    ]


def cut_ball(spacing, dark=1.0):
    """Return a ball of diameter 16 um cut in two; `dark` is the intensity of the cut."""
    z, y, x = grid(spacing, (20, 20, 20))
    ball = (z - 10) ** 2 + (y - 10) ** 2 + (x - 10) ** 2 < 8**2
    labels = np.where(ball, 1 + (y > 10), 0).astype("uint16")
    stack = np.where(ball, np.where(abs(y - 10) < 0.8, dark, 1.0), 0.0).astype("float32")
    return labels, stack


def two_balls(spacing):
    """Return two touching balls of diameter 10 um."""
    z, y, x = grid(spacing, (12, 12, 22))
    first = (z - 6) ** 2 + (y - 6) ** 2 + (x - 6) ** 2 < 5**2
    second = (z - 6) ** 2 + (y - 6) ** 2 + (x - 15.6) ** 2 < 5**2
    labels = np.where(first | second, np.where(x < 10.8, 1, 2), 0).astype("uint16")
    return labels, (labels > 0).astype("float32")


def merge(labels, stack, spacing, **options):
    distance = distance_map((labels > 0).astype("uint8"), spacing)
    return merge_objects(labels, stack, distance, spacing, "convexity", OPTIONS | options)


@each_spacing
def test_the_halves_of_a_ball_are_merged(spacing):
    labels, stack = cut_ball(spacing)
    labels.flags.writeable = stack.flags.writeable = False
    merged = merge(labels, stack, spacing)
    assert merged.dtype == np.uint16
    assert np.array_equal(merged, labels > 0)


@each_spacing
def test_touching_balls_are_not_merged(spacing):
    labels, stack = two_balls(spacing)
    assert np.array_equal(merge(labels, stack, spacing, min_convexity=0.85), labels)
    assert merge(labels, stack, spacing, min_convexity=0.78).max() == 1


@each_spacing
def test_halves_with_a_dark_border_are_not_merged(spacing):
    labels, stack = cut_ball(spacing, dark=0.5)
    assert np.array_equal(merge(labels, stack, spacing), labels)
    assert merge(labels, stack, spacing, min_border_intensity_ratio=0.4).max() == 1
    with_background = stack + np.float32(5)
    assert np.array_equal(merge(labels, with_background, spacing), labels)


def test_the_border_is_compared_with_the_darker_half():
    # Mean intensity at the border: 0.75, of 0.5 and 1; the background is 0.2 and counts as 0.
    labels, _ = cut_ball(SPACINGS[1])
    stack = np.array([0.2, 0.7, 1.2], "float32")[labels]
    for ratio, count in ((1.45, 1), (1.55, 2)):
        merged = merge(labels, stack, SPACINGS[1], min_border_intensity_ratio=ratio)
        assert merged.max() == count


def test_merged_regions_count_by_volume_in_the_next_merge():
    # 1 and 2 are merged first. Their intensity is then (2 * 1 + 1 * 0.4) / 3 = 0.8, and the border
    # with 3 has 0.75 of it, but 0.6 of that of 1 and 1.5 of that of 2.
    labels = np.zeros((6, 12, 40), "uint16")
    labels[1:5, 2:10, 2:18], labels[1:5, 2:10, 18:26], labels[1:5, 2:10, 26:38] = 1, 2, 3
    stack = np.array([0, 1, 0.4, 0.9], "float32")[labels]
    stack[:, :, 25], stack[:, :, 26] = 0.3 * (labels[:, :, 25] > 0), 0.9 * (labels[:, :, 26] > 0)
    for ratio, count in ((0.74, 1), (0.76, 2)):
        for scale in (0.5, 3):
            bright = stack * np.float32(scale)
            merged = merge(labels, bright, (2, 0.5, 0.25), min_border_intensity_ratio=ratio)
            assert merged.max() == count


def test_merged_objects_do_not_exceed_max_volume():
    labels, stack = cut_ball(SPACINGS[0])
    volume = (labels > 0).sum() * np.prod(SPACINGS[0])
    assert merge(labels, stack, SPACINGS[0], max_volume_um3=0.99 * volume).max() == 2
    assert merge(labels, stack, SPACINGS[0], max_volume_um3=1.01 * volume).max() == 1


@pytest.mark.parametrize(
    ("boxes", "relative", "count"),
    [
        (20, 1.2, 20),  # two boxes are larger than 1.2 times the large ones
        (20, 2.1, 18),
        (19, 1.2, 17),  # too few to know what is large
    ],
)
def test_merged_objects_do_not_exceed_the_large_objects_of_the_stack(boxes, relative, count):
    """Two pairs of touching boxes, beside others of the same size and two smaller ones."""
    labels = np.zeros((6, 8, 10 * boxes), "uint16")
    for number in range(boxes):
        start = 10 * number + (4 if number in (0, 2) else 0)  # beside the next one
        labels[1:5, 2 : 4 if number > boxes - 3 else 6, start : start + 6] = number + 1
    stack = (labels > 0).astype("float32")
    merged = merge(labels, stack, (2, 0.5, 0.25), max_relative_volume=relative)
    assert merged.max() == count


def test_the_most_convex_pair_is_merged_first():
    # 2 and 3 form a box. 1 and 2 nearly do, but 1 with both of them does not.
    labels = np.zeros((6, 24, 40), "uint16")
    labels[1:5, 11:20, 2:9], labels[1:5, 1:11, 2:12], labels[1:5, 1:11, 12:18] = 1, 2, 3
    for order in ([0, 1, 2, 3], [0, 3, 2, 1]):
        numbered = np.array(order, "uint16")[labels]
        merged = merge(numbered, (labels > 0).astype("float32"), (2, 0.5, 0.25), min_convexity=0.88)
        assert merged.max() == 2
        assert len(np.unique(merged[labels >= 2])) == 1


def egg(spacing):
    """Return a ball of diameter 16 um of which a cap is cut off."""
    z, y, x = grid(spacing, (20, 20, 20))
    ball = (z - 10) ** 2 + (y - 10) ** 2 + (x - 10) ** 2 < 8**2
    labels = np.where(ball, 1 + (y > 13), 0).astype("uint16")
    return labels, (labels > 0).astype("float32")


def overlapping_balls(spacing):
    """Return two balls of diameter 16 um with centres 10 um apart, split between them."""
    z, y, x = grid(spacing, (20, 20, 30))
    first, second = ((z - 10) ** 2 + (y - 10) ** 2 + (x - at) ** 2 < 8**2 for at in (10, 20))
    labels = np.where(first | second, np.where(x < 15, 1, 2), 0).astype("uint16")
    return labels, (labels > 0).astype("float32")


@each_spacing
def test_a_pair_with_a_neck_is_not_merged_whatever_its_convexity(spacing):
    # The depth of the neck is sqrt(8^2 - 5^2) = 6.2 um, that of each ball 8 um.
    labels, stack = overlapping_balls(spacing)
    assert merge(labels, stack, spacing, min_convexity=0.8, min_neck=0.9).max() == 2
    assert merge(labels, stack, spacing, min_convexity=0.8, min_neck=0.65).max() == 1


@each_spacing
@pytest.mark.parametrize(("small_relative_volume", "count"), [(0.51, 1), (0.49, 2)])
def test_a_neck_does_not_matter_if_the_pair_is_small(spacing, small_relative_volume, count):
    labels, stack = overlapping_balls(spacing)
    typical = Typical(background=0.0, large_voxels=2.0 * (labels > 0).sum())
    distance = distance_map((labels > 0).astype("uint8"), spacing)
    options = OPTIONS | {"min_convexity": 0.8, "min_neck": 0.9, "max_relative_volume": 1.0}
    options["small_relative_volume"] = small_relative_volume
    volumes = (labels, stack, distance)
    merged = merge_objects(*volumes, spacing, "convexity", options, typical=typical)
    assert merged.max() == count


@each_spacing
def test_a_cap_is_merged_with_the_ball_it_was_cut_off(spacing):
    # Its border is as deep as the cap itself.
    labels, stack = egg(spacing)
    assert merge(labels, stack, spacing, min_neck=0.95 if spacing[0] < 1 else 0.8).max() == 1


def test_many_regions_are_merged_and_labels_have_no_gaps():
    labels = np.zeros((8, 8, 40), "uint16")
    for number in range(6):
        labels[:, :, 4 * number : 4 * number + 4] = 6 - number
    labels[2:6, 2:6, 30:36] = 7
    merged = merge(labels, (labels > 0).astype("float32"), (1, 1, 1))
    assert np.array_equal(merged, np.where(labels == 7, 2, labels > 0))


@pytest.mark.slow
@settings(max_examples=15)  # processes are started for each
@given(seed=st.integers(0, 30), factor=st.sampled_from([0.5, 3.0]), limit=st.floats(0, 1.2))
def test_result_consists_of_whole_regions_for_any_spacing_and_threads(seed, factor, limit):
    rng = np.random.default_rng(seed)
    labels = np.kron(rng.integers(0, 5, (3, 4, 4)), np.ones((2, 3, 3))).astype("uint16")
    labels = np.searchsorted(np.unique(labels), labels).astype("uint16")
    stack = rng.random(labels.shape).astype("float32")
    options = OPTIONS | {"min_convexity": limit, "min_border_intensity_ratio": 0.5, "min_neck": 0.9}
    distance = rng.random(labels.shape).astype("float32")
    merged = merge_objects(labels, stack, distance, (1, 1, 1), "convexity", options)
    assert np.array_equal(merged > 0, labels > 0)
    for label in range(1, labels.max() + 1):
        assert len(np.unique(merged[labels == label])) == 1
    assert sorted(set(np.unique(merged)) | {0}) == list(range(merged.max() + 1))
    spacing = (2 * factor, factor, factor)
    volumes = (labels, stack, distance)
    assert np.array_equal(merged, merge_objects(*volumes, spacing, "convexity", options))
    in_parallel = merge_objects(*volumes, (1, 1, 1), "convexity", options, threads=3)
    assert np.array_equal(merged, in_parallel)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0, 1])
def test_uniform_labels_are_unchanged(method, value):
    for shape in [(1, 7, 1), (4, 5, 6)]:
        labels = np.full(shape, value, "uint16")
        options = OPTIONS if method == "convexity" else {}
        stack = np.ones(shape, "float32")
        merged = merge_objects(labels, stack, stack, (1, 1, 1), method, options)
        assert np.array_equal(merged, labels)


def test_two_regions_without_background():
    labels = np.ones((3, 4, 6), "uint16")
    labels[:, :, 3:] = 2
    assert merge(labels, np.ones(labels.shape, "float32"), (1, 1, 1)).max() == 1


@pytest.mark.slow
@settings(max_examples=40)
@given(
    arrays("uint16", st.tuples(*[st.integers(1, 5)] * 3), elements=st.integers(0, 3)),
    st.integers(0, 99),
)
def test_borders_against_a_loop_over_faces(labels, seed):
    rng = np.random.default_rng(seed)
    stack, distance = (rng.integers(0, 9, labels.shape).astype("float32") for _ in range(2))
    expected = {}
    for place in np.ndindex(labels.shape):
        for axis in range(3):
            after = tuple(index + (each == axis) for each, index in enumerate(place))
            if after[axis] < labels.shape[axis] and len({0, labels[place], labels[after]}) == 3:
                pair = tuple(sorted((int(labels[place]), int(labels[after]))))
                faces, total, depth = expected.get(pair, (0, 0.0, 0.0))
                expected[pair] = (
                    faces + 1,
                    total + float(stack[place] + stack[after]) / 2,
                    max(depth, min(distance[place], distance[after])),
                )
    for threads in (1, 2):
        borders, total, voxels = _look_at_planes(labels, stack, distance, threads)
        assert borders == expected
        assert total == pytest.approx(stack[labels == 0].sum(dtype=float))
        assert voxels == (labels == 0).sum()


def test_the_volume_of_large_objects_comes_from_the_stack_of_a_block():
    labels, stack = cut_ball(SPACINGS[1])
    volume = int((labels > 0).sum())
    for large, count in ((volume, 1), (0.8 * volume, 2)):
        typical = Typical(background=0.0, large_voxels=large)
        options = OPTIONS | {"max_relative_volume": 1.1}
        volumes = (labels, stack, stack)
        merged = merge_objects(*volumes, SPACINGS[1], "convexity", options, typical=typical)
        assert merged.max() == count


def test_script_writes_merged_objects(tmp_path):
    labels, stack = cut_ball(SPACINGS[1])
    write_stack(tmp_path / "watershed.tif", labels, SPACINGS[1])
    write_stack(tmp_path / "denoised.tif", stack, SPACINGS[1])
    write_stack(tmp_path / "distance.tif", stack, SPACINGS[1])
    names = ("watershed", "denoised", "distance", "merged")
    files = {name: tmp_path / f"{name}.tif" for name in names}
    for options, count in ((OPTIONS, 1), (OPTIONS | {"max_volume_um3": 1.0}, 2)):
        main(**files, method="convexity", options=options)
        found, spacing = read_stack(files["merged"])
        assert found.max() == count
        assert spacing == SPACINGS[1]


def hazy_stack(height, spacing=(2.0, 0.5, 0.4)):
    """Return a ball of 8 um, and one of 6 um that is `height` SD above its background."""
    z, y, x = grid(spacing, (16, 14, 30))
    first = (z - 8) ** 2 + (y - 7) ** 2 + (x - 8) ** 2 < 4**2
    second = (z - 8) ** 2 + (y - 7) ** 2 + (x - 22) ** 2 < 3**2
    labels = np.where(first, 1, np.where(second, 2, 0)).astype("uint16")
    noise = np.random.default_rng(0).normal(10, 1, labels.shape)
    return labels, (noise + 20 * first + height * second).astype("float32"), spacing


def contrasting(contrast):
    return {"method": "convexity", "options": OPTIONS | {"min_local_contrast": contrast}}


@pytest.mark.parametrize(("height", "count"), [(1.0, 1), (1.6, 2)])
def test_objects_are_removed_that_hardly_stand_out(height, count):
    labels, stack, spacing = hazy_stack(height)
    arguments = (labels, stack, stack, spacing)
    merged = merge_objects(*arguments, **contrasting(1.25))
    np.testing.assert_array_equal(merged, np.where(labels <= count, labels, 0))
    assert merged.dtype == np.uint16
    in_parallel = merge_objects(*arguments, **contrasting(1.25), threads=3)
    np.testing.assert_array_equal(merged, in_parallel)
    assert len(np.unique(merge_objects(*arguments, **contrasting(0)))) == 3


def test_contrast_is_that_of_the_merged_object():
    # Alone, the dim piece of the ball would be removed.
    labels, stack, spacing = hazy_stack(9)
    parts, along_y = labels.copy(), np.arange(labels.shape[1])[:, None]
    parts[(labels == 1) & (along_y < 12)] = 3
    stack[parts == 3] -= 19.5
    arguments = (parts, stack, labels.astype("float32"), spacing)
    assert merge_objects(*arguments, **contrasting(1.25)).max() == 2
    merging = contrasting(1.25)
    merging["options"] |= {"min_convexity": 0, "min_border_intensity_ratio": 0}
    np.testing.assert_array_equal(merge_objects(*arguments, **merging), labels)


def test_contrast_is_relative_to_voxels_with_data():
    labels, stack, spacing = hazy_stack(1.6)
    no_data = np.zeros(labels.shape, bool)
    no_data[:, :, 57:] = True  # beside the second ball
    stack[no_data & (labels == 0)] = 40
    arguments = (labels, stack, stack, spacing)
    assert merge_objects(*arguments, **contrasting(1.25)).max() == 1
    assert merge_objects(*arguments, **contrasting(1.25), no_data=no_data).max() == 2


def test_objects_without_background_around_them_are_kept():
    labels = np.ones((3, 8, 9), np.uint16)
    stack = np.random.default_rng(1).normal(0, 1, labels.shape).astype("float32")
    np.testing.assert_array_equal(
        merge_objects(labels, stack, stack, (2, 1, 1), **contrasting(9)), labels
    )


def test_script_logs_how_many_objects_are_removed(tmp_path, caplog):
    labels, stack, spacing = hazy_stack(1.0)
    files = {name: tmp_path / f"{name}.tif" for name in ("watershed", "denoised", "distance")}
    for path, image in zip(files.values(), (labels, stack, stack), strict=True):
        write_stack(path, image, spacing)
    merged = tmp_path / "merged.tif"
    with caplog.at_level("INFO"):
        main(**files, merged=merged, **contrasting(1.25))
    assert "2 objects, of which 1 are removed" in caplog.text
    np.testing.assert_array_equal(read_stack(merged)[0], labels == 1)
