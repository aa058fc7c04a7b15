"""Grouping of images into stacks, and the rows of the sheet."""

from pathlib import Path

import pytest

from cellstack.init.contents import Contents
from cellstack.init.find_images import FoundImage
from cellstack.init.stacks import Options, Part, arrange, key_of

SPACING = {"z": 1.0, "y": 0.5, "x": 0.4}
NOT_GIVEN = dict.fromkeys("zyx")


def part(name, channels=(None,), *, shape=(9, 60, 70), spacing=SPACING, **contents):
    image = FoundImage([Path(f"{name}.tif")], f"{name}.tif", name)
    return Part(image, Contents(channels=channels, shape=shape, spacing=spacing, **contents))


def stacks_of(*parts, in_sheet=None, **options):
    return arrange(parts, Options(**options), lambda image: image.path, in_sheet or {})


def table(stacks, *columns):
    return [tuple(row.get(name, "") for name in columns) for each in stacks for row in each.rows]


def test_files_that_differ_in_the_channel_are_one_stack():
    found = stacks_of(part("m1_DAPI"), part("m2_DAPI"), part("m1_WGA"), part("m2_ch1"))
    assert table(found, "stack", "channel", "image") == [
        ("m1", "nuclei", "m1_DAPI.tif"),
        ("m1", "membrane", "m1_WGA.tif"),
        ("m2", "nuclei", "m2_DAPI.tif"),
        ("m2", "ch1", "m2_ch1.tif"),
    ]


def test_a_number_is_a_channel_only_beside_another():
    assert table(stacks_of(part("exp_w3")), "stack", "channel") == [("exp-w3", "nuclei")]


@pytest.mark.parametrize(
    "second", [part("m1_GFP", shape=(9, 60, 71)), part("m1_GFP", (None, None)), part("m1/dapi")]
)
def test_other_images_are_other_stacks(second):
    found = stacks_of(part("m1_DAPI"), second)
    assert len(found) == 2
    assert len({stack.name.casefold() for stack in found}) == 2


def test_channels_of_a_file_are_selected_by_name_or_number():
    (stack,) = stacks_of(part("a", ["DAPI", None]))
    assert table([stack], "channel", "channel_index") == [("nuclei", "DAPI"), ("channel-1", "1")]


def test_scenes_and_times_are_in_the_name_and_the_row():
    found = stacks_of(part("a", scene="3", time=7), part("a", scene="left"))
    assert table(found, "stack", "scene", "time") == [
        ("a-s3-t007", "3", "7"),
        ("a-left", "left", ""),
    ]


def test_the_folder_of_all_images_is_not_part_of_the_names():
    found = stacks_of(part("data/day1/a"), part("data/day2/a"))
    assert [stack.name for stack in found] == ["day1-a", "day2-a"]


def test_names_are_unique_on_disks_that_ignore_case():
    found = stacks_of(part("A b"), part("a_B"), in_sheet={("x", "", ""): "a-b-2"})
    assert [stack.name for stack in found] == ["A-b", "a-B-3"]


def test_images_of_the_sheet_get_no_row_and_keep_their_stack():
    first = part("m1_DAPI")
    in_sheet = {key_of(first.image.path, first.contents): "mouse-one"}
    found = stacks_of(first, part("m1_GFP"), in_sheet=in_sheet)
    assert table(found, "stack", "channel", "image") == [("mouse-one", "GFP", "m1_GFP.tif")]


@pytest.mark.parametrize(
    ("parts", "options", "reason"),
    [
        ([part("a")], {"diameter": 8.0}, ""),
        ([part("a")], {"diameter": "auto"}, ""),
        ([part("a", spacing=NOT_GIVEN)], {}, "fill in z_um, y_um, x_um"),
        ([part("a", spacing=SPACING | {"z": None})], {}, "fill in z_um"),
        ([part("a", spacing=NOT_GIVEN)], {"voxel_size": (1, 0.5, 0.4)}, ""),
        ([part("a", ["GFP", "RFP"])], {}, "which channel shows nuclei"),
        ([part("a", ["GFP", "RFP"])], {"nuclei": "RFP"}, ""),
        ([part("a", ["WGA"])], {}, "the diameter of a cell is not known"),
        ([part("a", ["WGA"])], {"cell_diameter": 12.0}, ""),
        ([part("a")], {"diameter": 29.0}, "more than the field of view of 28 um"),
        ([part("a")], {"diameter": 1.5}, "less than 2 voxels"),
    ],
)
def test_a_stack_that_cannot_run_is_left_out_with_the_reason(parts, options, reason):
    (stack,) = stacks_of(*parts, **options)
    assert reason in stack.missing
    assert bool(stack.missing) == bool(reason)
    assert {row.get("include", "") for row in stack.rows} == {"false" if reason else ""}


def test_a_given_voxel_size_is_used_only_where_the_image_has_none():
    known, unknown = part("a_DAPI"), part("a_GFP", spacing=SPACING | {"x": None})
    (stack,) = stacks_of(known, unknown, voxel_size=(2.0, 3.0, 4.0))
    assert table([stack], "z_um", "y_um", "x_um") == [("", "", ""), ("", "", "4")]
