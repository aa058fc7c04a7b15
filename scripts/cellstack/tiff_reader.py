"""TIFF from outside: plain, OME, ImageJ, BigTIFF, compressed or not."""

import math
import re
from contextlib import ExitStack, contextmanager
from xml.etree import ElementTree

import tifffile

from cellstack import image_source, spacing
from cellstack.errors import InputError

FORMATS = {"ome": "OME-TIFF", "imagej": "ImageJ TIFF"}
LABEL_PREFIX = re.compile(r"^(?:[czt]:\d+/\d+ )*(?:- )?")  # ImageJ writes `c:1/2 z:1/45 - name` for each plane


@contextmanager
def open_tiff(path, one_of_many=False):
    """Open a TIFF and tell what it holds.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    one_of_many : bool
        It is one plane of a set, and not asked for the rest of the set that OME metadata may name.

    Yields
    ------
    ImageSource
        Valid until the file is closed on leaving the context.

    Raises
    ------
    InputError
        Where it is not a TIFF, is incomplete, or holds no single stack.
    """
    name = str(path)
    with ExitStack() as stack:
        with image_source.reading(name):
            tif = stack.enter_context(tifffile.TiffFile(path))
            source = _describe(name, path, tif, one_of_many)
        yield source


def _describe(name, path, tif, one_of_many):
    ome = _ome_image(tif)
    if one_of_many and ome is not None and len(tif.pages) == 1:
        series = tifffile.TiffPageSeries([tif.pages.first], kind="ome")
    else:
        if len(tif.series) != 1:
            held = ", ".join(f"{each.shape} {each.dtype}" for each in tif.series) or "none"
            raise InputError(f"{name}: one image is wanted, it holds {len(tif.series)} ({held}): save the one wanted as a file of its own")
        series = tif.series[0]
    axes, shape = series.get_axes(squeeze=False), series.get_shape(squeeze=False)
    page = series.keyframe
    colour = page.photometric in (tifffile.PHOTOMETRIC.RGB, tifffile.PHOTOMETRIC.YCBCR) and page.samplesperpixel >= 3
    roles = image_source.axis_roles(name, axes, shape, colour)
    _check_complete(name, series, shape, tif.filehandle.dirname)
    channels = image_source.length_of(roles, shape, "C")
    return image_source.ImageSource(
        files=[path],
        format=FORMATS.get(series.kind, "TIFF"),
        axes=series.axes,
        shape=series.shape,
        dtype=series.dtype.newbyteorder("="),
        count=image_source.length_of(roles, shape, "Z"),
        plane_shape=(shape[roles.index("Y")], shape[roles.index("X")]),
        channels=image_source.channel_names(_names(tif, ome, channels), channels),
        planes=lambda channel: _planes(name, tif, series, roles, shape, channel),
        spacing=_spacing(tif, ome),
        notices=_notices(page, colour),
    )


def _ome_image(tif):
    if not tif.is_ome:
        return None
    image = ElementTree.fromstring(tif.ome_metadata).find("{*}Image/{*}Pixels")
    return ElementTree.Element("Pixels") if image is None else image


def _names(tif, ome, channels):
    if ome is not None:
        return [channel.get("Name") for channel in ome.findall("{*}Channel")]
    labels = (tif.imagej_metadata or {}).get("Labels", [])
    if channels == 1 or isinstance(labels, str):  # one label for all is a title
        return []
    # ImageJ labels planes, channels first: those of the first plane of each channel are names where they differ
    names = [LABEL_PREFIX.sub("", label) for label in labels[:channels]]
    return names if len(set(names)) == len(names) else []


def _spacing(tif, ome):
    if ome is not None:
        return spacing.from_ome(ome.attrib)
    tags = tif.pages.first.tags
    unit = tags.valueof("ResolutionUnit", default=1)
    unit = "" if unit == 1 else tifffile.RESUNIT(unit).name.lower()
    found = spacing.from_resolution(tags.valueof("XResolution"), tags.valueof("YResolution"), unit)
    return spacing.from_imagej(tif.imagej_metadata, found) if tif.imagej_metadata else found


def _notices(page, colour):
    notices = []
    if colour:
        notices.append("colours were reduced to their luminance")
    if colour and page.samplesperpixel > 3:
        notices.append("the samples after red, green and blue (opacity) were left out")
    if page.photometric in (tifffile.PHOTOMETRIC.PALETTE, tifffile.PHOTOMETRIC.MINISWHITE):
        notices.append(f"values were taken as stored, the display mode {page.photometric.name} was left aside")
    return notices


def _check_complete(name, series, shape, folder):
    # tifffile reads what is missing as zeros, and allocates whatever a damaged header claims
    keyframe = series.keyframe
    fault = f"{name}: is damaged or incomplete (%s): copy or export it again"
    for number, page in enumerate(series.pages):
        if page is None:
            raise InputError(fault % f"plane {number} is missing")
        if page.parent.filehandle.dirname != folder:
            raise InputError(f"{name}: is a set with a file in another folder, {page.parent.filehandle.path}: put the files side by side")
        ends = [start + length for start, length in zip(page.dataoffsets, page.databytecounts, strict=True)]
        stored = sum(page.databytecounts)
        if len(ends) < math.prod(keyframe.chunked) or 0 in page.databytecounts or max(ends) > page.parent.filehandle.size:
            raise InputError(fault % f"the data of page {number} do not lie within the file")
        if keyframe.compression == tifffile.COMPRESSION.NONE and stored * 8 < math.prod(keyframe.shape) * keyframe.bitspersample:
            raise InputError(fault % f"page {number} of shape {keyframe.shape} has {stored} bytes only")
    bytes_claimed = math.prod(shape) * series.dtype.itemsize
    if series.dataoffset is not None:
        complete = series.dataoffset + bytes_claimed <= keyframe.parent.filehandle.size
    else:
        complete = math.prod(shape) == len(series.pages) * math.prod(keyframe.shape)
    if not complete:
        raise InputError(
            fault % f"shape {shape} of {series.dtype.name} is more than the {len(series.pages)} pages and the file's bytes hold"
        )


def _planes(name, tif, series, roles, shape, channel):
    """Give the planes of a channel, each read when it is asked for."""
    lead = next((count for count in range(len(shape)) if math.prod(shape[:count]) == len(series.pages)), len(shape))
    whole = None
    with image_source.reading(name):
        if series.dataoffset is not None and not series.is_multifile:
            whole = tif.filehandle.memmap_array(tif.byteorder + series.dtype.char, shape, series.dataoffset)
        elif not {"Y", "X"} <= set(roles[lead:]):
            whole = series.asarray().reshape(shape)
    page, held = None, None
    for z in range(image_source.length_of(roles, shape, "Z")):
        where = {"Z": z, "C": channel}
        with image_source.reading(name):
            if whole is None:
                number = 0
                for role, length in zip(roles[:lead], shape[:lead], strict=True):
                    number = number * length + where.get(role, 0)
                if number != held:  # a page may hold several planes
                    page, held = series.pages[number].asarray().reshape(shape[lead:]), number
                plane = image_source.cut(page, roles[lead:], where, "YXS")
            else:
                plane = image_source.cut(whole, roles, where, "YXS")
        yield plane
