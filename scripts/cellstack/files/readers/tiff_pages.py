"""Check what a TIFF declares about itself, before tifffile reads it.

tifffile trusts the chain of pages, the number of values in a tag, and the sizes and file names in
OME metadata. Here they are compared with the size and the folder of the file, in one pass over the
tags that reads no pixels.
"""

import math
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from cellstack.core.counting import agree, counted
from cellstack.errors import InputError
from cellstack.files.images import check_regular

MAX_PAGES = 100_000  # more than any single stack has, with all its channels
MAX_VALUES = 2**20  # of a tag with numbers, such as the offsets of strips
MAX_TEXT_BYTES = 2**26  # of a tag with text or bytes, such as OME metadata
MAX_SHARED = 16  # factor by which declared totals may exceed the file: pages can share values
MAX_IMAGES = 1000  # in the OME metadata of one file
BYTES_READ_AT_ONCE = 1024  # enough for the tags of most pages
# Bytes of a value by the code of its type; 1 for other codes.
TYPE_BYTES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
SUBIFDS = 330  # code of the tag with the offsets of subpages
DAMAGED = "{}: is damaged or incomplete ({}): copy or export it again"


class _Layout(NamedTuple):
    """Formats, as in :mod:`struct`, of the directory of tags of a page."""

    tags: str  # number of tags
    tag: str
    offset: str
    first: int  # where the offset of the first page is


CLASSIC = _Layout("H", "HHI4x", "I", 4)
BIG = _Layout("Q", "HHQ8x", "Q", 8)


def count_pages(name: str, path: Path) -> int:
    """Return the number of pages of a TIFF.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    path : pathlib.Path

    Returns
    -------
    int
        0 for a file that is not a TIFF; tifffile then reports the error.

    Raises
    ------
    InputError
        The pages form a cycle, there are more than any stack has, or a tag declares more values
        than the file contains.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        size = os.fstat(descriptor).st_size
        pages, declared = 0, 0
        for bytes_of_tags, others in _directories(name, descriptor, size):
            pages += 1
            declared += bytes_of_tags
            if pages + others > MAX_PAGES:
                raise InputError(
                    f"{name}: has more than {MAX_PAGES:,} pages, more than a stack: "
                    "save one stack as a separate file"
                )
            if bytes_of_tags > size or declared > MAX_SHARED * size:
                reason = f"the tags of page {pages - 1} declare more bytes than the file has"
                raise InputError(DAMAGED.format(name, reason))
        return pages
    finally:
        os.close(descriptor)


def _directories(name: str, descriptor: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield for each page the bytes that its tags declare, and the number of its subpages."""
    head = os.pread(descriptor, 16, 0)
    order = {b"II": "<", b"MM": ">", b"EP": "<"}.get(head[:2])
    if order is None or len(head) < 16:
        return
    layout = BIG if struct.unpack_from(f"{order}H", head, 2)[0] == 43 else CLASSIC
    count_size = struct.calcsize(order + layout.tags)
    tag_size = struct.calcsize(order + layout.tag)
    offset_size = struct.calcsize(order + layout.offset)
    (offset,) = struct.unpack_from(order + layout.offset, head, layout.first)
    seen: set[int] = set()
    while 0 < offset < size:
        if offset in seen:
            reason = f"page {len(seen)} refers back to an earlier page"
            raise InputError(DAMAGED.format(name, reason))
        seen.add(offset)
        block = os.pread(descriptor, BYTES_READ_AT_ONCE, offset)
        if len(block) < count_size:
            return  # tifffile reports the truncated file
        (tags,) = struct.unpack_from(order + layout.tags, block)
        needed = count_size + tags * tag_size + offset_size
        if tags > 4096 or offset + needed > size:
            return
        if needed > len(block):
            block = os.pread(descriptor, needed, offset)
        end = needed - offset_size
        declared, others = 0, 0
        for code, kind, count in struct.iter_unpack(order + layout.tag, block[count_size:end]):
            width = TYPE_BYTES.get(kind, 1)
            if count > (MAX_TEXT_BYTES if width == 1 else MAX_VALUES):
                reason = f"tag {code} of page {len(seen) - 1} declares {count:,} values"
                raise InputError(DAMAGED.format(name, reason))
            declared += width * count
            others += count if code == SUBIFDS else 0
        yield declared, others
        (offset,) = struct.unpack_from(order + layout.offset, block, end)


def check_ome(name: str, path: Path, ome: ElementTree.Element, pages: int, page_size: int) -> None:
    """Check the sizes that the OME metadata of a TIFF declare, and the files that they name.

    Parameters
    ----------
    name : str
        Name of the image in messages.
    path : pathlib.Path
    ome : xml.etree.ElementTree.Element
        Root element of the OME metadata.
    pages : int
        Number of pages of the file.
    page_size : int
        Number of values (samples of pixels) of its first page.

    Raises
    ------
    InputError
        The metadata declare more voxels than the pages have, or too many images, or name something
        that is not a regular file in the same folder.
    """
    images = [
        each
        for image in ome
        if image.tag.endswith("Image")  # as tifffile finds them
        for each in image
        if each.tag.endswith("Pixels")
    ]
    if len(images) > MAX_IMAGES:
        raise InputError(
            f"{name}: contains {len(images):,} images, but one is needed: "
            "save it as a separate file"
        )
    others, absent = _other_files(name, path, ome)
    pages += sum(count_pages(str(other), other) for other in others)
    for pixels in images:
        order = pixels.get("DimensionOrder", "XYZCT")
        shape = [int(pixels.get(f"Size{axis}", 1)) for axis in order]
        planes = [
            abs(int(block.get("PlaneCount") or block.get("NumPlanes") or "IFD" in block.attrib))
            for block in pixels
            if block.tag.endswith("TiffData")
        ]
        taken = sum(count or pages for count in planes)
        voxels = math.prod(shape)
        if len(images) > 1:  # of different sizes, which are compared when one of them is read
            voxels = page_size * math.prod(
                length for axis, length in zip(order, shape, strict=True) if axis not in "XY"
            )
        if voxels > pages * page_size or taken > MAX_SHARED * pages:
            reason = f"its OME metadata declare {shape} voxels for {counted(pages, 'pages')}"
            if absent:
                reason += f", and {counted(len(absent), 'files')} of its set, such as {absent[0]}, "
                reason += f"{agree(len(absent), 'is', 'are')} not in its folder"
            raise InputError(DAMAGED.format(name, reason))


def _other_files(name: str, path: Path, ome: ElementTree.Element) -> tuple[list[Path], list[str]]:
    """Return the other files of a set that exist, and the names of those that do not.

    Raise an error if one is in another folder.
    """
    folders = (path.parent.resolve(), path.resolve().parent)
    named = {each.get("FileName", "") for each in ome.iter() if each.tag.endswith("UUID")}
    found, absent = [], []
    for file in sorted(named - {"", path.name}):
        other = path.parent / file
        if other.resolve().parent not in folders:
            raise InputError(
                f"{name}: is a set with a file in another folder, {file}: "
                "put all files of the set into one folder"
            )
        if other.exists():
            check_regular(other)
            found.append(other)
        else:
            absent.append(file)
    return found, absent
