"""The names of planes: their order, and which files make up a stack."""

import re
import uuid
from pathlib import Path

import numpy as np
import pytest
import tifffile
from reading import pattern, read, refused

from cellstack.errors import InputError
from cellstack.files import images
from cellstack.files.readers.plane_choice import choose_planes
from cellstack.files.readers.plane_names import group_planes, pattern_of

PLANES = 12
STACKS = {
    "not padded": "z{n}.tif",
    "padded": "img_z{n:03d}.tif",
    "from 1": "slice {m:02d} of scan 3.tif",
    "hyphens before numbers": "scan-7-{n:03d}.tif",
    "signed steps of 2.5": "pos_{s:+.1f}um.tif",
    "signed steps of 20": "000000_{d:06d}.tif",
    "a hyphen after letters": "scan-{n:03d}.tif",
    "signs after letters": "pos{d:+04d}.tif",
    "only negative": "z_-{m}.tif",
    "only negative after an equals sign": "z=-{m}.tif",
    "only negative after a comma": "x1,-{m}.tif",
    "only negative in brackets": "z(-{m}).tif",
    "decimals of any length": "z_{q:g}.tif",
    "rounded decimals": "z_{q:.1f}.tif",
    "a dot before the number": "scan1.{m}.tif",
    "capitals and other letters": "IMG Z{n:03d} #1 µ.TIF",
    "a constant channel": "exp1_w1DAPI_s1_z{m}_t1.TIF",
    "a running number beside z": "{m:04d}_z{n:02d}.tif",
    "the time of day beside a number": "scan_{k:06d}_{n}.tif",
    "many numbers after ch": "ch{n:05d}.tif",
    "folders": "plane{n}/image.tif",
}


def names_of(form, numbers=range(PLANES)):
    return [
        form.format(n=n, m=n + 1, s=2.5 * (n - 6), d=20 * (n - 6), q=n / 4, k=93000 + n * n)
        for n in numbers
    ]


def message_of(names, listed=(), folder="planes"):
    with pytest.raises(InputError) as error:
        choose_planes(names, listed or names, folder)
    return str(error.value)


@pytest.mark.parametrize("form", STACKS.values(), ids=STACKS)
def test_the_planes_of_a_stack_are_sorted_by_their_number(form):
    names = names_of(form)
    expected = names[::-1] if re.search(r"[_=,(]-\{m\}", form) else names
    assert choose_planes(sorted(names), names, "planes").names == expected


@pytest.mark.parametrize("lost", [1, 5, 10])
@pytest.mark.parametrize("form", STACKS.values(), ids=STACKS)
def test_a_missing_plane_is_refused(form, lost):
    names = names_of(form, [n for n in range(PLANES) if n != lost])
    assert "planes are missing among" in message_of(names)


def test_the_gaps_are_named():
    names = [f"z{n:02d}.tif" for n in range(24) if n not in (5, 10, 11)]
    assert "(1 between 04 and 06, 2 between 09 and 12)" in message_of(names)
    names = [f"z{n}.tif" for n in (0, 1, 2, 4, 3.5)]
    assert "planes are missing" in message_of(names)


def test_a_gap_is_not_taken_for_rounded_positions():
    assert "1 between 0.4 and 0.8" in message_of([f"z_{n / 5:.1f}.tif" for n in (0, 1, 2, 4, 5)])
    assert "the steps from 0 to 17 differ" in message_of(
        [f"z{n}.tif" for n in (0, 3, 7, 10, 13, 17)]
    )
    rounded = [f"z{n}.tif" for n in (0, 12, 25, 38, 50)]
    assert choose_planes(rounded, rounded, "").names == rounded


def test_a_gap_among_decimals_is_named_with_their_dot():
    assert "1 between 1.2 and 1.4" in message_of(["z_1.1.tif", "z_1.2.tif", "z_1.4.tif"])


@pytest.mark.parametrize("form", ["p_{0:+04d}.tif", "p_{0}.5.tif"])
def test_steps_of_positions_are_no_notice(form):
    names = [form.format(20 * n) for n in range(5)]
    assert choose_planes(names, names, "").notice == ""


def test_a_larger_step_is_a_notice():
    names = [f"z{n}.tif" for n in range(0, 24, 2)]
    assert choose_planes(names, names, "").notice == "the numbers of the planes increase by 2"
    assert choose_planes(names_of("z{n}.tif"), names, "").notice == ""


@pytest.mark.parametrize(
    ("forms", "differ"),
    [
        (["Series003_z{n:02d}_ch00.tif", "Series003_z{n:02d}_ch01.tif"], "ch (00, 01)"),
        (["t001_z{n:03d}.tif", "t002_z{n:03d}.tif"], "t (001, 002)"),
        (["w1DAPI_z{n}.TIF", "w2GFP_z{n}.TIF"], "their names (w1DAPI_z0.TIF, w2GFP_z0.TIF)"),
        (["r02f01p{m:02d}-ch1.tiff", "r02f02p{m:02d}-ch1.tiff"], "f (01, 02)"),
        (["{n}_1.tif", "{n}_2.tif"], "number 2 (1, 2)"),
        (["[1]_z{n}_c1.tif", "[1]_z{n}_c2.tif"], "c (1, 2)"),
        (["a{n}.tif", "b{n}.tif", "b{n} (1).tif"], "their names (a0.tif, b0 (1).tif, b0.tif)"),
    ],
)
def test_several_stacks_are_refused_with_a_pattern_for_each(forms, differ):
    names = [name for form in forms for name in names_of(form)]
    message = message_of(names)
    assert f"planes: contains {len(forms)} stacks of planes, which differ in {differ}" in message
    patterns = message.partition("sheet: ")[2].split(", ")
    assert len(patterns) == len(forms)
    for form in forms:
        group = group_planes(names_of(form))[0]
        assert f"planes/{pattern_of(group, names)}" in patterns


def channels(count, prefix=""):
    return [name for c in range(count) for name in names_of(f"{prefix}z{{n}}_c{c}.tif", range(3))]


def suggested(message):
    return message.partition("image in the sheet: ")[2].split(", ")


def test_of_many_stacks_six_patterns_are_shown():
    expected = [f"planes/z*_c{c}.tif" for c in range(6)]
    assert suggested(message_of(channels(6))) == expected
    message = message_of(channels(8))
    assert "contains 8 stacks of planes, which differ in c (0, 1, 2, 3, 4 and 3 more)" in message
    assert suggested(message) == [*expected, "..."]


def test_long_patterns_are_shown_up_to_a_limit():
    found = suggested(message_of(channels(6, 80 * "x")))
    assert found == [f"planes/{80 * 'x'}z*_c{c}.tif" for c in range(3)] + ["..."]


def test_patterns_of_several_stacks_match_no_file_that_is_not_in_the_sheet():
    names = channels(2)
    found = suggested(message_of(names, [*names, "zoom_c1.tif"]))
    assert found == ["planes/z*_c0.tif", "planes/z[0-9]_c1.tif"]
    message = message_of(names, [*names, *(f"z1x2_c{c}.tif" for c in (0, 1))], folder="")
    assert suggested(message) == ["z[0-9]_c0.tif", "z[0-9]_c1.tif"]
    names = [f"z{n}_c{c}.tif" for n in (9, 10, 11) for c in (0, 1)]
    message = message_of(names, [*names, *(f"z1x2_c{c}.tif" for c in (0, 1))])
    assert message.endswith("differ in c (0, 1): use a folder for each")


def test_files_beside_several_stacks_are_named():
    message = message_of([*channels(2), *(f"{letter}.tif" for letter in "abcde")])
    assert "c (0, 1), and a.tif, b.tif, c.tif, d.tif, e.tif beside them: use one" in message
    message = message_of([*channels(2), *(f"{letter}.tif" for letter in "abcdef")])
    assert "d.tif, e.tif and 1 more beside them: use one" in message


def test_stacks_with_other_forms_of_names_differ_in_their_names():
    message = message_of([*channels(2), *names_of("img{n}.tif", range(4))])
    assert "which differ in their names (img0.tif, z0_c0.tif, z0_c1.tif)" in message


LABELS = ("z", "zpos", "zstep", "slice", "plane", "section", "layer", "depth", "p")


@pytest.mark.parametrize("label", [*LABELS, "Z_", "z ", "Slice #", "z="])
def test_a_known_word_before_a_number_says_that_it_counts_planes(label):
    names = [f"x{m}_{label}{n}.tif" for m in range(5) for n in range(2)]  # more values of x
    groups = group_planes(names)
    assert [group.names for group in groups] == [names[m : m + 2] for m in range(0, 10, 2)]
    assert groups[1].fixed == {"x": "1"}


def test_of_several_numbers_the_last_one_counts_planes_if_none_varies_more():
    groups = group_planes(["1_1.tif", "1_2.tif", "2_1.tif", "2_2.tif"])
    assert [group.names for group in groups] == [["1_1.tif", "1_2.tif"], ["2_1.tif", "2_2.tif"]]


def test_up_to_eight_numbers_after_ch_are_channels():
    assert "count channels, not planes" in message_of(names_of("ch{n}.tif", range(8)))
    names = names_of("ch{n}.tif", range(9))
    assert choose_planes(names, names, "").names == names


def test_channels_and_time_points_are_separate_although_the_number_of_planes_tells_them_apart():
    assert len(group_planes([f"z{n}_ch{n}.tif" for n in range(3)])) == 3
    times = [f"t{n // 3}_z{n}.tif" for n in range(6)]  # planes are counted on
    assert [group.names for group in group_planes(times)] == [times[:3], times[3:]]


def test_the_largest_group_is_first():
    groups = group_planes(["a1.tif", "a2.tif", "b1.tif", "b2.tif", "b3.tif"])
    assert [len(group.names) for group in groups] == [3, 2]


def test_endings_in_capitals_belong_to_the_same_stack():
    names = ["z0.tif", "z1.TIF", "z2.tif"]
    assert choose_planes(names, names, "").names == names


def test_a_pattern_has_the_sign_and_the_depth_of_the_planes():
    names = ["z_-1.tif", "z_-2.tif", "z_-3.tif"]
    group = group_planes(names)[0]
    assert pattern_of(group, [*names, "z_x.tif", "old/z_-1.tif", "z_-4.tif/z_-1.tif"]) == "z_-*.tif"


def test_a_running_number_does_not_hide_the_channels():
    names = [f"{n:04d}_z{n // 2:02d}_c{n % 2}.tif" for n in range(24)]
    assert "which differ in c (0, 1)" in message_of(names)


def test_a_running_number_beside_two_numbers_without_a_known_word_is_not_left_out():
    names = [f"a{n // 3}_b{n % 3}_{n:03d}.tif" for n in range(6)]
    assert [group.names for group in group_planes(names)] == [[name] for name in names]


@pytest.mark.parametrize(
    ("other", "suggested"),
    [
        (["MAX_img.tif"], "planes/img_z*.tif"),
        (["img_MIP.tif"], "planes/img_z*.tif"),
        (["img_z004 (1).tif", "img_z007 - Copy.tif"], "planes/img_z[0-9][0-9][0-9].tif"),
        (["thumbnail.png"], "planes/img_z*.tif"),
    ],
)
def test_files_of_another_form_are_named(other, suggested):
    message = message_of([*names_of("img_z{n:03d}.tif"), *other])
    assert f"planes: {', '.join(other)} " in message
    assert f"use the pattern {suggested} as image" in message


def test_a_pattern_matches_no_other_file_of_the_folder():
    names = names_of("z{n}.tif")
    assert pattern_of(group_planes(names)[0], [*names, "zoom.tif", "z.tif"]) == "z[0-9]*.tif"
    assert pattern_of(group_planes(names)[0], [*names, "z1x2.tif"]) is None
    numbered = names_of("{m:04d}_z{n}.tif")
    others = ["x1_z9.tif", "1x_z9.tif"]
    found = pattern_of(group_planes(numbered)[0], [*numbered, *others])
    assert found == "[0-9][0-9][0-9][0-9]_z*.tif"
    message = message_of([*names, "z1x2.tif"])
    assert "move it to another folder" in message
    assert "pattern" not in message


@pytest.mark.parametrize(
    ("form", "counted"),
    [
        ("t{n:03d}.tif", "time points"),
        ("Series{n:03d}.tif", "positions"),
        ("w{n}.tif", "channels"),
        ("plate_C07_s{n}_w1.tif", "positions"),
        ("exp1_w1DAPI_s{n}_t1.TIF", "positions"),
    ],
)
def test_numbers_that_do_not_count_planes(form, counted):
    message = message_of(names_of(form, range(5)))
    assert f"count {counted}, not planes" in message


def test_names_without_numbers():
    assert "no number in the names of its 2 files" in message_of(["top.tif", "bottom.tif"])
    assert "have the same number" in message_of(["z1.tif", "z01.tif", "z2.tif"])


def test_identifiers_of_files_do_not_count():
    def name(z, channel):
        identifier = uuid.uuid5(uuid.NAMESPACE_OID, f"{z} {channel}")
        return f"TimePoint_1/ZStep_{z}/plate_C07_s2_w{channel}{str(identifier).upper()}.tif"

    planes = [name(z, 1) for z in range(1, 12)]
    others = [name(z, 2) for z in range(1, 12)]
    assert choose_planes(sorted(planes), planes, "scan").names == planes
    assert "planes/TimePoint_1/ZStep_*/plate_C07_s2_w1*.tif" in message_of(planes + others)


def test_groups_are_for_any_use():
    names = [
        f"m{m}_t{t}_z{z}_{c}.tif" for m in (1, 2) for t in (0, 1) for z in (9, 10) for c in "ab"
    ]
    groups = group_planes(names)
    assert len(groups) == 8
    assert {len(group.names) for group in groups} == {2}
    assert groups[0].names == ["m1_t0_z9_a.tif", "m1_t0_z10_a.tif"]
    assert groups[0].fixed == {"m": "1", "t": "0"}
    assert (groups[0].label, groups[0].numbers) == ("z", ["9", "10"])


def write(folder, names, stack):
    folder.mkdir(exist_ok=True)
    for name, plane in zip(names, stack, strict=True):
        tifffile.imwrite(folder / name, plane)


def test_the_patterns_of_a_message_work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stacks = pattern((2, PLANES, 7, 9))
    for channel in (0, 1):
        write(tmp_path / "a [1]", names_of(f"z{{n}}_ch{channel}.tif"), stacks[channel])
    message = refused(*map(Path, images.find_images("a [1]")))
    for found, expected in zip(message.partition("sheet: ")[2].split(", "), stacks, strict=True):
        files = images.find_images(found)
        np.testing.assert_array_equal(read(*map(Path, files))[1], expected)


def test_a_projection_is_moved_or_left_out(tmp_path):
    stack = pattern((PLANES, 7, 9))
    folder = tmp_path / "scan"
    write(folder, names_of("z{n}.tif"), stack)
    tifffile.imwrite(folder / "MAX_scan.tif", stack.max(0))
    found = re.search("use the pattern (.*) as image", refused(folder))[1]
    np.testing.assert_array_equal(read(Path(found))[1], stack)
    (folder / "MAX_scan.tif").rename(tmp_path / "MAX_scan.tif")
    np.testing.assert_array_equal(read(folder)[1], stack)


def test_a_missing_plane_can_be_copied_or_the_numbers_changed(tmp_path):
    stack = pattern((3, 7, 9))
    write(tmp_path / "a", ["z1.tif", "z2.tif", "z4.tif"], stack)
    assert "planes are missing among z1.tif to z4.tif (1 between 2 and 4)" in refused(
        tmp_path / "a"
    )
    (tmp_path / "a" / "z4.tif").rename(tmp_path / "a" / "z3.tif")
    np.testing.assert_array_equal(read(tmp_path / "a")[1], stack)


def test_time_points_are_used_one_by_one_or_renamed(tmp_path):
    stack = pattern((3, 7, 9))
    write(tmp_path / "a", ["t1.tif", "t2.tif", "t3.tif"], stack)
    message = refused(tmp_path / "a")
    single = re.search("such as (.*);", message)[1]
    np.testing.assert_array_equal(read(Path(single))[1], stack[:1])
    for number in (1, 2, 3):
        (tmp_path / "a" / f"t{number}.tif").rename(tmp_path / "a" / f"tz{number}.tif")
    np.testing.assert_array_equal(read(tmp_path / "a")[1], stack)
