"""TIFFs that declare more than they contain: pages, planes, images, tags, files of a set."""

import itertools
import os
import struct
import tracemalloc

import numpy as np
import pytest
import tifffile
from hostile import run
from reading import count_voxels

from cellstack.errors import InputError
from cellstack.files.readers import opening, tiff_pages

PLANE = np.ones((5, 6), np.uint16)
SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
MAX_MEGABYTES = 64


def pixels(z=2, content="<TiffData/>", x=6, order="XYZCT"):
    return (
        f'<Pixels ID="P:0" DimensionOrder="{order}" Type="uint16" SizeX="{x}" SizeY="5" '
        f'SizeZ="{z}" SizeC="1" SizeT="1"><Channel ID="C:0"/>{content}</Pixels>'
    )


def write_ome(path, *images, planes=2, extra=""):
    """Write an OME-TIFF of some planes whose metadata describe other images."""
    described = "".join(f'<Image ID="I:{n}">{image}</Image>' for n, image in enumerate(images))
    text = f'<?xml version="1.0"?><OME xmlns="{SCHEMA}" UUID="urn:uuid:0">{described}{extra}</OME>'
    tifffile.imwrite(path, np.stack([PLANE] * planes), description=text, metadata=None)


def count_with_little_memory(path):
    """Return the number of voxels as it is found while the workflow is parsed."""
    tracemalloc.start()
    found = count_voxels(path)
    assert tracemalloc.get_traced_memory()[1] < MAX_MEGABYTES * 1e6
    tracemalloc.stop()
    return found


def block(**attributes):
    return "<TiffData " + " ".join(f'{key}="{value}"' for key, value in attributes.items()) + "/>"


DECLARED = {
    "planes": [pixels(10**9)],
    "more planes than any integer": [pixels(10**40)],
    "an axis twice": [pixels(10**5, order="XYZZT")],
    "a count of planes": [pixels(2, block(IFD=0, PlaneCount=10**9))],
    "a negative count": [pixels(2, block(IFD=0, PlaneCount=-(10**9)))],
    "the former name of a count": [pixels(2, block(IFD=0, NumPlanes=10**9))],
    "many blocks": [pixels(2, "<TiffData/>" * 5000)],
    "a width": [pixels(2, x=10**9)],
    "many images": [pixels()] * 10_000,
    "no number": [pixels("a" * 10**6)],
}


@pytest.mark.parametrize("images", DECLARED.values(), ids=DECLARED)
def test_ome_metadata_that_declare_too_much(tmp_path, images):
    write_ome(tmp_path / "a.tif", *images)
    message = run(tmp_path, tmp_path / "a.tif")
    assert message.startswith(f"{tmp_path}/a.tif: ")
    assert any(
        part in message
        for part in ("voxels for 2 pages", "contains 10,000 images", "cannot be read as an image")
    )
    if len(images) == 1:
        assert count_with_little_memory(tmp_path / "a.tif") == 0


def test_ome_metadata_of_the_size_of_the_file_are_read(tmp_path):
    write_ome(tmp_path / "a.tif", pixels(7), planes=7)
    assert run(tmp_path, tmp_path / "a.tif") == ""
    assert count_with_little_memory(tmp_path / "a.tif") == 7 * 30


def test_deep_and_large_xml(tmp_path):
    for extra in ("<a>" * 10_000 + "</a>" * 10_000, "<a/>" * 10_000):
        write_ome(tmp_path / "a.tif", pixels(), extra=extra)
        assert run(tmp_path, tmp_path / "a.tif") == ""


def test_entities_are_not_expanded(tmp_path):
    entities = "".join(
        f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "x" * 10}">' for n in range(10)
    )
    for declared in (entities, '<!ENTITY e9 SYSTEM "file:///etc/passwd">'):
        text = f'<?xml version="1.0"?><!DOCTYPE OME [{declared}]><OME xmlns="{SCHEMA}">&e9;</OME>'
        tifffile.imwrite(tmp_path / "a.tif", PLANE, description=text, metadata=None)
        message = run(tmp_path, tmp_path / "a.tif")
        assert "a.tif: cannot be read as an image" in message
        assert "daemon" not in message


@pytest.mark.parametrize(
    "text",
    [
        "ImageJ=1.54f\nimages={0}\nslices={0}\n",
        "ImageJ=1.54f\nimages={0}\nchannels={0}\nslices={0}\nframes={0}\nhyperstack=true\n",
        '{{"shape": [{0}, 5, 6]}}',
        '{{"shape": [{0}, {0}, 5, 6], "axes": "CZYX"}}',
    ],
)
@pytest.mark.parametrize("planes", [1, 2])
def test_descriptions_that_declare_too_much(tmp_path, text, planes):
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.stack([PLANE] * planes),
        description=text.format(10**9),
        metadata=None,
    )
    assert run(tmp_path, tmp_path / "a.tif").startswith(f"{tmp_path}/a.tif: ")
    assert count_with_little_memory(tmp_path / "a.tif") == 0


def test_stk_tags_that_declare_too_much(tmp_path):
    zeros = (0,) * 6
    for planes in (3, 10**6):
        tags = [(33629, 5, 1, (1, 1), True), (33628, 4, 2, (0, 0), True)]
        tifffile.imwrite(tmp_path / "a.tif", PLANE, metadata=None, extratags=tags)
        content = bytearray((tmp_path / "a.tif").read_bytes())
        place = content.index(struct.pack("<HHI", 33629, 5, 1))
        content[place : place + 8] = struct.pack("<HHI", 33629, 5, planes)
        (tmp_path / "a.tif").write_bytes(content + struct.pack("<6I", *zeros) * min(planes, 10))
        assert run(tmp_path, tmp_path / "a.tif").startswith(f"{tmp_path}/a.tif: ")


def write_chain(path, pages, *, tags=(), next_page=None):
    """Write a classic TIFF of pages of 1 x 1 pixel; `next_page` maps a page to the one after it."""
    entries = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    entries += [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, 1, 1), *tags]
    entries.sort()
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)
    size, first = len(body) + 4, 12
    content = [struct.pack("<2sHI4x", b"II", 42, first)]
    for page in range(pages):
        after = (next_page or {}).get(page, page + 1 if page < pages - 1 else None)
        content += [body, struct.pack("<I", 0 if after is None else first + after * size)]
    path.write_bytes(b"".join(content))


@pytest.mark.parametrize("pages", [1, 2, 99, 100, 101, 150, 5000])
def test_pages_are_counted(tmp_path, pages):
    write_chain(tmp_path / "a.tif", pages)
    assert tiff_pages.count_pages("a", tmp_path / "a.tif") == pages


@pytest.mark.parametrize(("last", "back"), [(0, 0), (1, 0), (120, 0), (250, 130), (3000, 2999)])
def test_a_cycle_of_pages_is_refused_wherever_it_begins(tmp_path, last, back):
    write_chain(tmp_path / "a.tif", last + 1, next_page={last: back})
    message = run(tmp_path, tmp_path / "a.tif")
    assert f"is damaged or incomplete (page {last + 1} refers back to an earlier page)" in message


def test_more_pages_than_any_stack_has(tmp_path):
    write_chain(tmp_path / "a.tif", 100_001)
    assert "has more than 100,000 pages" in run(tmp_path, tmp_path / "a.tif")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ((270, 2, 2**32 - 1, 8), "tag 270 of page 0 declares 4,294,967,295 values"),
        ((700, 7, 10**6, 8), "the tags of page 0 declare more bytes than the file has"),
        ((700, 7, 2000, 8), "the tags of page 0 declare more bytes than the file has"),
        ((65000, 12, 2**21, 8), "tag 65000 of page 0 declares 2,097,152 values"),
        ((330, 4, 10**6, 8), "has more than 100,000 pages"),
    ],
)
def test_a_tag_that_declares_too_much(tmp_path, tag, expected):
    write_chain(tmp_path / "a.tif", 3, tags=[tag])
    assert expected in run(tmp_path, tmp_path / "a.tif")
    assert count_with_little_memory(tmp_path / "a.tif") == 0


def test_tags_that_refer_to_the_same_bytes_again_and_again(tmp_path):
    tags = [(65000 + number, 7, 40_000, 12) for number in range(20)]
    write_chain(tmp_path / "a.tif", 1000, tags=tags[:1])
    assert run(tmp_path, tmp_path / "a.tif") != ""
    write_chain(tmp_path / "b.tif", 10, tags=tags)
    assert "declare more bytes than the file has" in run(tmp_path, tmp_path / "b.tif")


def test_a_bigtiff_is_checked_too(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([PLANE] * 5), bigtiff=True, metadata=None)
    assert tiff_pages.count_pages("a", tmp_path / "a.tif") == 5
    content = bytearray((tmp_path / "a.tif").read_bytes())
    place = content.index(struct.pack("<HHQ", 305, 2, len("tifffile.py") + 1))
    content[place : place + 12] = struct.pack("<HHQ", 305, 2, 2**60)
    (tmp_path / "a.tif").write_bytes(content)
    assert "tag 305 of page 0 declares 1,152,921,504,606,846,976 values" in run(
        tmp_path, tmp_path / "a.tif"
    )


def write_set(folder, other):
    """Write a file of a set that names another file."""
    part = (
        '<TiffData FirstZ="{0}" IFD="0" PlaneCount="1">'
        '<UUID FileName="{1}">urn:uuid:{0}</UUID></TiffData>'
    )
    blocks = part.format(0, "a.tif") + part.format(1, other)
    write_ome(folder / "a.tif", pixels(2, blocks), planes=1)
    return folder / "a.tif"


def write_second(path):
    text = f'<?xml version="1.0"?><OME xmlns="{SCHEMA}" UUID="urn:uuid:1"/>'
    tifffile.imwrite(path, PLANE, description=text, metadata=None)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.mark.filterwarnings("ignore:.*closed file")  # tifffile opens each file for its plane
def test_a_set_of_files_in_one_folder_is_read(folder, tmp_path):
    write_second(folder / "b.tif")
    assert run(tmp_path, write_set(folder, "b.tif")) == ""
    (tmp_path / "linked").symlink_to(folder)
    assert run(tmp_path, tmp_path / "linked" / "a.tif") == ""


@pytest.mark.parametrize("named", ["../b.tif", "{0}/b.tif", "./sub/b.tif", "b.tif"])
def test_a_set_with_a_file_in_another_folder_is_refused(folder, tmp_path, named):
    write_second(tmp_path / "b.tif")
    (folder / "sub").mkdir()
    write_second(folder / "sub" / "b.tif")
    (folder / "b.tif").symlink_to(tmp_path / "b.tif")
    message = run(tmp_path, write_set(folder, named.format(tmp_path)))
    assert "a.tif: is a set with a file in another folder" in message


def test_a_set_with_a_pipe_is_refused(folder, tmp_path):
    os.mkfifo(folder / "b.tif")
    message = run(tmp_path, write_set(folder, "b.tif"))
    assert "b.tif: is a pipe, a socket or a device" in message


def test_a_set_with_a_cycle_of_pages_in_another_file_is_refused(folder, tmp_path):
    write_chain(folder / "b.tif", 200, next_page={199: 0})
    message = run(tmp_path, write_set(folder, "b.tif"))
    assert "b.tif: is damaged or incomplete" in message


def test_any_error_of_an_image_is_zero_voxels_while_the_workflow_is_parsed(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", PLANE)
    errors = itertools.cycle([MemoryError(), RecursionError(), OSError(5, "x"), KeyError("x")])

    def fail(name, path):
        raise next(errors)

    monkeypatch.setattr(tiff_pages, "count_pages", fail)
    for _ in range(4):
        assert count_voxels(tmp_path / "a.tif") == 0
        with pytest.raises(InputError, match=r"a\.tif: "), opening.open_image([tmp_path / "a.tif"]):
            pass
