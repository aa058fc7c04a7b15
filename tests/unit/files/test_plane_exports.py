"""Planes as programs of microscopes export them: a pattern names those of one stack."""

import uuid
from pathlib import Path

import numpy as np
import pytest
import tifffile
from reading import pattern, read, um

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
