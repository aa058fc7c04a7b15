"""Fuzz tests of the readers: mutated images are read or refused in one line.

Each test tries few images by default; CELLSTACK_FUZZ=10000 tries more.
"""

import json
import re
import resource
import struct
import sys
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr
from hostile import (
    NUMBERS,
    WORDS,
    choose,
    mutated,
    mutations,
    run,
    with_mutated_json,
    write_pages,
)
from microscopes import write_czi, write_ims, write_lif, write_lsm, write_oif, write_stk
from reading import pattern

from cellstack.files.readers.zarr_store import METADATA

MAX_KILOBYTES = 10**6 if sys.platform == "linux" else 10**9  # ru_maxrss; macOS reports bytes

TIFFS = {
    "plain": {},
    "bigtiff": {"bigtiff": True},
    "zlib": {"compression": "zlib", "predictor": True},
    "lzw": {"compression": "lzw"},
    "zstd": {"compression": "zstd"},
    "png": {"compression": "png"},
    "tiles": {"tile": (16, 16), "compression": "zlib"},
    "imagej": {"imagej": True, "metadata": {"axes": "ZYX", "spacing": 0.5, "unit": "um"}},
    "ome": {"ome": True, "metadata": {"axes": "ZYX", "PhysicalSizeZ": 1.0}},
}

MICROSCOPES = {
    "czi": write_czi,
    "ims": write_ims,
    "lif": lambda path, series: write_lif(path, a=("TCZYX", series)),
    "lsm": write_lsm,
    "oif": write_oif,
    "stk": lambda path, series: write_stk(path, series[0, 0]),
}


@pytest.fixture(autouse=True)
def little_memory():
    """Fail a test that needs more than 1 GB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MAX_KILOBYTES


@pytest.fixture
def folder(tmp_path):
    """A folder for the image, in which nothing else may appear."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def write_tiffs(folder):
    """Return the bytes of a small stack in each encoding."""
    valid = []
    for name, options in TIFFS.items():
        path = folder / f"{name}.tif"
        tifffile.imwrite(path, pattern((5, 24, 31)), photometric="minisblack", **options)
        valid.append(path.read_bytes())
        path.unlink()
    return valid


def try_files(tmp_path, folder, name, contents, **options):
    """Import files of one name, and return the share of those that are refused."""
    refused = []
    for content in contents:
        (folder / name).write_bytes(content)
        refused.append(run(tmp_path, folder / name, **options) != "")
        assert [path.name for path in folder.iterdir()] == [name]
    return sum(refused) / len(refused)


@pytest.mark.slow
def test_mutated_tiffs(tmp_path, folder):
    rng, valid = np.random.default_rng(6), write_tiffs(folder)
    contents = (mutated(choose(rng, valid), rng) for _ in range(mutations(150)))
    # fewer: the mutations are too small; more: they only destroy headers
    assert 0.2 < try_files(tmp_path, folder, "a.tif", contents) < 0.96


def with_mutated_tags(content, rng):
    """Change the code, the type, the count or the value of some tags of any page."""
    content = bytearray(content)
    big = content[2] == 43
    entry, head, tail = ("<HHQQ", "<Q", "<Q") if big else ("<HHII", "<H", "<I")
    size, limit = struct.calcsize(entry), 2**64 if big else 2**32
    (offset,) = struct.unpack_from(tail, content, 8 if big else 4)
    places = []
    while offset:
        (count,) = struct.unpack_from(head, content, offset)
        first = offset + struct.calcsize(head)
        places += [first + number * size for number in range(count)]
        places.append(-(first + count * size))  # the offset of the next page
        (offset,) = struct.unpack_from(tail, content, first + count * size)
    for _ in range(rng.integers(1, 4)):
        place, number = choose(rng, places), abs(choose(rng, NUMBERS)) % limit
        if place < 0:
            target = choose(rng, [number, abs(choose(rng, places)), 8])
            struct.pack_into(tail, content, -place, target % limit)
            continue
        tag = list(struct.unpack_from(entry, content, place))
        field = rng.integers(4)
        if field == 0:
            tag[0] = choose(rng, [254, 256, 257, 259, 270, 330, 339, 33628, 33629, 34412, 51123])
        else:
            tag[field] = int(choose(rng, [number, rng.integers(20)])) % (
                2**16 if field == 1 else limit
            )
        struct.pack_into(entry, content, place, *tag)
    return content


@pytest.mark.slow
def test_mutated_tags_of_tiffs(tmp_path, folder):
    rng, valid = np.random.default_rng(7), write_tiffs(folder)
    contents = (with_mutated_tags(choose(rng, valid), rng) for _ in range(mutations(150)))
    assert 0.2 < try_files(tmp_path, folder, "a.tif", contents) < 0.96


def with_mutated_text(text, rng):
    """Change numbers, words or tags of a text in XML, or of lines `key=value`."""
    for _ in range(rng.integers(1, 5)):
        kind = rng.integers(4)
        if kind == 0:
            found = list(re.finditer(r"\d+", text))
            new = str(choose(rng, NUMBERS))
        elif kind == 1:
            found = list(re.finditer(r'"[^"]*"|=[^\n<>"]*\n', text))
            word = choose(rng, WORDS).replace("\x00", "&#0;")
            new = f'"{word}"' if "<" in text else f"={word}\n"
        else:
            found = list(re.finditer(r"<[^>]*>|[a-z]+=\S*\n", text))
            new = "" if kind == 2 else choose(rng, found)[0] * 3 if found else ""
        if found:
            chosen = choose(rng, found)
            text = text[: chosen.start()] + new + text[chosen.end() :]
    return text


def descriptions(folder):
    """Return the metadata of an OME-TIFF with two channels and of an ImageJ TIFF."""
    stack = pattern((3, 2, 24, 31))
    found = []
    for options in ({"ome": True}, {"imagej": True}):
        tifffile.imwrite(folder / "d.tif", stack, metadata={"axes": "ZCYX"}, **options)
        with tifffile.TiffFile(folder / "d.tif") as tif:
            found.append(tif.pages.first.description)
        (folder / "d.tif").unlink()
    part = '<TiffData FirstZ="0" IFD="0" PlaneCount="1"><UUID FileName="{}">urn:uuid:1</UUID>'
    other = re.sub("<TiffData[^>]*>", part.format("b.tif") + "</TiffData>", found[0])
    return [*found, other]


@pytest.mark.slow
def test_mutated_metadata_of_tiffs(tmp_path, folder):
    rng, texts = np.random.default_rng(8), descriptions(folder)

    def contents():
        for _ in range(mutations(150)):
            text = with_mutated_text(choose(rng, texts), rng)
            tifffile.imwrite(
                tmp_path / "a.tif",
                pattern((6, 24, 31)),
                photometric="minisblack",
                description=text.encode("utf-8", "surrogatepass"),
                metadata=None,
            )
            yield (tmp_path / "a.tif").read_bytes()

    assert 0.2 < try_files(tmp_path, folder, "a.tif", contents()) <= 1


def chunk(kind, data):
    checksum = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def with_mutated_header(png, rng):
    """Change the header of a PNG, with a correct checksum, and add chunks."""
    header = bytearray(png[16:29])
    for _ in range(rng.integers(1, 4)):
        header[rng.integers(len(header))] = choose(rng, [0, 1, 2, 3, 4, 6, 8, 16, 255])
    extra = choose(
        rng, [b"", chunk(b"tRNS", b"\0\1"), chunk(b"PLTE", bytes(30)), chunk(b"IEND", b"")]
    )
    extra = choose(rng, [extra, chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**6)))])
    return png[:8] + chunk(b"IHDR", bytes(header)) + extra + png[33:]


@pytest.mark.slow
def test_mutated_pngs(tmp_path, folder):
    rng = np.random.default_rng(9)
    planes = [pattern((24, 31), "uint8"), pattern((24, 31)), pattern((24, 31, 4), "uint8")]
    valid = [imagecodecs.png_encode(plane) for plane in planes]

    def contents():
        for number in range(mutations(150)):
            change = with_mutated_header if number % 2 else mutated
            yield change(choose(rng, valid), rng)

    assert 0.2 < try_files(tmp_path, folder, "a.png", contents()) < 1


def write_zarr(folder, version, compressor="auto"):
    group = zarr.create_group(folder, zarr_format=version)
    group.create_array("0", data=pattern((5, 24, 31)), chunks=(2, 24, 16), compressors=compressor)
    axes = [{"name": axis, "type": "space", "unit": "micrometer"} for axis in "zyx"]
    scale = {"type": "scale", "scale": [1.0, 0.5, 0.5]}
    datasets = [{"path": "0", "coordinateTransformations": [scale]}]
    image = {"multiscales": [{"version": "0.4", "axes": axes, "datasets": datasets}]}
    group.attrs.update(image if version == 2 else {"ome": image | {"version": "0.5"}})
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("version", [2, 3])
def test_mutated_zarrs(tmp_path, folder, version):
    rng = np.random.default_rng(10 + version)
    image = write_zarr(folder / "a.zarr", version)
    names = (".zgroup", ".zattrs", "0/.zarray") if version == 2 else ("zarr.json", "0/zarr.json")
    valid = {image / name: (image / name).read_bytes() for name in names}
    chunks = [path for path in (image / "0").rglob("*") if path.is_file()]
    valid |= {path: path.read_bytes() for path in chunks}
    assert run(tmp_path, image) == ""
    refused = 0
    count = mutations(150)
    for number in range(count):
        path = choose(rng, [image / name for name in names] if number % 4 else list(valid))
        if number % 3 and path.name in METADATA:
            content = json.dumps(with_mutated_json(json.loads(valid[path]), rng)).encode()
        else:
            content = mutated(valid[path], rng)
        path.write_bytes(content)
        refused += run(tmp_path, image) != ""
        path.write_bytes(valid[path])
        assert {each for each in folder.rglob("*") if each.is_file()} >= set(valid)
    assert 0.2 < refused / count < 1


NAME_PARTS = [b"p", b"1", b"10", b"000", b" ", b"\n", b"\r", b"\t", b"'", b'"', b"*", b"[", b"?"]
NAME_PARTS += [b"{a}", b"$(touch x)", b"`", b";", b"\\", b"\xff", b"\xe9", "µ".encode(), b"-", b"."]
NAME_PARTS += ["\u202e".encode(), "１".encode(), b"\x1b[31m", b"x" * 100, b"%s", b"|"]


@pytest.mark.slow
def test_mutated_names_of_planes(tmp_path, folder):
    rng = np.random.default_rng(13)
    planes = {b".tif": folder / "plane.tif", b".png": folder / "plane.png"}
    tifffile.imwrite(planes[b".tif"], pattern((24, 31)))
    planes[b".png"].write_bytes(imagecodecs.png_encode(pattern((24, 31))))
    contents = {ending: path.read_bytes() for ending, path in planes.items()}
    for path in planes.values():
        path.unlink()
    read = 0
    count = mutations(100)
    for _ in range(count):
        ending = choose(rng, list(contents))
        names = set()
        for _ in range(rng.integers(1, 5)):
            parts = [choose(rng, NAME_PARTS) for _ in range(rng.integers(1, 5))]
            names.add((b"".join(parts) + ending)[-255:])
        numbered = rng.random() < 0.5  # planes of one stack
        if numbered:
            before, after = (choose(rng, NAME_PARTS) for _ in range(2))
            names = {before + str(number).encode() + after + ending for number in range(1, 5)}
        elif rng.random() < 0.3:
            names.add(choose(rng, NAME_PARTS)[:200] + choose(rng, list(contents)))
        for name in names:
            with open(bytes(folder) + b"/" + name, "wb") as file:  # noqa: PTH123 (bytes)
                file.write(contents[name[-4:]])
        visible = [name for name in names if not name.startswith(b".")]
        message = run(tmp_path, folder)
        read += message == ""
        if visible and (numbered or len(visible) == 1):
            assert message == ""
        for path in folder.iterdir():
            path.unlink()
    assert 0.4 * count < read


@pytest.mark.slow
@pytest.mark.parametrize("kind", MICROSCOPES)
def test_mutated_files_of_microscopes(tmp_path, folder, kind):
    path = MICROSCOPES[kind](folder / f"a.{kind}", pattern((1, 1, 5, 20, 31)))
    valid = {each: each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file()}
    assert run(tmp_path, path, channel_index="0") == ""
    rng = np.random.default_rng(14)
    refused, count = 0, mutations(150)
    for number in range(count):
        changed = path if number % 4 else choose(rng, list(valid))
        changed.write_bytes(mutated(valid[changed], rng))
        refused += run(tmp_path, path, channel_index="0") != ""
        changed.write_bytes(valid[changed])
        assert {each for each in folder.rglob("*") if each.is_file()} == set(valid)
    assert 0.2 < refused / count < 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cluster.nd2", "test.oib", "LLS7_small.czi"])
def test_mutated_real_files_of_microscopes(tmp_path, folder, data, name):
    rng, valid = np.random.default_rng(15), (data / "formats" / name).read_bytes()
    contents = (mutated(valid, rng) for _ in range(mutations(100)))
    time = None if name == "test.oib" else 1
    share = try_files(tmp_path, folder, name, contents, channel_index="0", time=time)
    assert 0.2 < share < 1


def test_tags_of_a_valid_file_are_found_by_the_mutations(tmp_path):
    write_pages(tmp_path / "a.tif", 3, 8, bytes(64), compression=1)
    rng = np.random.default_rng(0)
    content = (tmp_path / "a.tif").read_bytes()
    assert any(with_mutated_tags(content, rng) != content for _ in range(5))
