"""Each message about an image names a fix, and applying it makes the image readable."""

import ast
import os
import re
import shutil
import sys
from functools import cache

import h5py
import numpy as np
import pytest
import tifffile
import zarr
from hostile import run
from microscopes import (
    SPACING,
    write_czi,
    write_ims,
    write_lif,
    write_lsm,
    write_micromanager,
    write_oif,
    write_ome_set,
    write_stk,
)
from reading import pattern
from study import ROOT

from cellstack.errors import InputError
from cellstack.files import images
from cellstack.files.readers import ims, ome_images, png, tiff_pages, zarr_store
from cellstack.files.readers import zarr as zarr_reader
from cellstack.prepare import import_stack

SERIES = pattern((3, 2, 5, 20, 31))
STACK = SERIES[0, 0]
UM = {f"{axis}_um": size for axis, size in SPACING.items()}
UNKNOWN = dict.fromkeys(UM)
FIRST = {"channel_index": "0"}
LIBRARY = ROOT / "scripts" / "cellstack"
SOURCES = [
    *sorted((LIBRARY / "files" / "readers").glob("*.py")),
    LIBRARY / "files" / "images.py",
    *(LIBRARY / "prepare" / f"{name}.py" for name in ("import_stack", "check_image", "colours")),
]
CASES = {}
# texts of messages that no file can show in a test, with the reason
UNTESTED = {
    "needs more memory than an image of its size should": "a decoder decides it",
    "cannot be told apart": "no program writes such an ND2",
    "the recording may have been stopped": "tested on a real ND2, the fix is a complete copy",
    "there is no OME-Zarr at this address": "needs a server, see test_remote_zarr.py",
    "cannot be downloaded": "needs a server, see test_remote_zarr.py",
    "pixels of type": "pylibCZIrw does not write other types",
    "its planes are skewed": "pylibCZIrw does not write such metadata",
    "combine or separate them in ZEN": "pylibCZIrw does not write these axes",
    "the folder cannot be read": "permissions do not apply to an administrator",
}

pytestmark = pytest.mark.filterwarnings("ignore:.*closed file")  # tifffile opens it for each plane


def fix(*texts):
    """Register a case, with texts that its message contains.

    A case is a generator: it yields an image and options of import_stack, is sent the message,
    applies the fix, and yields the image and the options again.
    """

    def register(case):
        CASES[case.__name__] = (texts, case)
        return case

    return register


def copied_again(path, damage, **options):
    """Yield a damaged file, and a new copy of it."""
    content = path.read_bytes()
    damage(path)
    yield path, FIRST | options
    path.write_bytes(content)
    yield path, FIRST | options


def ome_tiff(folder, stack=STACK, name="a.ome.tif", **metadata):
    tifffile.imwrite(folder / name, stack, metadata=metadata, ome=True, photometric="minisblack")
    return folder / name


# one stack of several


@fix("contains 2 of 3 planes of its Micro-Manager acquisition")
def file_of_micromanager_not_copied(folder, monkeypatch):
    index, lengths = [(0, z, 0, 0) for z in range(3)], {"Slices": 3, "Prefix": "a"}
    planes = np.ones((3, 4, 5), np.uint16)
    image = write_micromanager(folder / "a_MMStack.tif", planes[:2], index[:2], **lengths)
    yield image, {}
    write_micromanager(folder / "a_MMStack_1.tif", planes[2:], index[2:], **lengths)
    yield image, {}


@fix("fill in time in the sheet")
def time_points(folder, monkeypatch):
    image = write_lif(folder / "a.lif", a=("TZYX", SERIES[:, 0]))
    message = yield image, {}
    yield image, {"time": int(re.search(r"contains 3 time points, 0 to (\d+)", message)[1])}


@fix("correct time in the sheet")
def wrong_time(folder, monkeypatch):
    image = write_lif(folder / "a.lif", a=("TZYX", SERIES[:, 0]))
    message = yield image, {"time": 3}
    yield image, {"time": int(re.search(r"has 3 time points, 0 to (\d+)", message)[1])}


@fix("if they are planes, correct the axes, in Fiji with Image > Properties")
def planes_as_times(folder, monkeypatch):
    for axes in ("TYX", "ZYX"):
        tifffile.imwrite(folder / "a.tif", STACK, imagej=True, metadata={"axes": axes})
        yield folder / "a.tif", {}


@fix("fill in scene in the sheet, with a number or a name")
def scenes(folder, monkeypatch):
    image = write_lif(folder / "a.lif", left=("ZYX", STACK), right=("ZYX", STACK))
    message = yield image, {}
    yield image, {"scene": re.search(r"1 \((.+?)\)", message)[1]}


@fix("correct scene in the sheet")
def wrong_scene(folder, monkeypatch):
    image = write_lif(folder / "a.lif", left=("ZYX", STACK), right=("ZYX", STACK))
    message = yield image, {"scene": "middle"}
    yield image, {"scene": re.search(r"the file has (\d+)", message)[1]}


@fix("matches 2 of its scenes", "use #0 for number 0")
def scenes_of_one_name(folder, monkeypatch):
    image = write_lif(folder / "a.lif", aa=("ZYX", STACK), ab=("ZYX", STACK[:2]))
    old, new = (f'Element Name="{name}"'.encode("utf-16-le") for name in ("ab", "aa"))
    assert old in image.read_bytes()
    image.write_bytes(image.read_bytes().replace(old, new))
    message = yield image, {"scene": "aa"}
    assert "0 (aa), 1 (aa)" in message
    yield image, {"scene": re.search(r"use (#\d)", message)[1]}


@fix("matches 2 of its channels", "use #0 for number 0")
def channels_of_one_name(folder, monkeypatch):
    image = ome_tiff(folder, SERIES[0], axes="CZYX", Channel={"Name": ["DAPI", "DAPI"]})
    message = yield image, {"channel_index": "DAPI"}
    yield image, {"channel_index": re.search(r"use (#\d)", message)[1]}


@fix("fill in channel_index in the sheet")
def channels(folder, monkeypatch):
    image = write_lif(folder / "a.lif", a=("CZYX", SERIES[0]))
    message = yield image, {"channel": "actin"}
    yield image, {"channel_index": re.search(r"1 \((\w+)\)", message)[1]}


@fix("correct channel_index in the sheet")
def wrong_channel(folder, monkeypatch):
    image = write_lif(folder / "a.lif", a=("CZYX", SERIES[0]))
    message = yield image, {"channel_index": "2"}
    yield image, {"channel_index": re.search(r"it has (\d)", message)[1]}


@fix("export all planes in the same way")
def one_inverted_plane(folder, monkeypatch):
    for z in range(3):
        mode = "miniswhite" if z == 1 else "minisblack"
        tifffile.imwrite(folder / f"p_z{z}.tif", STACK[z], photometric=mode)
    yield folder, {}
    tifffile.imwrite(folder / "p_z1.tif", STACK[1], photometric="minisblack")
    yield folder, {}


@fix("give red, green or blue, or leave channel_index empty for the luminance")
def number_of_a_colour(folder, monkeypatch):
    colours = np.stack([STACK.astype("uint8")] * 3, axis=-1)
    tifffile.imwrite(folder / "a.tif", colours, photometric="rgb")
    yield folder / "a.tif", {"channel_index": "2"}
    yield folder / "a.tif", {"channel_index": "blue"}


@fix("save one stack as a separate file, or correct the axes, in Fiji with Image > Properties")
def other_axis(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", SERIES[:, 0], metadata={"axes": "AZYX"})
    yield folder / "a.tif", {}
    tifffile.imwrite(folder / "a.tif", STACK, imagej=True, metadata={"axes": "ZYX"})
    yield folder / "a.tif", {}


@fix("fill in axes in the sheet, such as zcyx, or save it with named axes")
def unnamed_axes(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", SERIES[0], photometric="minisblack")
    yield folder / "a.tif", {"channel_index": "0"}
    yield folder / "a.tif", {"channel_index": "0", "axes": "czyx"}


@fix("correct axes in the sheet")
def too_few_axes(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", SERIES[0], photometric="minisblack")
    message = yield folder / "a.tif", {"channel_index": "0", "axes": "zyx"}
    assert "the image has 4" in message
    yield folder / "a.tif", {"channel_index": "0", "axes": "czyx"}


@fix("leave axes empty in the sheet")
def other_axes_than_in_the_file(folder, monkeypatch):
    tifffile.imwrite(folder / "a.ome.tif", SERIES[0], metadata={"axes": "CZYX"})
    yield folder / "a.ome.tif", {"channel_index": "0", "axes": "zcyx"}
    yield folder / "a.ome.tif", {"channel_index": "0"}


@fix("leave axes empty in the sheet")
def axes_of_a_format_with_names(folder, monkeypatch):
    image = write_lif(folder / "a.lif", a=("ZYX", STACK))
    yield image, {"axes": "zyx"}
    yield image, {}


@fix("save it as TIFF or PNG")
def jpeg_of_four_samples(folder, monkeypatch):
    frame = b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x02\x00\x02\x04"
    (folder / "a.jpg").write_bytes(frame)
    yield folder / "a.jpg", {}
    imagecodecs = pytest.importorskip("imagecodecs")
    (folder / "a.png").write_bytes(imagecodecs.png_encode(STACK[0].astype("uint8")))
    yield folder / "a.png", {}


@fix("choose another scene or file")
def section(folder, monkeypatch):
    image = write_lif(folder / "a.lif", a=("CZX", SERIES[0, :, :, 0]), b=("ZYX", STACK))
    yield image, {"scene": "a"}
    yield image, {"scene": "b"}


@fix("save it with named axes, as OME-TIFF or ImageJ TIFF")
def axes_that_are_repeated(folder, monkeypatch):
    stack = np.stack([STACK, STACK], axis=-1)[None].repeat(2, axis=0)
    options = {"photometric": "minisblack", "planarconfig": "contig"}
    tifffile.imwrite(folder / "a.tif", stack, metadata={"axes": "CZYXS"}, **options)
    yield folder / "a.tif", {}
    yield ome_tiff(folder, stack[0, ..., 0], axes="ZYX"), {}


@fix("save each image as a separate file")
def images_unlike_their_metadata(folder, monkeypatch):
    path = folder / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as tif:
        for stack in (STACK, STACK[:, :9]):
            tif.write(stack, metadata={"axes": "ZYX"})
    text = tifffile.tiffcomment(path)
    (second,) = re.findall(r'<Image ID="Image:1".*?</Image>', text, re.DOTALL)
    tifffile.tiffcomment(path, text.replace(second, second + '<Image ID="Image:2"/>').encode())
    yield path, {"scene": "0"}
    yield ome_tiff(folder, axes="ZYX"), {}


@fix("is needed: save it as a separate file")
def too_many_images(folder, monkeypatch):
    monkeypatch.setattr(tiff_pages, "MAX_IMAGES", 1)
    with tifffile.TiffWriter(folder / "a.ome.tif", ome=True) as tif:
        for stack in (STACK, STACK[:, :9]):
            tif.write(stack, metadata={"axes": "ZYX"})
    yield folder / "a.ome.tif", {}
    yield ome_tiff(folder, axes="ZYX"), {}


@fix("more than a stack: save one stack as a separate file")
def too_many_pages(folder, monkeypatch):
    monkeypatch.setattr(tiff_pages, "MAX_PAGES", 5)
    for stack in (SERIES[0].reshape(10, 20, 31), STACK):
        tifffile.imwrite(folder / "a.tif", stack, metadata=None, contiguous=False)
        yield folder / "a.tif", {}


# the voxel size


@fix("fill in z_um, y_um, x_um in the sheet")
def unknown_voxel_size(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", STACK)
    message = yield folder / "a.tif", UNKNOWN
    columns = re.search(r"fill in (.+) in the sheet", message)[1].split(", ")
    yield folder / "a.tif", UNKNOWN | dict.fromkeys(columns, 0.5)


@fix("fill in a number of um above 0")
def no_length(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", STACK)
    yield folder / "a.tif", {"y_um": -0.5}
    yield folder / "a.tif", {"y_um": 0.5}


SIZED = {"PhysicalSizeX": 900, "PhysicalSizeY": 0.5, "PhysicalSizeZ": 2}


@fix("correct x_um in the sheet")
def sheet_unlike_the_file(folder, monkeypatch):
    image = ome_tiff(folder, axes="ZYX", **SIZED)
    message = yield image, UNKNOWN | {"x_um": 0.25}
    size = re.search(r"along x is (\S+) um in the file", message)[1]
    yield image, UNKNOWN | {"x_um": float(size)}


@fix("or leave it empty to use the file's")
def sheet_wrong(folder, monkeypatch):
    image = ome_tiff(folder, axes="ZYX", **SIZED)
    yield image, UNKNOWN | {"x_um": 0.25}
    yield image, UNKNOWN


@fix("if the file's is wrong, save the image with the right one, in Fiji with Image > Properties")
def file_wrong(folder, monkeypatch):
    yield ome_tiff(folder, axes="ZYX", **SIZED), {"z_um": 2}
    metadata = {"axes": "ZYX", "spacing": 1.0, "unit": "um"}
    tifffile.imwrite(folder / "a.tif", STACK, imagej=True, resolution=(4, 2), metadata=metadata)
    yield folder / "a.tif", UM


# planes


def write_planes(folder, *names):
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        tifffile.imwrite(folder / name, STACK[number % 5], metadata=None)
    return folder


TWO_CHANNELS = [f"p_z{z}_c{c}.tif" for z in range(3) for c in range(2)]


@fix("use one pattern as image in the sheet")
def channels_in_a_folder(folder, monkeypatch):
    message = yield write_planes(folder / "a [1]", *TWO_CHANNELS), {}
    yield re.search(r"as image in the sheet: (.+?), ", message)[1], {}


@fix("or use a folder for each")
def channels_without_a_pattern(folder, monkeypatch):
    image = write_planes(folder / "a", "p9.tif", "p10.tif", "p9a1.tif", "p10a1.tif")
    message = yield image, {}
    assert f"{image}/p*a1.tif, ...; or" in message  # any pattern of the others matches these too
    write_planes(folder / "b", "p9.tif", "p10.tif")
    yield folder / "b", {}


@fix("not named like the 3 planes", "or use the pattern")
def a_projection_beside_planes(folder, monkeypatch):
    image = write_planes(folder / "a", "p_z1.tif", "p_z2.tif", "p_z3.tif", "MAX_p.tif")
    message = yield image, {}
    yield re.search(r"use the pattern (.+) as image in the sheet", message)[1], {}


@fix("move it to another folder")
def a_file_beside_planes(folder, monkeypatch):
    image = write_planes(folder / "a", "p_z1.tif", "p_z2.tif", "p_z3.tif", "MAX_p.tif")
    yield image, {}
    (image / "MAX_p.tif").rename(folder / "MAX_p.tif")
    yield image, {}


@fix("copy the missing files, or number the files without gaps if there are no more planes")
def a_gap(folder, monkeypatch):
    image = write_planes(folder / "a", "p_z1.tif", "p_z2.tif", "p_z4.tif", "p_z5.tif")
    yield image, {}
    for number in (4, 5):
        (image / f"p_z{number}.tif").rename(image / f"p_z{number - 1}.tif")
    yield image, {}


@fix("have the same number: remove one of the two")
def a_number_twice(folder, monkeypatch):
    image = write_planes(folder / "a", "p_z1.tif", "p_z01.tif", "p_z2.tif")
    yield image, {}
    (image / "p_z01.tif").unlink()
    yield image, {}


@fix("not planes: use one file as image in the sheet, such as")
def files_of_channels(folder, monkeypatch):
    message = yield write_planes(folder / "a", "p_c1.tif", "p_c2.tif"), {}
    yield re.search(r"such as (\S+);", message)[1], {}


@fix("if the files are planes of one stack, put a z before the number")
def planes_named_like_channels(folder, monkeypatch):
    image = write_planes(folder / "a", "p_c1.tif", "p_c2.tif")
    yield image, {}
    for number in (1, 2):
        (image / f"p_c{number}.tif").rename(image / f"p_cz{number}.tif")
    yield image, {}


@fix("name them like p_z1.tif, p_z2.tif")
def planes_without_numbers(folder, monkeypatch):
    image = write_planes(folder / "a", "first.tif", "second.tif")
    yield image, {}
    for number, name in enumerate(["first", "second"], 1):
        (image / f"{name}.tif").rename(image / f"p_z{number}.tif")
    yield image, {}


@fix("name the planes of one stack in the sheet")
def planes_of_two_shapes(folder, monkeypatch):
    image = write_planes(folder / "a", "p_z1.tif", "p_z2.tif")
    tifffile.imwrite(image / "p_z3.tif", STACK[0, :9], metadata=None)
    yield image, {}
    yield image / "p_z[12].tif", {}


@fix("name a single stack in the sheet")
def stacks_as_planes(folder, monkeypatch):
    (folder / "a").mkdir()
    for number in (1, 2):
        tifffile.imwrite(folder / "a" / f"s_z{number}.tif", STACK)
    yield folder / "a", {}
    yield folder / "a" / "s_z1.tif", {}


@fix("or name the planes with a pattern, such as")
def links_to_planes(folder, monkeypatch):
    write_planes(folder / "elsewhere", "p_z1.tif", "p_z2.tif")
    (folder / "a [1]").mkdir()
    for name in ("p_z1.tif", "p_z2.tif"):
        (folder / "a [1]" / name).symlink_to(folder / "elsewhere" / name)
    message = yield folder / "a [1]", {}
    yield message.rpartition("such as ")[2], {}


@fix("is a folder among files", "use a pattern that matches only files, such as")
def a_folder_among_files(folder, monkeypatch):
    write_planes(folder / "a [1]", "p_z1.tif", "p_z2.tif")
    write_planes(folder / "a [1]" / "p_old", "p_z1.tif")
    message = yield folder / "a [[]1]" / "p_*", {}
    yield message.rpartition("such as ")[2], {}


@fix("name that folder, or use")
def a_folder_behind_a_pattern(folder, monkeypatch):
    write_planes(folder / "stack", "p_z1.tif", "p_z2.tif")
    message = yield folder / "st*", {}
    yield message.partition(": is a folder")[0], {}


@fix("correct image in the sheet")
def no_such_file(folder, monkeypatch):
    yield folder / "a.tif", {}
    tifffile.imwrite(folder / "b.tif", STACK)
    yield folder / "b.tif", {}


# sets of OME-TIFF


@fix("copy that file into the folder")
def a_set_without_its_companion(folder, monkeypatch):
    image = write_ome_set(folder, STACK[:3])
    (folder / "a.companion.ome").rename(folder / "elsewhere")
    yield image, {}
    (folder / "elsewhere").rename(folder / "a.companion.ome")
    yield image, {}


@fix("name the files of the set with a pattern and fill in the voxel size in the sheet")
def a_set_whose_companion_is_lost(folder, monkeypatch):
    image = write_ome_set(folder, STACK[:3])
    (folder / "a.companion.ome").unlink()
    yield image, {}
    yield folder / "a_z*.ome.tif", UM


@fix("give it its original name, or export it again")
def a_renamed_file_of_a_set(folder, monkeypatch):
    image = write_ome_set(folder, STACK[:3])
    image.rename(folder / "b.ome.tif")
    yield folder / "b.ome.tif", {}
    (folder / "b.ome.tif").rename(image)
    yield image, {}


@fix("give it its original name, or export it as a separate image")
def a_file_that_several_images_may_describe(folder, monkeypatch):
    path = ome_tiff(folder, axes="ZYX")
    text = tifffile.tiffcomment(path)
    (image,) = re.findall(r"<Image .*</Image>", text, re.DOTALL)
    other = image.replace('SizeX="31"', 'SizeX="9"')
    tifffile.tiffcomment(path, text.replace(image, other + image).encode())
    yield path, {}
    yield ome_tiff(folder, axes="ZYX"), {}


@fix("copy them into the folder, and give the folder or a pattern that matches all")
def a_lost_file_of_a_set(folder, monkeypatch):
    write_ome_set(folder, STACK[:3])
    (folder / "a_z1.ome.tif").rename(folder / "lost")
    tifffile.imwrite(folder / "a_z1.ome.tif", STACK[0])
    (folder / "a_z1.ome.tif").rename(folder / "a_z3.ome.tif")
    (folder / "a_z2.ome.tif").rename(folder / "a_z2")
    yield [folder / "a_z0.ome.tif", folder / "a_z3.ome.tif"], {}
    (folder / "a_z2").rename(folder / "a_z2.ome.tif")
    (folder / "lost").rename(folder / "a_z1.ome.tif")
    yield folder / "a_z[012].ome.tif", {}


@fix("put all files of the set into one folder")
def a_set_in_two_folders(folder, monkeypatch):
    image = write_ome_set(folder, STACK[:3])
    (folder / "b").mkdir()
    (folder / "a_z1.ome.tif").rename(folder / "b" / "a_z1.ome.tif")
    (folder / "a_z1.ome.tif").symlink_to(folder / "b" / "a_z1.ome.tif")
    yield image, {}
    (folder / "b" / "a_z1.ome.tif").rename(folder / "a_z1.ome.tif")
    yield image, {}


@fix("is too large for OME metadata: export it again")
def a_large_companion(folder, monkeypatch):
    image = write_ome_set(folder, STACK[:3])
    with monkeypatch.context() as patch:
        patch.setattr(ome_images, "MAX_METADATA_BYTES", 9)
        yield image, {}
    yield write_ome_set(folder, STACK[:3]), {}


# Zarr


def write_zarr(folder, version="0.4", axes="zyx", **options):
    group = zarr.create_group(folder, zarr_format=2, overwrite=True)
    group.create_array("0", data=STACK, **({"chunks": (1, 20, 31)} | options))
    described = {"axes": [{"name": axis, "type": "space"} for axis in axes]} if axes else {}
    group.attrs["multiscales"] = [{"version": version, "datasets": [{"path": "0"}], **described}]
    return folder


@fix("a scale in its metadata is not a list of 3 numbers", "correct `coordinateTransformations`")
def an_ome_zarr_with_another_scale(folder, monkeypatch):
    image = write_zarr(folder / "a.zarr")
    for scale in ([0.5, 0.5], [1, 0.5, 0.5]):
        group = zarr.open_group(image)
        (multiscale,) = group.attrs["multiscales"]
        multiscale["datasets"][0]["coordinateTransformations"] = [{"type": "scale", "scale": scale}]
        group.attrs["multiscales"] = [multiscale]
        yield image, {}


@fix("is a zip file", "unzip it, and give the folder or file in it")
def a_zipped_zarr(folder, monkeypatch):
    archive = shutil.make_archive(str(folder / "a"), "zip", write_zarr(folder / "a.zarr"))
    yield folder / "a.zip", {}
    shutil.unpack_archive(archive, folder / "b.zarr")
    yield folder / "b.zarr", {}


@fix("which is not supported: save it as version 0.4 or 0.5")
def a_later_version_of_ome_zarr(folder, monkeypatch):
    for version in ("0.6", "0.4"):
        yield write_zarr(folder / "a.zarr", version), {}


@fix("without `axes`: add them to its metadata, or export it again")
def an_ome_zarr_without_axes(folder, monkeypatch):
    for axes in ("", "zyx"):
        yield write_zarr(folder / "a.zarr", "0.3", axes), {}


@fix("correct `axes` in its metadata, or export it again")
def an_ome_zarr_with_wrong_axes(folder, monkeypatch):
    for axes in ("czyx", "zyx"):
        yield write_zarr(folder / "a.zarr", axes=axes), {}


@fix("name the folder of one image in it")
def a_zarr_of_images(folder, monkeypatch):
    zarr.create_group(folder / "plate.zarr", zarr_format=2)
    write_zarr(folder / "plate.zarr" / "well")
    message = yield folder / "plate.zarr", {}
    yield folder / "plate.zarr" / re.search(r"it contains (\w+)", message)[1], {}


@fix("copy the image again")
def a_zarr_without_most_chunks(folder, monkeypatch):
    image = write_zarr(folder / "a.zarr")
    (image / "0").rename(folder / "chunks")
    (image / "0").mkdir()
    (folder / "chunks" / ".zarray").rename(image / "0" / ".zarray")
    yield image, {}
    yield write_zarr(folder / "a.zarr"), {}


@fix("if they were empty, write it with Zarr's setting array.write_empty_chunks")
def a_zarr_with_empty_chunks(folder, monkeypatch):
    dark = np.zeros_like(STACK)
    for setting in (False, True):
        with zarr.config.set({"array.write_empty_chunks": setting}):
            write_zarr(folder / "a.zarr")
            group = zarr.open_group(folder / "a.zarr")
            group.create_array("0", data=dark, chunks=(1, 20, 31), overwrite=True)
        yield folder / "a.zarr", {}


@fix("write it with smaller chunks")
def a_zarr_with_huge_chunks(folder, monkeypatch):
    monkeypatch.setattr(zarr_reader, "MAX_CHUNK_BYTES", 2 * 31 * 20)
    for planes in (2, 1):
        yield write_zarr(folder / "a.zarr", chunks=(planes, 20, 31)), {}


@fix("has chunks of length 0: export it again")
def a_zarr_with_chunks_of_length_0(folder, monkeypatch):
    image = write_zarr(folder / "a.zarr")
    description = image / "0" / ".zarray"
    text = description.read_text(encoding="utf-8")
    description.write_text(re.sub(r'"chunks": \[\s*1', '"chunks": [0', text), encoding="utf-8")
    yield image, {}
    yield write_zarr(folder / "a.zarr"), {}


@fix("is empty", "export it again")
def an_empty_zarr(folder, monkeypatch):
    group = zarr.open_group(write_zarr(folder / "a.zarr"))
    group.create_array("0", data=STACK[:0], overwrite=True)
    yield folder / "a.zarr", {}
    yield write_zarr(folder / "a.zarr"), {}


@fix("copy that file into its folder")
def a_zarr_with_a_link(folder, monkeypatch):
    image = write_zarr(folder / "a.zarr")
    chunk = image / "0" / "0.0.0"
    chunk.rename(folder / "chunk")
    chunk.symlink_to(folder / "chunk")
    yield image, {}
    chunk.unlink()
    chunk.write_bytes((folder / "chunk").read_bytes())
    yield image, {}


@fix("more than the metadata of an image: export it again")
def a_zarr_with_large_metadata(folder, monkeypatch):
    image = write_zarr(folder / "a.zarr")
    with monkeypatch.context() as patch:
        patch.setattr(zarr_store, "MAX_METADATA_BYTES", 9)
        yield image, {}
    yield write_zarr(folder / "a.zarr"), {}


# files of microscopes


@fix("make formats, or pip install -r envs/requirements/formats.txt")
def a_package_that_is_not_installed(folder, monkeypatch):
    image = write_lif(folder / "a.lif", a=("ZYX", STACK))
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "liffile", None)
        yield image, {}
    assert "liffile==" in (ROOT / "envs" / "requirements" / "formats.txt").read_text()
    yield image, {}


@fix("in ZEN apply Stitching with the option Fuse Tiles, and save the result")
def tiles_of_a_czi(folder, monkeypatch):
    for shift in (30, 31):  # the tiles overlap, or not
        path = write_czi(folder / f"{shift}.czi", SERIES[:1, :1], tiles=[0, shift])
        yield path, {}


@fix("contains 3 tiles that are not fused: in ZEN")
def tiles_of_an_lsm(folder, monkeypatch):
    yield write_lsm(folder / "a.lsm", SERIES[:, :1], tiles=3, scan="ZCYX"), {}
    yield write_lsm(folder / "b.lsm", SERIES[:1, :1]), {}


@fix("in LAS X apply Mosaic Merge, save the project, and select the merged image with scene")
def tiles_of_a_lif(folder, monkeypatch):
    images = {"tiles": ("MZYX", SERIES[:, 0]), "tiles_Merged": ("ZYX", STACK)}
    image = write_lif(folder / "a.lif", **images)
    yield image, {"scene": "tiles"}
    yield image, {"scene": "tiles_Merged"}


@fix("plane 1 of channel 0 is missing): copy or export it again")
def a_czi_without_a_plane(folder, monkeypatch):
    from pylibCZIrw import czi

    for name, planes in (("a", (0, 2)), ("b", (0, 1, 2))):
        with czi.create_czi(str(folder / f"{name}.czi")) as file:
            for z in planes:
                file.write(STACK[z], plane={"C": 0, "Z": z})
        yield folder / f"{name}.czi", {}


@fix("bytes for", "copy or export it again")
def a_lif_that_is_too_short(folder, monkeypatch):
    def declare_more(path):
        old, new = (f'NumberOfElements="{n}"'.encode("utf-16-le") for n in ("20", "50"))
        path.write_bytes(path.read_bytes().replace(old, new))

    yield from copied_again(write_lif(folder / "a.lif", a=("ZYX", STACK)), declare_more)


@fix("record a stack in XYZ")
def an_oif_in_xz(folder, monkeypatch):
    yield write_oif(folder / "a.oif", SERIES[:1, :1], order="XZCYT"), {}
    yield write_oif(folder / "b.oif", SERIES[:1, :1]), {}


@fix("is incomplete (", "of its planes", "missing): copy or export it again")
def an_oif_without_a_plane(folder, monkeypatch):
    image = write_oif(folder / "a.oif", SERIES[:1, :1])
    plane = folder / "a.oif.files" / "s_C001Z003T001.tif"
    plane.rename(folder / "plane")
    yield image, {}
    (folder / "plane").rename(plane)
    yield image, {}


@fix("is a link to a file outside its folder: copy the file into the folder")
def an_oif_with_a_link(folder, monkeypatch):
    (folder / "b").mkdir()
    image = write_oif(folder / "b" / "a.oif", SERIES[:1, :1])
    plane = folder / "b" / "a.oif.files" / "s_C001Z003T001.tif"
    plane.rename(folder / "plane")
    plane.symlink_to(folder / "plane")
    yield image, {}
    (folder / "plane").rename(plane)
    yield image, {}


@fix("record the stack with a constant distance")
def an_stk_with_other_distances(folder, monkeypatch):
    yield write_stk(folder / "a.stk", STACK, distances=[1, 1, 1, 3, 1]), {}
    yield write_stk(folder / "b.stk", STACK), {}


DATA = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"


@fix("declares a stack of", "export it again")
def an_ims_that_declares_more(folder, monkeypatch):
    image = write_ims(folder / "a.ims", SERIES[:1, :1])
    with h5py.File(image, "a") as file:
        file["DataSetInfo/Image"].attrs["Z"] = np.array(list("70"), "S1")
    yield image, {}
    yield write_ims(folder / "b.ims", SERIES[:1, :1]), {}


@fix("blocks of voxels are missing): copy or export it again")
def an_ims_without_some_voxels(folder, monkeypatch):
    image = write_ims(folder / "a.ims", SERIES[:1, :1])
    with h5py.File(image, "a") as file:
        del file[DATA]
        file.create_dataset(DATA, (6, 24, 32), np.uint16, chunks=(2, 8, 8))
    yield image, {}
    yield write_ims(folder / "b.ims", SERIES[:1, :1]), {}


@fix("export it again with smaller chunks")
def an_ims_with_huge_chunks(folder, monkeypatch):
    monkeypatch.setattr(ims, "MAX_CHUNK_BYTES", 2 * 2 * 8 * 8)
    for name, planes in (("a", 3), ("b", 2)):
        yield write_ims(folder / f"{name}.ims", SERIES[:1, :1], chunks=(planes, 8, 8)), {}


@fix("refers to another place or file: export it again")
def an_ims_with_a_link(folder, monkeypatch):
    other = write_ims(folder / "b.ims", SERIES[:1, :1])
    image = write_ims(folder / "a.ims", SERIES[:1, :1])
    with h5py.File(image, "a") as file:
        del file[DATA]
        file[DATA] = h5py.ExternalLink(str(other), DATA)
    yield image, {}
    yield other, {}


@fix("refers to other files: export it as a single file")
def an_ims_with_external_data(folder, monkeypatch):
    image = write_ims(folder / "a.ims", SERIES[:1, :1])
    with h5py.File(image, "a") as file:
        del file[DATA]
        files = [(str(folder / "data"), 0, h5py.h5f.UNLIMITED)]
        file.create_dataset(DATA, (5, 20, 31), np.uint16, external=files)
    yield image, {}
    yield write_ims(folder / "b.ims", SERIES[:1, :1]), {}


# files that are damaged


def cut(path):
    path.write_bytes(path.read_bytes()[: int(0.6 * path.stat().st_size)])


def set_tag(name, value):
    def change(path):
        with tifffile.TiffFile(path, mode="r+") as tif:
            tif.pages.first.tags[name].overwrite(value)

    return change


@fix("is damaged or incomplete", "copy or export it again")
def a_truncated_tiff(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", STACK)
    yield from copied_again(folder / "a.tif", cut)


@fix("are not all in the file): copy or export it again")
def a_tiff_without_some_strips(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", STACK[0], metadata=None)
    yield from copied_again(folder / "a.tif", set_tag("ImageLength", 2000))


@fix("has only", "bytes): copy or export it again")
def a_tiff_with_short_strips(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", STACK[0], metadata=None)
    yield from copied_again(folder / "a.tif", set_tag("StripByteCounts", 9))


@fix("declare", "is damaged or incomplete", "copy or export it again")
def a_tiff_that_declares_more(folder, monkeypatch):
    def declare_more(path):
        tifffile.tiffcomment(path, tifffile.tiffcomment(path).replace('SizeZ="5"', 'SizeZ="9"'))

    yield from copied_again(ome_tiff(folder, axes="ZYX"), declare_more)


@fix("cannot be read as an image", "copy or export it again")
def an_empty_file(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", STACK)
    yield from copied_again(folder / "a.tif", lambda path: path.write_bytes(b""))


@fix("copy or export it again, as a TIFF, planes as TIFF or PNG, or an OME-Zarr")
def another_format(folder, monkeypatch):
    (folder / "a.mrc").write_bytes(bytes(range(256)))
    yield folder / "a.mrc", {}
    tifffile.imwrite(folder / "a.tif", STACK)
    yield folder / "a.tif", {}


@fix("the file is damaged, export it again")
def a_png_that_declares_too_much(folder, monkeypatch):
    import imagecodecs

    (folder / "a.png").write_bytes(imagecodecs.png_encode(STACK[0].astype("uint8")))
    with monkeypatch.context() as patch:
        patch.setattr(png, "MAX_PIXELS", 9)
        yield folder / "a.png", {}
    yield folder / "a.png", {}


@fix("is a pipe, a socket or a device: copy the image to a file, and name that")
def a_pipe(folder, monkeypatch):
    os.mkfifo(folder / "pipe.tif")
    yield folder / "pipe.tif", {}
    tifffile.imwrite(folder / "a.tif", STACK)
    yield folder / "a.tif", {}


# pixels


@fix("convert the image to")
def complex_numbers(folder, monkeypatch):
    for stack in (STACK.astype("complex64"), STACK.astype("float32")):
        tifffile.imwrite(folder / "a.tif", stack)
        yield folder / "a.tif", {}


@fix("cannot be stored exactly: convert the image to uint16 or float32")
def large_integers(folder, monkeypatch):
    stack = STACK.astype("int32") + 2**24
    for values in (stack, stack.astype("float32")):
        tifffile.imwrite(folder / "a.tif", values)
        yield folder / "a.tif", {}


@fix("is NaN, infinite or out of range of float32: replace it in the image")
def values_that_are_not_finite(folder, monkeypatch):
    stack = STACK.astype("float32")
    stack[1, 2, 3] = np.nan
    for values in (stack, np.nan_to_num(stack)):
        tifffile.imwrite(folder / "a.tif", values)
        yield folder / "a.tif", {}


@fix("it must be an integer from 1 to 5, the size of the stack")
def too_much_downsampling(folder, monkeypatch):
    tifffile.imwrite(folder / "a.tif", STACK)
    yield folder / "a.tif", {"downsample": [6, 1, 1]}
    yield folder / "a.tif", {"downsample": [5, 1, 1]}


@fix("MB of disk space, 0.0 MB are free", "crop the image, or set import_stack.downsample")
def too_little_disk_space(folder, monkeypatch):
    usage = shutil.disk_usage(folder)._replace(free=20_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    tifffile.imwrite(folder / "a.tif", STACK)
    yield folder / "a.tif", {}
    yield folder / "a.tif", {"downsample": [1, 2, 2]}


# the tests


def attempt(folder, image, options):
    paths = image if isinstance(image, list) else [type(folder)(image)]
    return run(folder, *paths, **{**UM, **options})


@pytest.fixture(scope="module")
def play(tmp_path_factory):
    """Return a function that plays a case, and returns its message and that after the fix."""

    @cache
    def played(case):
        folder = tmp_path_factory.mktemp(case)
        with pytest.MonkeyPatch.context() as monkeypatch:
            steps = CASES[case][1](folder, monkeypatch)
            message = attempt(folder, *next(steps))
            return message, attempt(folder, *steps.send(message))

    return played


@pytest.mark.parametrize("case", CASES)
def test_the_fix_in_a_message_works(play, case):
    message, fixed = play(case)
    for text in CASES[case][0]:
        assert text in message
    assert fixed == ""


def test_a_changed_image_is_read_when_it_is_complete(tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", STACK)
    read = import_stack.fill_stack

    def change(*arguments):
        os.utime(tmp_path / "a.tif", (1, 1))
        return read(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(import_stack, "fill_stack", change)
        message = attempt(tmp_path, tmp_path / "a.tif", {})
    assert "was changed while it was read: run the same command again" in message
    assert attempt(tmp_path, tmp_path / "a.tif", {}) == ""


def test_an_address_with_a_password_is_refused_until_the_image_is_downloaded():
    assert "download the image, and give its folder" in images.find_secret("https://a:b@c.org/d")
    assert images.find_secret("d.zarr") == ""


def expression_of(node):
    """Return a regular expression that the text of an expression of Python matches."""
    if isinstance(node, ast.Constant):
        return re.escape(str(node.value))
    if isinstance(node, ast.JoinedStr):
        return "".join(map(expression_of, node.values))
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return expression_of(node.left) + expression_of(node.right)
    if isinstance(node, ast.IfExp):
        return f"(?:{expression_of(node.body)}|{expression_of(node.orelse)})"
    return ".*"


def test_each_message_has_a_case(play):
    messages = [play(case)[0] for case in CASES] + [
        "a: was changed while it was read: run the same command again when the file is complete"
    ]
    without = []
    for source in SOURCES:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == InputError.__name__:
                expression = expression_of(node.args[0])
                if not any(re.fullmatch(expression, message) for message in messages):
                    without.append(ast.unparse(node))
    assert [each for each in without if not any(text in each for text in UNTESTED)] == []
    assert [text for text in UNTESTED if not any(text in each for each in without)] == []
