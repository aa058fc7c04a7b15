"""Files of Micro-Manager: sets of files, positions, and the voxel size."""

import numpy as np
import pytest
from microscopes import SPACING, write_micromanager
from reading import pattern, read, refused, um

from cellstack.init.contents import read_contents

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
SHAPE = (6, 7, 9)
LENGTHS = {"Slices": 6, "Channels": 1, "Positions": 1, "Prefix": "a"}
PLANES = [(0, z, 0, 0) for z in range(6)]

pytestmark = pytest.mark.filterwarnings("ignore:.*closed file")  # tifffile opens it for each plane


@pytest.fixture
def acquisition(tmp_path):
    """A stack in two files."""
    stack = pattern(SHAPE)
    first, second = tmp_path / "a_MMStack.tif", tmp_path / "a_MMStack_1.tif"
    write_micromanager(first, stack[:4], PLANES[:4], **LENGTHS)
    write_micromanager(second, stack[4:], PLANES[4:], **LENGTHS)
    return stack, first, second


@pytest.mark.parametrize("number", [0, 1])
def test_each_file_is_the_whole_stack(acquisition, number):
    stack, *files = acquisition
    source, read_stack = read(files[number])
    np.testing.assert_array_equal(read_stack, stack)
    assert source.other_files == [files[1 - number]]
    assert um(source) == SPACING


def test_a_set_is_listed_once(acquisition):
    _, *files = acquisition
    (contents,) = read_contents(files[:1])
    assert contents.set_files == [file.name for file in files]


def test_a_file_that_is_not_copied_is_missed(acquisition):
    _, first, second = acquisition
    second.unlink()
    assert "contains 4 of 6 planes of its Micro-Manager acquisition" in refused(first)


def test_channels_in_any_order_of_planes(tmp_path):
    series = pattern((2, 3, 7, 9))
    index = [(channel, z, 0, 0) for z in range(3) for channel in range(2)]
    path = write_micromanager(
        tmp_path / "a_MMStack.tif",
        [series[channel, z] for channel, z, *_ in index],
        index,
        **LENGTHS | {"Slices": 3, "Channels": 2, "SlicesFirst": False},
    )
    for channel in range(2):
        np.testing.assert_array_equal(read(path, channel=channel)[1], series[channel])


def ome(positions):
    images = "".join(
        f'<Image ID="Image:{number}" Name="Pos{number}"><Pixels ID="Pixels:{number}" '
        'DimensionOrder="XYZCT" Type="uint16" SizeX="9" SizeY="7" SizeZ="6" SizeC="1" SizeT="1" '
        'PhysicalSizeX="0.5" PhysicalSizeY="0.5" PhysicalSizeZ="2">'
        + "".join(
            f'<TiffData FirstZ="{z}" IFD="{z}" PlaneCount="1">'
            f'<UUID FileName="a_MMStack_Pos{number}.ome.tif">urn:uuid:{number}</UUID></TiffData>'
            for z in range(6)
        )
        + "</Pixels></Image>"
        for number in range(positions)
    )
    return f'<?xml version="1.0"?><OME xmlns="{NAMESPACE}">{images}</OME>'


@pytest.mark.parametrize("described", [True, False])
def test_positions_in_a_file_each(tmp_path, described):
    stacks = pattern((2, *SHAPE))
    paths = [
        write_micromanager(
            tmp_path / f"a_MMStack_Pos{number}.ome.tif",
            stack,
            [(0, z, 0, number) for z in range(6)],
            description=ome(2) if described else "",
            **LENGTHS | {"Positions": 2},
        )
        for number, stack in enumerate(stacks)
    ]
    for number, path in enumerate(paths):
        source, stack = read(path, scene=None if described else str(number))
        np.testing.assert_array_equal(stack, stacks[number])
        assert um(source)["z"] == (2 if described else 1)
