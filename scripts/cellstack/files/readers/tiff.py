"""Reader of TIFF files: plain, OME, ImageJ and BigTIFF, compressed or not."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import tifffile

from cellstack.core.counting import agree, counted
from cellstack.errors import InputError
from cellstack.files.readers import (
    image_source,
    ome_images,
    parts,
    tiff_microscopes,
    tiff_pages,
    voxel_size,
)
from cellstack.files.readers.image_source import ImageSource, Planes
from cellstack.files.readers.ome_acquisition import describe_ome
from cellstack.files.readers.ome_images import OmeImage
from cellstack.files.readers.parts import Part
from cellstack.files.readers.voxel_size import StoredSize

NOT_TIMES = "; if they are planes, correct the axes, in Fiji with Image > Properties"
FORMATS = {"ome": "OME-TIFF", "imagej": "ImageJ TIFF", "lsm": "LSM", "stk": "STK"}
LOSSY_COMPRESSION = (
    tifffile.COMPRESSION.JPEG,
    tifffile.COMPRESSION.OJPEG,
    tifffile.COMPRESSION.ALT_JPEG,
    tifffile.COMPRESSION.JPEG_LOSSY,
    tifffile.COMPRESSION.JPEG_2000_LOSSY,
)
MAX_POSITION_ERROR = 0.1  # relative difference from the voxel size along z
# ImageJ labels each plane, for example `c:1/2 z:1/45 - name`
LABEL_PREFIX = re.compile(r"^(?:[czt]:\d+/\d+ )*(?:- )?")


@contextmanager
def open_tiff(
    path: Path, part: Part | None = None, one_of_many: bool = False
) -> Iterator[ImageSource]:
    """Open a TIFF file.

    Parameters
    ----------
    path : pathlib.Path
    part : Part, optional
        The image and the time point to be read, if the file has several.
    one_of_many : bool
        Whether the file is one plane of several files. The other files of a set that its OME
        metadata may name are then not opened.

    Yields
    ------
    ImageSource
        Valid within the context, which closes the file.

    Raises
    ------
    InputError
        The file is not a TIFF, is incomplete, or does not contain a single stack.
    """
    name = str(path)
    with ExitStack() as stack:
        with image_source.input_errors(name):
            pages = tiff_pages.count_pages(name, path)
            tif = stack.enter_context(tifffile.TiffFile(path))
            image = None
            if tif.is_ome:
                image = ome_images.image_of(
                    name,
                    path,
                    str(tif.ome_metadata),
                    pages,
                    one_of_many=one_of_many,
                    any_scene=part is not None and bool(part.scene),
                )
            # the index of Micro-Manager mixes the positions of a set, OME metadata separate them
            if image is not None and (image.xml is not None or tif.is_mmstack):
                tif = stack.enter_context(
                    tifffile.TiffFile(path, omexml=image.xml, is_mmstack=False)
                )
            source = _describe(name, path, tif, pages, part, one_of_many, image)
        yield source


def _describe(
    name: str,
    path: Path,
    tif: tifffile.TiffFile,
    pages: int,
    part: Part | None,
    one_of_many: bool,
    image: OmeImage | None,
) -> ImageSource:
    root = image.root if image is not None else None
    number = None
    if one_of_many and root is not None and pages == 1:
        series = tifffile.TiffPageSeries([tif.pages.first], kind="ome")
    else:
        if root is not None:
            tiff_pages.check_ome(name, path, root, pages, math.prod(tif.pages.first.shaped))
        stacks = tiff_microscopes.stacks_in(tif)
        labels: list[str | None] = [each.name or f"{each.shape} {each.dtype}" for each in stacks]
        if len(stacks) == 1:
            series = stacks[0]
            ome_images.check_single(name, image)
        else:
            number = _pick_series(name, stacks, labels, part)
            series, root = stacks[number], _image_of(name, root, number, len(stacks))
    ome = _ome_pixels(root)
    axes, shape = series.get_axes(squeeze=False), series.get_shape(squeeze=False)
    if series.kind == "mmstack":
        axes = axes.replace("R", "P")  # tifffile's name of the axis of positions
    given = part.axes if part is not None else None
    if given:
        axes, shape = _name_axes(name, given, series), series.shape
    page = series.keyframe
    rgb = page.photometric in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR)
    colour = rgb and page.samplesperpixel >= 3 and not given
    tiff_microscopes.check_tiles(name, axes, shape)
    tiff_microscopes.check_micromanager(name, tif, axes, shape)
    roles = image_source.axis_roles(name, axes, shape, colour, "TP" if number is None else "T")
    if number is None:
        labels = [None] * image_source.axis_length(roles, shape, "P")
    position = parts.pick_scene(name, labels, part)
    _check_complete(name, series, shape, tif.filehandle.dirname)
    channels = image_source.axis_length(roles, shape, "C")
    times = image_source.axis_length(roles, shape, "T")
    time = parts.pick_time(name, times, part, "" if "Z" in roles else NOT_TIMES)
    acquisition, notices = tiff_microscopes.describe_plane(tif)
    if tif.is_lsm:
        acquisition = tiff_microscopes.describe_lsm(tif)
    if image is not None and root is not None and root.find("{*}Image") is not None:
        acquisition = describe_ome(image.root, root.findall("{*}Image")[0])
    members = tiff_microscopes.files_of_set(series)
    return ImageSource(
        files=[path],
        format=FORMATS.get(series.kind, "TIFF"),
        axes=series.axes,
        shape=series.shape,
        dtype=series.dtype.newbyteorder("="),
        count=image_source.axis_length(roles, shape, "Z"),
        plane_shape=(shape[roles.index("Y")], shape[roles.index("X")]),
        channels=image_source.channel_names(_names(tif, ome, channels), channels),
        planes=lambda channel: _read_planes(
            name, tif, series, roles, shape, {"P": position, "T": time, "C": channel}
        ),
        spacing=_spacing(name, tif, ome),
        scene=parts.label(position, labels),
        time=time if times > 1 else None,
        acquisition=acquisition,
        notices=[*notices, *_notices(page, colour)],
        flags=[*_flags(tif, page), *_flags_of_ome(tif, None if one_of_many else image, ome)],
        set_files=image.files if image is not None else members,
        other_files=(
            image.others
            if image is not None
            else [path.parent / each for each in members if each != path.name]
        ),
        z_position=tiff_microscopes.position_of_plane(tif),
    )


def _pick_series(
    name: str, stacks: Sequence[Any], labels: Sequence[str | None], part: Part | None
) -> int:
    """Return the number of the selected stack of a file with several."""
    try:
        return parts.pick_scene(name, labels, part)
    except parts.NotChosenError as error:
        if len({(stack.shape, stack.dtype) for stack in stacks}) > 1 or stacks[0].ndim > 2:
            raise
        raise parts.NotChosenError(
            f"{error}; if they are planes, save them as one stack, in Python with a single call of "
            "tifffile.imwrite",
            error.column,
            error.names,
        ) from error


def _name_axes(name: str, given: str, series: Any) -> str:
    """Return the axes of an image by the sheet, for a file that does not name them."""
    axes, shape = given.upper(), tuple(series.shape)
    named = sorted(set(series.axes) & set("ZCT"))
    if named and axes != series.axes:
        raise InputError(
            f"{name}: axes {given} are given, but the file names its axes "
            f"{series.axes.lower()}: leave axes empty in the sheet"
        )
    if len(axes) != len(shape):
        raise InputError(
            f"{name}: axes {given} name {len(axes)} axes, but the image has {len(shape)}, of "
            f"lengths {' x '.join(map(str, shape))}: correct axes in the sheet"
        )
    return axes


def _image_of(
    name: str, root: ElementTree.Element | None, number: int, count: int
) -> ElementTree.Element | None:
    """Return OME metadata of only one of several images of a file."""
    if root is None:
        return None
    images = root.findall("{*}Image")
    if len(images) != count:
        raise InputError(
            f"{name}: its OME metadata describe {counted(len(images), 'images')}, but it contains "
            f"{count}: save each image as a separate file"
        )
    only = ElementTree.Element("OME")
    only.append(images[number])
    return only


def _ome_pixels(root: ElementTree.Element | None) -> ElementTree.Element | None:
    """Return OME's ``Pixels`` of the first image, None for a file without OME metadata."""
    if root is None:
        return None
    pixels = root.find("{*}Image/{*}Pixels")
    return ElementTree.Element("Pixels") if pixels is None else pixels


def _names(
    tif: tifffile.TiffFile, ome: ElementTree.Element | None, channels: int
) -> list[str | None]:
    if ome is not None:
        return [channel.get("Name") for channel in ome.findall("{*}Channel")]
    if tif.is_lsm:
        return tiff_microscopes.channel_names(tif)
    labels = (tif.imagej_metadata or {}).get("Labels", [])
    if channels == 1 or isinstance(labels, str):  # a single label is a title
        return []
    # ImageJ labels planes, channels first: the labels of the first planes are the names of
    # channels if they differ
    names: list[str | None] = [LABEL_PREFIX.sub("", label) for label in labels[:channels]]
    return names if len(set(names)) == len(names) else []


def _spacing(
    name: str, tif: tifffile.TiffFile, ome: ElementTree.Element | None
) -> dict[str, StoredSize]:
    if ome is not None:
        return voxel_size.from_ome(ome.attrib)
    if tif.is_lsm:
        return tiff_microscopes.spacing_of_lsm(tif)
    if tif.is_stk:
        return tiff_microscopes.spacing_of_stk(name, tif)
    if tif.is_metaseries:
        return tiff_microscopes.spacing_of_plane(tif)
    tags = tif.pages.first.tags
    code = tags.valueof("ResolutionUnit", default=1)
    unit = "" if code == 1 else tifffile.RESUNIT(code).name.lower()
    found = voxel_size.from_resolution(
        tags.valueof("XResolution"), tags.valueof("YResolution"), unit
    )
    return voxel_size.from_imagej(tif.imagej_metadata, found) if tif.imagej_metadata else found


def _notices(page: Any, colour: bool) -> list[str]:
    notices = []
    if colour:
        notices.append(image_source.REDUCED)
    if colour and page.samplesperpixel > 3:
        notices.append("the samples after red, green and blue (opacity) were left out")
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE:
        notices.append("values were read as stored, without the colours of the palette")
    return notices


def _flags(tif: tifffile.TiffFile, page: Any) -> list[str]:
    """Return flags if programs show other values than those stored, or compression changed them."""
    flags = [image_source.LOSSY] if page.compression in LOSSY_COMPRESSION else []
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        flags.append(
            f"programs show it inverted ({page.photometric.name}), but the stored values are "
            "measured (if objects are dark in them, invert the image in Fiji with Edit > Invert)"
        )
    metadata = tif.imagej_metadata or {}
    if (metadata.get("cf", 0), metadata.get("c0", 0), metadata.get("c1", 1)) != (0, 0, 1):
        flags.append(
            f"ImageJ shows calibrated values (c0 = {metadata.get('c0')}, c1 = "
            f"{metadata.get('c1')}), but those stored are measured (convert it to 32-bit in Fiji "
            "to store calibrated values)"
        )
    return flags


def _flags_of_ome(
    tif: tifffile.TiffFile, image: OmeImage | None, ome: ElementTree.Element | None
) -> list[str]:
    """Return flags if OME metadata disagree with the pages, or with themselves."""
    if ome is None:
        return []
    flags = []
    if image is not None and image.xml is None and not image.others:
        levels = [level for series in tif.series for level in (series, *series.levels[1:])]
        left = len(tif.pages) - sum(len(level.pages) for level in levels)
        if left > 0:
            flags.append(
                f"{left} of {counted(len(tif.pages), 'pages')} {agree(left, 'is', 'are')} not in "
                "the OME metadata and left out (check the number of planes)"
            )
    step = voxel_size.from_ome_positions(ome)
    size, _ = voxel_size.in_um(voxel_size.from_ome(ome.attrib).get("z"))
    distance, _ = voxel_size.in_um(step)
    if size and distance and not math.isclose(size, distance, rel_tol=MAX_POSITION_ERROR):
        flags.append(
            f"the positions of planes are {distance:.3g} um apart, but the voxel size along z is "
            f"{size:.3g} um (check which of them is right)"
        )
    return flags


def _check_complete(name: str, series: Any, shape: Sequence[int], folder: str) -> None:
    """Refuse a file with missing data.

    tifffile reads missing data as zeros, and allocates whatever a damaged header declares.
    """
    keyframe = series.keyframe
    message = f"{name}: is damaged or incomplete (%s): copy or export it again"
    for number, page in enumerate(series.pages):
        if page is None:
            raise InputError(message % f"plane {number} is missing")
        if page.parent.filehandle.dirname != folder:
            raise InputError(
                f"{name}: is a set with a file in another folder, {page.parent.filehandle.path}: "
                "put all files of the set into one folder"
            )
        ends = [
            start + length
            for start, length in zip(page.dataoffsets, page.databytecounts, strict=True)
        ]
        stored = sum(page.databytecounts)
        if (
            len(ends) < math.prod(keyframe.chunked)
            or 0 in page.databytecounts
            or max(ends) > page.parent.filehandle.size
        ):
            raise InputError(message % f"the data of page {number} are not all in the file")
        if (
            keyframe.compression == tifffile.COMPRESSION.NONE
            and stored * 8 < math.prod(keyframe.shape) * keyframe.bitspersample
        ):
            raise InputError(
                message % f"page {number} of shape {keyframe.shape} has only {stored} bytes"
            )
    declared = math.prod(shape) * series.dtype.itemsize
    if series.dataoffset is not None:
        complete = series.dataoffset + declared <= keyframe.parent.filehandle.size
    else:
        complete = math.prod(shape) == len(series.pages) * math.prod(keyframe.shape)
    if not complete:
        held = f"more than fits into {counted(len(series.pages), 'pages')}"
        raise InputError(message % f"shape {shape} of {series.dtype.name} is {held}")


def _read_planes(
    name: str,
    tif: tifffile.TiffFile,
    series: Any,
    roles: Sequence[str],
    shape: Sequence[int],
    part: Mapping[str, int],
) -> Planes:
    """Yield the planes of a channel at a time point, each read when it is needed."""
    # the leading axes, along which the pages lie
    lead = next(
        (count for count in range(len(shape)) if math.prod(shape[:count]) == len(series.pages)),
        len(shape),
    )
    volume = None
    with image_source.input_errors(name):
        # tifffile would read a series that lies in a single other file of a set from this file
        in_this_file = not series.is_multifile and series.keyframe.parent is tif
        is_mapped = series.dataoffset is not None and in_this_file
        if not is_mapped and not {"Y", "X"} <= set(roles[lead:]):
            volume = series.asarray(maxworkers=1).reshape(shape)
    page, page_number = None, None
    for z in range(image_source.axis_length(roles, shape, "Z")):
        where = {"Z": z, **part}
        with image_source.input_errors(name):
            if is_mapped:  # again for each plane, so that earlier ones do not stay in memory
                volume = tif.filehandle.memmap_array(
                    tif.byteorder + series.dtype.char, tuple(shape), series.dataoffset
                )
            if volume is None:
                number = 0
                for role, length in zip(roles[:lead], shape[:lead], strict=True):
                    number = number * length + where.get(role, 0)
                if number != page_number:  # a page may contain several planes
                    page = series.pages[number].asarray(maxworkers=1).reshape(shape[lead:])
                    page_number = number
                plane = image_source.select_axes(page, roles[lead:], where, "YXS")
            else:
                plane = image_source.select_axes(volume, roles, where, "YXS")
        yield plane
