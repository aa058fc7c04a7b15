import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellstack.config.reasons import CONTRAST, IRREGULAR, LARGE, LONG, SEEDS, SMALL
from cellstack.core.labels import find_boxes
from cellstack.measure.flag_objects import find_crowded, flag_objects
from cellstack.measure.measure_objects import measure_shapes

SPACING = (1.0, 0.5, 0.5)


def objects(volumes, solidities=None, cut=()):
    solidities = solidities or [0.95 + 0.001 * (i % 5) for i in range(len(volumes))]
    return [
        {
            "segmentation_label": i + 1,
            "volume_um3": volume,
            "solidity": solidity,
            "equivalent_diameter_um": 2.0,
            "touches_first_plane": int(i in cut),
            "touches_last_row": int(i in cut),
        }
        for i, (volume, solidity) in enumerate(zip(volumes, solidities, strict=True))
    ]


def test_unusual_size_and_shape():
    rows = objects([100, 104, 98, 101, 97, 30, 400], [0.95, 0.951, 0.949, 0.95, 0.7, 0.952, 0.99])
    assert flag_objects(rows) == ["", "", "", "", IRREGULAR, SMALL, LARGE]


def test_objects_at_a_face_are_flagged_and_not_used_as_reference():
    rows = objects([100, 104, 98, 101, 97, 10, 11, 12, 13, 14, 15, 16], cut=range(5, 12))
    flags = flag_objects(rows)
    assert flags[:5] == [""] * 5
    assert flags[5].split(";") == ["touches first plane", "touches last row", SMALL]


def test_all_objects_are_the_reference_if_fewer_than_five_touch_no_face():
    rows = objects([100, 104, 98, 101, 10, 11, 12, 13], cut=range(4, 8))
    assert not any(SMALL in flags or LARGE in flags for flags in flag_objects(rows))
    rows[4]["touches_first_plane"] = rows[4]["touches_last_row"] = 0  # the fifth that is complete
    rows[4]["volume_um3"] = 99
    assert [SMALL in flags for flags in flag_objects(rows)] == [*[False] * 5, *[True] * 3]


def test_all_objects_of_one_plane_touch_the_first_and_the_last_plane():
    rows = objects([100, 104, 98, 101, 97, 400, 8], cut=[6])  # the last one touches a row too
    for row in rows:
        row["touches_first_plane"] = row["touches_last_plane"] = 1
    flags = flag_objects(rows, has_one_plane=True)
    assert flags == [*[""] * 5, LARGE, f"touches last row;{SMALL}"]
    assert flag_objects(rows)[0] == "touches first plane;touches last plane"


@pytest.mark.parametrize(("deviations", "flagged"), [(3.4, False), (3.6, True)])
def test_outliers_are_more_than_three_and_a_half_robust_deviations_away(deviations, flagged):
    # The median absolute deviation is 0.2 in the logarithm of the volume, 0.04 in the solidity.
    logs = np.array([-0.4, -0.2, -0.2, 0, 0.2, 0.2, 0.4])
    shapes = 0.8 + logs / 5
    for side, flag in ((1, LARGE), (-1, SMALL)):
        volumes = np.exp([*logs, side * deviations * 0.29652])
        rows = objects(volumes, [*shapes, 0.8], cut=[7])
        assert (flag in flag_objects(rows)[7]) == flagged
    rows = objects([*np.exp(logs), 1.0], [*shapes, 0.8 - deviations * 0.059304], cut=[7])
    assert (IRREGULAR in flag_objects(rows)[7]) == flagged
    rows = objects([*np.exp(logs), 1.0], [*shapes, 0.8 + deviations * 0.059304], cut=[7])
    assert IRREGULAR not in flag_objects(rows)[7]


@pytest.mark.parametrize(("factor", "flagged"), [(0.99, False), (1.01, True)])
def test_similar_objects_differ_by_a_factor_of_2_or_a_solidity_of_15_percent(factor, flagged):
    volumes = [100, 101, 99, 100, 102, 100 * 2**factor, 100 / 2**factor, 100]
    flags = flag_objects(
        objects(volumes, [*[0.9, 0.901, 0.899, 0.9, 0.902], 0.9, 0.9, 0.9 - 0.15 * factor])
    )
    assert flags == [*[""] * 5, *([LARGE, SMALL, IRREGULAR] if flagged else [""] * 3)]


def measured(diameter, *centres):
    """Return the row of an object that consists of balls, with centres in um."""
    spacing = (1.0, 0.5, 0.25)
    places = np.stack(np.indices((20, 40, 80)), axis=-1) * spacing
    within = [np.square(places - centre).sum(axis=-1) <= diameter**2 / 4 for centre in centres]
    labels = np.any(within, axis=0).astype(np.uint16)
    (row,) = measure_shapes(labels, find_boxes(labels), spacing)
    return row | {"segmentation_label": 1}


@pytest.mark.parametrize("axis", range(3))
def test_two_touching_balls_are_long_and_a_larger_ball_is_not(axis):
    middle = np.array([10, 10, 10])
    balls = [measured(5 + shift, middle + shift) for shift in (-0.2, -0.1, 0, 0.1, 0.2)]
    half_way = 2.25 * (np.arange(3) == axis)
    pair = measured(5, middle - half_way, middle + half_way)
    larger = measured(6.5, middle)
    assert [LONG in flag for flag in flag_objects([*balls, larger, pair])] == [*[False] * 6, True]
    pairs = [pair | {"axis_major_length_um": 10 + shift} for shift in range(5)]
    assert LONG not in ";".join(flag_objects([*pairs, *balls[:4]]))  # where all others are long
    without_axes = [
        {name: row[name] for name in row if not name.startswith("axis")} for row in [*balls, pair]
    ]
    assert LONG not in ";".join(flag_objects(without_axes))
    assert LONG not in ";".join(flag_objects([*balls[:3], pair]))  # too few


def test_too_few_or_equal_objects_are_not_flagged():
    assert flag_objects([]) == []
    assert flag_objects(objects([1, 1000, 1, 1])) == [""] * 4
    assert flag_objects(objects([5, 5, 5, 5, 5, 900], [1] * 6)) == [""] * 6


def test_seeds_and_contrast():
    flags = flag_objects(objects([100, 104, 98]), [0.5, np.nan, 2], {3})
    assert flags == [CONTRAST, "", SEEDS]


@pytest.mark.parametrize(
    ("heights", "flagged"),
    [
        ([10, 11, 9, 10, 79], []),
        ([10, 11, 9, 10, 81], [4]),
        ([10, 10, 10, 10, np.nan, 81], [5]),  # the background of one object is unknown
        ([10, 10, 10, 81], []),  # too few to know what is usual
        ([81, 90, 85, 10, 10, 10, 10], [0, 1, 2]),
        ([81, 90, 85, 90, 10, 10, 10], []),  # bright is usual here
        ([-1, -2, 0, -1, 5], [4]),
    ],
)
def test_objects_much_brighter_than_the_median_are_flagged(heights, flagged):
    rows = objects([100] * len(heights))
    flags = flag_objects(rows, heights=heights)
    assert [i for i, flag in enumerate(flags) if flag == "bright for its stack"] == flagged


@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=20), st.floats(0.01, 100))
def test_flags_do_not_depend_on_the_unit_of_volume(volumes, factor):
    ours, theirs = (
        flag_objects(objects(volumes)),
        flag_objects(objects([volume * factor for volume in volumes])),
    )
    far = np.abs(np.log(volumes) - np.median(np.log(volumes)))
    spread = 1.4826 * np.median(far)
    if spread > 0.01:  # below, the result depends on rounding
        assert [a for a, z in zip(ours, far / spread, strict=True) if abs(z - 3.5) > 1e-6] == [
            b for b, z in zip(theirs, far / spread, strict=True) if abs(z - 3.5) > 1e-6
        ]


def test_crowded_seeds_depend_on_the_distance_in_um():
    segmentation = np.zeros((10, 20, 20), np.uint16)
    segmentation[:3, :10] = 3
    segmentation[3:, :10] = 5
    segmentation[:, 10:] = 8
    seeds = np.zeros_like(segmentation)
    seeds[2, 5, 5], seeds[4, 5, 5] = 1, 2  # 2 um apart
    assert find_crowded(seeds, segmentation, SPACING, 2.1) == {3, 5}
    assert find_crowded(seeds, segmentation, SPACING, 1.9) == set()
    seeds[2, 10:12, 5] = 4  # 2.75 um from the first
    assert find_crowded(seeds, segmentation, SPACING, 2.8) == {3, 5, 8}
    assert find_crowded(np.zeros_like(seeds), segmentation, SPACING, 9) == set()


def test_several_seeds_of_one_object_are_not_crowded():
    segmentation = np.zeros((10, 20, 20), np.uint16)
    segmentation[:, :10] = 3
    segmentation[:, 10:] = 5
    seeds = np.zeros_like(segmentation)
    seeds[2, 5, 5], seeds[4, 5, 5] = 1, 2  # 2 um apart, in an object that was merged
    assert find_crowded(seeds, segmentation, SPACING, 2.1) == set()
    seeds[2, 10, 5] = 4  # in another object, 2.5 um from the first, 3.2 um from the second
    assert find_crowded(seeds, segmentation, SPACING, 2.6) == {3, 5}


def test_objects_beside_no_data_are_flagged_and_are_no_reference():
    rows = [
        {"label": i, "segmentation_label": i, "volume_um3": volume, "solidity": 0.9}
        for i, volume in enumerate([100, 104, 98, 101, 97, 12, 11, 13, 10, 14, 12], 1)
    ]
    flags = flag_objects(rows, beside_no_data=range(6, 12))
    assert flags[:5] == [""] * 5
    assert set(flags[5:]) == {"touches no data;small for its stack"}
