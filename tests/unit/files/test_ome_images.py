"""OME-TIFF sets: the image whose metadata belong to a file, and files of a set that are missing."""

import numpy as np
import pytest
import tifffile
from reading import pattern, read, refused, um

SIZES = [(0.9, 0.3), (2.0, 0.065)]  # z and xy in um of each position
NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
PLANES = 3


def image_xml(number, blocks, size):
    z, xy = size
    return (
        f'<Image ID="Image:{number}" Name="p{number}"><Pixels ID="Pixels:{number}" '
        'DimensionOrder="XYZCT" Type="uint16" SizeX="9" SizeY="7" '
        f'SizeZ="{PLANES}" SizeC="1" SizeT="1" '
        f'PhysicalSizeX="{xy}" PhysicalSizeY="{xy}" PhysicalSizeZ="{z}">'
        f'<Channel ID="Channel:{number}:0" SamplesPerPixel="1"/>{blocks}</Pixels></Image>'
    )


def block(name, z=0, count=PLANES):
    return (
        f'<TiffData FirstZ="{z}" IFD="0" PlaneCount="{count}">'
        f'<UUID FileName="{name}">urn:uuid:{name}</UUID></TiffData>'
    )


def root_xml(name, content):
    return f'<?xml version="1.0"?><OME xmlns="{NAMESPACE}" UUID="urn:uuid:{name}">{content}</OME>'


def write(path, stack, content):
    tifffile.imwrite(
        path,
        stack,
        description=root_xml(path.name, content),
        metadata=None,
        photometric="minisblack",
    )


@pytest.fixture
def positions(tmp_path):
    """Two positions in a file each; both files describe both."""
    stacks = pattern((2, PLANES, 7, 9))
    content = "".join(
        image_xml(number, block(f"pos{number}.ome.tif"), size) for number, size in enumerate(SIZES)
    )
    for number, stack in enumerate(stacks):
        write(tmp_path / f"pos{number}.ome.tif", stack, content)
    return stacks


pytestmark = pytest.mark.filterwarnings("ignore:.*closed file")  # tifffile opens it for each plane


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("alone", [False, True])
def test_each_file_of_a_set_of_positions_is_its_own_image(tmp_path, positions, number, alone):
    if alone:
        (tmp_path / f"pos{1 - number}.ome.tif").unlink()
    source, found = read(tmp_path / f"pos{number}.ome.tif")
    np.testing.assert_array_equal(found, positions[number])
    z, xy = SIZES[number]
    assert um(source) == {"z": z, "y": xy, "x": xy}


@pytest.mark.parametrize("number", [0, 1])
def test_a_scene_selects_a_position_of_the_set(tmp_path, positions, number):
    source, found = read(tmp_path / "pos0.ome.tif", scene=f"p{number}")
    np.testing.assert_array_equal(found, positions[number])
    assert um(source)["z"] == SIZES[number][0]


def test_a_renamed_file_is_known_by_its_identifier(tmp_path, positions):
    (tmp_path / "pos0.ome.tif").unlink()
    (tmp_path / "pos1.ome.tif").rename(tmp_path / "new.ome.tif")
    source, found = read(tmp_path / "new.ome.tif")
    np.testing.assert_array_equal(found, positions[1])
    assert um(source)["z"] == SIZES[1][0]


@pytest.mark.parametrize("first", [PLANES, 7])
def test_the_image_whose_pages_are_in_the_file(tmp_path, first):
    stack = pattern((PLANES, 7, 9))
    away = f'<TiffData IFD="{first}" PlaneCount="{PLANES}"/>'
    here = f'<TiffData IFD="0" PlaneCount="{PLANES}"/>'
    write(
        tmp_path / "a.ome.tif", stack, image_xml(0, away, SIZES[0]) + image_xml(1, here, SIZES[1])
    )
    source, found = read(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(found, stack)
    assert um(source) == {"z": 2.0, "y": 0.065, "x": 0.065}


def test_several_images_of_the_file_are_refused(tmp_path):
    both = "".join(
        image_xml(number, f'<TiffData IFD="{number * PLANES}" PlaneCount="{PLANES}"/>', size)
        for number, size in enumerate(SIZES)
    )
    write(tmp_path / "a.ome.tif", pattern((2 * PLANES, 7, 9)), both)
    assert "contains 2 scenes, 0 (p0), 1 (p1)" in refused(tmp_path / "a.ome.tif")


def test_a_renamed_file_of_a_set_of_positions_is_refused(tmp_path):
    content = "".join(
        image_xml(number, f'<TiffData IFD="0" PlaneCount="{PLANES}"/>', size)
        for number, size in enumerate(SIZES)
    )
    write(
        tmp_path / "a.ome.tif",
        pattern((PLANES, 7, 9)),
        content.replace('SizeX="9"', 'SizeX="8"', 1),
    )
    assert "describe 2 images, and it is not known which one" in refused(tmp_path / "a.ome.tif")


@pytest.fixture
def companion(tmp_path):
    """A stack of one file per plane, whose metadata are in another file."""
    stack = pattern((PLANES, 7, 9))
    blocks = "".join(block(f"s_Z{z}.ome.tif", z, 1) for z in range(PLANES))
    content = root_xml("companion", image_xml(0, blocks, SIZES[1]))
    (tmp_path / "s.companion.ome").write_text(content)
    pointer = '<BinaryOnly MetadataFile="s.companion.ome" UUID="urn:uuid:companion"/>'
    for z, plane in enumerate(stack):
        write(tmp_path / f"s_Z{z}.ome.tif", plane, pointer)
    return stack


def test_one_file_of_a_companion_set_is_the_whole_set(tmp_path, companion):
    for z in range(PLANES):
        source, found = read(tmp_path / f"s_Z{z}.ome.tif")
        np.testing.assert_array_equal(found, companion)
        named = read(tmp_path / f"s_Z{z}.ome.tif", scene="0")[1]
        np.testing.assert_array_equal(named, companion)
        assert um(source) == {"z": 2.0, "y": 0.065, "x": 0.065}


def test_without_its_companion_the_set_is_named_by_a_pattern(tmp_path, companion):
    (tmp_path / "s.companion.ome").rename(tmp_path / "elsewhere")
    message = refused(tmp_path / "s_Z1.ome.tif")
    assert "is one file of a set whose metadata are in 's.companion.ome'" in message
    np.testing.assert_array_equal(read(tmp_path / "s_Z*.ome.tif")[1], companion)
    (tmp_path / "elsewhere").rename(tmp_path / "s.companion.ome")
    np.testing.assert_array_equal(read(tmp_path / "s_Z1.ome.tif")[1], companion)


def test_a_companion_that_describes_other_files(tmp_path, companion):
    (tmp_path / "s_Z1.ome.tif").rename(tmp_path / "t.ome.tif")
    assert "is not among the files that s.companion.ome describes" in refused(
        tmp_path / "t.ome.tif"
    )


@pytest.mark.parametrize("lost", range(PLANES))
def test_a_lost_file_of_a_set_behind_a_pattern_is_refused(tmp_path, companion, lost):
    path = tmp_path / f"s_Z{lost}.ome.tif"
    content = path.read_bytes()
    path.unlink()
    assert f": {path.name}: copy" in refused(tmp_path / "s_Z*.ome.tif")
    path.write_bytes(content)
    np.testing.assert_array_equal(read(tmp_path / "s_Z*.ome.tif")[1], companion)


def test_planes_behind_a_pattern_have_the_order_of_the_metadata(tmp_path):
    stack = pattern((11, 7, 9))
    names = [f"s_{7 * z % 11}.ome.tif" for z in range(11)]
    blocks = "".join(block(name, z, 1) for z, name in reversed(list(enumerate(names))))
    content = image_xml(0, blocks, SIZES[1]).replace(f'SizeZ="{PLANES}"', 'SizeZ="11"')
    for name, plane in zip(names, stack, strict=True):
        write(tmp_path / name, plane, content)
    np.testing.assert_array_equal(read(tmp_path / "s_*.ome.tif")[1], stack)


def test_planes_of_a_set_that_were_all_renamed_have_the_order_of_their_names(tmp_path):
    stack = pattern((PLANES, 7, 9))
    content = image_xml(0, "".join(block(f"s_{z}.ome.tif", z, 1) for z in range(PLANES)), SIZES[1])
    for z, plane in enumerate(stack):
        write(tmp_path / f"s_{z}.ome.tif", plane, content)
        (tmp_path / f"s_{z}.ome.tif").rename(tmp_path / f"new_{z}.ome.tif")
    np.testing.assert_array_equal(read(tmp_path / "new_*.ome.tif")[1], stack)


@pytest.mark.parametrize("axis", ["C", "T"])
def test_a_pattern_of_one_channel_or_time_of_a_set(tmp_path, axis):
    stacks = pattern((2, PLANES, 7, 9))
    blocks = "".join(
        block(f"s_{n}_z{z}.ome.tif", z, 1).replace("FirstZ", f'First{axis}="{n}" FirstZ')
        for n in range(2)
        for z in range(PLANES)
    )
    content = image_xml(0, blocks, SIZES[1]).replace(f'Size{axis}="1"', f'Size{axis}="2"')
    if axis == "C":
        channel = '<Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
        content = content.replace(channel, channel + channel.replace("0:0", "0:1"))
    (tmp_path / "s.companion.ome").write_text(root_xml("companion", content))
    pointer = '<BinaryOnly MetadataFile="s.companion.ome" UUID="urn:uuid:companion"/>'
    for n, z in np.ndindex(2, PLANES):
        write(tmp_path / f"s_{n}_z{z}.ome.tif", stacks[n, z], pointer)
    for n in range(2):
        np.testing.assert_array_equal(read(tmp_path / f"s_{n}_z*.ome.tif")[1], stacks[n])


def test_the_metadata_of_a_set_can_be_in_one_of_its_images(tmp_path):
    stack = pattern((PLANES, 7, 9))
    blocks = "".join(block(f"s_Z{z}.ome.tif", z, 1) for z in range(PLANES))
    pointer = '<BinaryOnly MetadataFile="s_Z0.ome.tif" UUID="urn:uuid:s_Z0.ome.tif"/>'
    for z, plane in enumerate(stack):
        content = pointer if z else image_xml(0, blocks, SIZES[1])
        write(tmp_path / f"s_Z{z}.ome.tif", plane, content)
    for z in range(PLANES):
        source, found = read(tmp_path / f"s_Z{z}.ome.tif")
        np.testing.assert_array_equal(found, stack)
        assert um(source) == {"z": 2.0, "y": 0.065, "x": 0.065}


def test_metadata_in_another_folder_are_refused(tmp_path):
    blocks = block("a.ome.tif", 0, 1)
    (tmp_path / "b.ome").write_text(root_xml("b", image_xml(0, blocks, SIZES[0])))
    (tmp_path / "set").mkdir()
    pointer = '<BinaryOnly MetadataFile="../b.ome" UUID="urn:uuid:b"/>'
    write(tmp_path / "set" / "a.ome.tif", pattern((7, 9)), pointer)
    assert "which is not in its folder" in refused(tmp_path / "set" / "a.ome.tif")


def test_metadata_that_are_no_file_or_too_large_are_refused(tmp_path, companion):
    other = tmp_path / "s.companion.ome"
    with other.open("a") as file:
        file.truncate(2**26 + 1)
    assert f"{other}: is too large for OME metadata" in refused(tmp_path / "s_Z0.ome.tif")
    other.unlink()
    other.symlink_to("/dev/null")
    assert f"{other}: is a pipe, a socket or a device" in refused(tmp_path / "s_Z0.ome.tif")


def test_planes_with_another_number_of_channels_are_refused(tmp_path):
    for z, axis in enumerate("TC"):
        content = image_xml(0, '<TiffData IFD="0" PlaneCount="2"/>', SIZES[1])
        content = content.replace(f'SizeZ="{PLANES}"', 'SizeZ="1"')
        content = content.replace(f'Size{axis}="1"', f'Size{axis}="2"')
        if axis == "C":
            channel = '<Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
            content = content.replace(channel, channel + channel.replace("0:0", "0:1"))
        write(tmp_path / f"z{z}.ome.tif", pattern((2, 7, 9)), content)
    message = refused(tmp_path / "z*.ome.tif", time=0)
    assert "z1.ome.tif: is a plane of (2, 7, 9) uint16 with 2 channels, but " in message
