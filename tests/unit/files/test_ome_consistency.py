"""OME metadata that disagree with the pages of a file, or with themselves."""

import numpy as np
import pytest
import tifffile
from reading import pattern, read, refused

STACK = pattern((6, 8, 9))
OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
SIZES = 'PhysicalSizeX="0.4" PhysicalSizeY="0.4" PhysicalSizeZ="1.5"'


def write(path, pages, planes=6, inside="", sizes=SIZES):
    """Write pages with OME metadata of a stack of some planes."""
    description = (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{OME}"><Image ID="Image:0">'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="9" SizeY="8" '
        f'SizeZ="{planes}" SizeC="1" SizeT="1" {sizes}>'
        f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData PlaneCount="{planes}"/>{inside}'
        "</Pixels></Image></OME>"
    )
    text = description.encode()
    tifffile.imwrite(path, pages, description=text, metadata=None, photometric="minisblack")
    return path


def positions(values, unit="µm"):
    unit = f' PositionZUnit="{unit}"' if unit else ""
    return "".join(
        f'<Plane TheZ="{z}" TheC="0" TheT="0" PositionZ="{value}"{unit}/>'
        for z, value in enumerate(values)
    )


def test_pages_without_metadata_are_flagged(tmp_path):
    source, found = read(write(tmp_path / "a.ome.tif", STACK, planes=4))
    np.testing.assert_array_equal(found, STACK[:4])
    assert source.flags == [
        "2 of 6 pages are not in the OME metadata and left out (check the number of planes)"
    ]
    assert read(write(tmp_path / "a.ome.tif", STACK))[0].flags == []


def test_levels_of_a_pyramid_are_not_missing_pages(tmp_path):
    planes = pattern((3, 64, 64))
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as writer:
        options = {"photometric": "minisblack", "tile": (16, 16)}
        writer.write(planes, subifds=1, metadata={"axes": "ZYX"}, **options)
        writer.write(planes[:, ::2, ::2], subfiletype=1, **options)
    source, found = read(tmp_path / "a.ome.tif")
    np.testing.assert_array_equal(found, planes)
    assert source.flags == []


@pytest.mark.parametrize(
    ("values", "unit", "distance"),
    [
        (np.arange(6) * 2.5, "µm", "2.5"),
        (-np.arange(6) * 2.5e-3, "mm", "2.5"),
        (np.arange(6) * 1.52, "µm", None),  # within the accuracy of a stage
        (np.arange(6) * 2.5, "reference frame", None),
        (np.arange(6) * 2.5, "", None),
        (np.full(6, 7.0), "µm", None),
        ([0, 1, 2, 3, 9, 20], "µm", None),
        (np.arange(5) * 2.5, "µm", None),  # that of a plane is missing
        (["", *np.arange(5) * 2.5], "µm", None),
    ],
)
def test_positions_of_planes_that_contradict_the_voxel_size_are_flagged(
    tmp_path, values, unit, distance
):
    flags = read(write(tmp_path / "a.ome.tif", STACK, inside=positions(values, unit)))[0].flags
    expected = f"the positions of planes are {distance} um apart, but the voxel size along z is 1.5"
    assert [flag.startswith(expected) for flag in flags] == [True] * (distance is not None)
    unknown = write(tmp_path / "a.ome.tif", STACK, inside=positions(values, unit), sizes="")
    assert read(unknown)[0].flags == []


def test_the_missing_file_of_a_set_is_named(tmp_path):
    blocks = "".join(
        f'<TiffData IFD="0" FirstZ="{z}"><UUID FileName="z{z}.ome.tif">urn:uuid:{z}</UUID>'
        "</TiffData>"
        for z in range(6)
    )
    for z in range(5):
        path = tmp_path / f"z{z}.ome.tif"
        write(path, STACK[z], inside=blocks)
        text = tifffile.tiffcomment(path).replace('<TiffData PlaneCount="6"/>', "")
        tifffile.tiffcomment(
            path, text.replace(f'{OME}">', f'{OME}" UUID="urn:uuid:{z}">').encode()
        )
    message = refused(tmp_path / "z0.ome.tif")
    assert "and 1 file of its set, such as z5.ome.tif, is not in its folder" in message


def test_planes_that_were_written_one_by_one(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for plane in STACK:
            writer.write(plane, photometric="minisblack", compression="zlib")
    message = refused(tmp_path / "a.tif")
    assert "if they are planes, save them as one stack, in Python with a single call" in message
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for planes in (STACK, STACK):
            writer.write(planes, photometric="minisblack", compression="zlib")
    assert "if they are planes" not in refused(tmp_path / "a.tif")
