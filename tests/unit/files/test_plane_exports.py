"""Planes as programs of microscopes export them: a pattern names those of one stack."""

import re
import uuid
from pathlib import Path

import numpy as np
import pytest
import tifffile
from microscopes import write_metaseries
from reading import count_voxels, pattern, read, refused, um

import import_stack as script
from cellstack.errors import InputError
from cellstack.files.readers import tiff_pages
from cellstack.files.records import read_json

SERIES = pattern((2, 2, 2, 12, 8, 9))  # time, position, channel, z, y, x


def identity(*numbers):
    """Return the random text at the end of a name of MetaXpress, always the same."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(numbers))).upper()


EXPORTS = {  # name of each plane, and the pattern of one stack; both are given t, s, c and z from 0
    "MetaXpress": (
        lambda t, s, c, z: (
            f"TimePoint_{t + 1}/ZStep_{z + 1}/plate_C07_s{s + 1}_w{c + 1}{identity(t, s, c, z)}.tif"
        ),
        lambda t, s, c: f"TimePoint_{t + 1}/ZStep_*/*_C07_s{s + 1}_w{c + 1}*.tif",
    ),
    "Harmony": (
        lambda t, s, c, z: f"r02c03f{s + 1:02}p{z + 1:02}-ch{c + 1}sk{t + 1}fk1fl1.tiff",
        lambda t, s, c: f"r02c03f{s + 1:02}p*-ch{c + 1}sk{t + 1}fk1fl1.tiff",
    ),
    "LAS X": (
        lambda t, s, c, z: f"Project_Position {s + 1}_t{t:02}_z{z:02}_ch{c:02}.tif",
        lambda t, s, c: f"*_Position {s + 1}_t{t:02}_z*_ch{c:02}.tif",
    ),
    "MetaMorph": (
        lambda t, s, c, z: f"exp1_w{c + 1}{['DAPI', 'GFP'][c]}_s{s + 1}_z{z + 1}_t{t + 1}.TIF",
        lambda t, s, c: f"exp1_w{c + 1}*_s{s + 1}_z*_t{t + 1}.TIF",
    ),
}


@pytest.mark.parametrize("program", EXPORTS)
def test_a_pattern_names_the_planes_of_one_stack(tmp_path, program):
    name, one_stack = EXPORTS[program]
    for t, s, c, z in np.ndindex(SERIES.shape[:4]):
        path = tmp_path / name(t, s, c, z)
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, SERIES[t, s, c, z], metadata=None)
    for t, s, c in np.ndindex(SERIES.shape[:3]):
        _, found = read(tmp_path / one_stack(t, s, c))
        np.testing.assert_array_equal(found, SERIES[t, s, c])


def test_a_real_export_of_metaxpress(data):
    folder = data / "formats" / "imagexpress" / "2024-04-22" / "1697"
    found = {}
    for time, site, channel in np.ndindex(2, 2, 3):
        image = folder / f"TimePoint_{time + 1}" / f"*_C07_s{site + 1}_w{channel + 1}*.tif"
        source, stack = read(image)
        (path,) = map(Path, source.files)
        np.testing.assert_array_equal(stack[0], tifffile.imread(path))
        assert um(source) == {"y": 13.5504, "x": 13.5504}
        found[path] = source.acquisition["channels"][0]["name"]
    assert len(found) == 12
    assert set(found.values()) == {"FITC", "Cy3", "Texas Red"}


def write_positions(folder, positions):
    """Write planes at positions along z in um."""
    (folder / "planes").mkdir()
    for number, position in enumerate(positions, 1):
        values = {
            "spatial_calibration_state": True,
            "spatial_calibration_x": 0.25,
            "spatial_calibration_y": 0.5,
            "spatial_calibration_units": "um",
        } | ({} if position is None else {"z_position": float(position)})
        path = folder / "planes" / f"a_z{number}.tif"
        write_metaseries(path, SERIES[0, 0, 0, number], **values)
    return folder / "planes"


def imported(folder, image, **options):
    """Return the voxel size along z that import_stack writes, and its flags."""
    script.main(
        image=[image],
        raw=folder / "raw.tif",
        record=folder / "import.json",
        channel="nuclei",
        **options,
    )
    record = read_json(folder / "import.json")
    return record["raw"]["spacing_um"][0], record["flags"], record["notices"]


@pytest.mark.parametrize(
    ("positions", "step"),
    [
        ([9319.72, 9320.22, 9320.72], 0.5),
        ([9319.72, 9318.72, 9317.72, 9316.72], 1),
        ([-0.33, 0.0, 0.33, 0.67, 1.0], 0.3325),  # rounded
        ([0, 2.1, 3.9, 6.0], 2),  # a stage that is not exact
    ],
)
def test_the_distance_between_planes_is_that_of_their_positions(tmp_path, positions, step):
    image = write_positions(tmp_path, positions)
    assert imported(tmp_path, image) == (pytest.approx(step), [], [])


@pytest.mark.parametrize("positions", [[0, 0.5, 1.5], [0, 1, 0, 1], [5, 5, 6]])
def test_irregular_positions_ask_for_the_distance(tmp_path, positions):
    image = write_positions(tmp_path, positions)
    with pytest.raises(InputError, match=r"'between \S+ and \S+'\): fill in z_um in the sheet"):
        imported(tmp_path, image)
    size, flags, _ = imported(tmp_path, image, z_um=0.75)
    assert size == 0.75
    assert "the planes are not equally spaced (distances between " in flags[0]


@pytest.mark.parametrize("positions", [[None, None], [1, None, 2], [5, 5, 5]])
def test_without_positions_there_is_no_distance(tmp_path, positions):
    image = write_positions(tmp_path, positions)
    with pytest.raises(InputError, match=r"along z \(the file gives none\): fill in z_um"):
        imported(tmp_path, image)
    assert imported(tmp_path, image, z_um=2.0)[:2] == (2, [])


def test_the_sheet_may_have_the_nominal_distance_of_rounded_positions(tmp_path):
    image = write_positions(tmp_path, [0.0, 0.16, 0.31])  # 0.15 um
    assert imported(tmp_path, image, z_um=0.15)[0] == 0.15
    with pytest.raises(InputError, match=r"the voxel size along z is 0\.155 um in the file"):
        imported(tmp_path, image, z_um=0.2)


def test_positions_are_not_read_while_the_workflow_is_parsed(tmp_path, monkeypatch):
    image = write_positions(tmp_path, [0, 1, 2, 3])
    opened = []
    original = tiff_pages.count_pages
    monkeypatch.setattr(
        tiff_pages, "count_pages", lambda *arguments: opened.append(1) or original(*arguments)
    )
    assert count_voxels(image) == 4 * 8 * 9
    assert len(opened) == 1


def test_positions_in_real_planes_of_metaxpress(data, tmp_path):
    """The planes are copies of a real one with other positions, which are then read as text."""
    folder = data / "formats" / "imagexpress" / "2024-04-22" / "1697" / "TimePoint_1"
    (real,) = folder.glob("*_s1_w1*.tif")
    content = real.read_bytes()
    (old,) = re.findall(rb'id="z-position" type="float" value="([\d.]+)"', content)
    for step in range(4):
        path = tmp_path / f"ZStep_{step + 1}" / real.name
        path.parent.mkdir()
        new = f"{float(old) - 2.5 * step:.2f}".encode()
        assert len(new) == len(old)
        before = b'z-position" type="float" value="'
        assert content.count(before + old) == 1
        path.write_bytes(content.replace(before + old, before + new))
    written = [
        float(re.search(rb'id="z-position" type="float" value="([\d.]+)"', path.read_bytes())[1])
        for path in sorted(tmp_path.glob("ZStep_*/*.tif"))
    ]
    size, flags, _ = imported(tmp_path, tmp_path / "ZStep_*" / "*_s1_w1*.tif")
    assert size == pytest.approx(abs(np.diff(written)).mean()) == 2.5
    assert flags == []


@pytest.mark.parametrize(
    "name", ["plate_C07_s{}_w1{}.tif", "plate_C07_s{}_w1.tif", "exp1_w1DAPI_s{}_t1.TIF"]
)
def test_sites_are_not_planes(tmp_path, name):
    for site in (1, 2):
        path = tmp_path / name.format(site, identity(site))
        tifffile.imwrite(path, SERIES[0, 0, 0, site], metadata=None)
    message = refused(tmp_path)
    assert "count positions, not planes: use one file as image in the sheet" in message
    first = message.partition("such as ")[2].partition(";")[0]
    np.testing.assert_array_equal(read(Path(first))[1], SERIES[0, 0, 0, 1:2])


def test_sites_and_channels_of_a_real_export_are_not_planes(data):
    folder = data / "formats" / "imagexpress" / "2024-04-22" / "1697" / "TimePoint_1"
    assert "count channels and positions, not planes" in refused(folder)
    assert "count positions, not planes" in refused(folder / "*_w1*.tif")


def test_sections_without_a_channel_are_planes(tmp_path):
    for section in (1, 2, 3):
        path = tmp_path / f"brain_s{section:03}.tif"
        tifffile.imwrite(path, SERIES[0, 0, 0, section], metadata=None)
    np.testing.assert_array_equal(read(tmp_path)[1], SERIES[0, 0, 0, 1:4])
