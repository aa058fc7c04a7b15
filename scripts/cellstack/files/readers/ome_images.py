"""The image in OME metadata that belongs to a file.

The metadata in a TIFF can describe several images, such as the positions of a well, in one file or
in a set of files. They can also only name another file, which has the metadata of the set.
"""

from copy import deepcopy
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import tifffile

from cellstack.errors import InputError
from cellstack.files.images import check_regular

MAX_METADATA_BYTES = 2**26


class OmeImage(NamedTuple):
    """The metadata of the image to which a file belongs.

    Attributes
    ----------
    root : xml.etree.ElementTree.Element
        Root element with this image only; with all images if the file contains several.
    images : int
        Number of images in the file.
    xml : str or None
        The metadata of this image only; None if the metadata in the file are of one image.
    files : list of str
        Names of the files with the planes of the channels and times in this file, in the order of
        planes; empty if there is no other file.
    others : list of pathlib.Path
        All other files that the metadata name, and the one that contains them, if they exist.
    """

    root: ElementTree.Element
    images: int
    xml: str | None
    files: list[str]
    others: list[Path]


def image_of(
    name: str,
    path: Path,
    description: str,
    pages: int,
    *,
    one_of_many: bool = False,
    any_scene: bool = False,
) -> OmeImage | None:
    """Return the metadata of the image to which a TIFF belongs.

    Parameters
    ----------
    name : str
        Name of the file in messages.
    path : pathlib.Path
    description : str
        OME metadata in the file.
    pages : int
        Number of pages of the file.
    one_of_many : bool
        Whether the other planes of the stack are given too, so that the metadata of a set may be
        missing.
    any_scene : bool
        Whether an image of the set is selected by its name, so that all are needed.

    Returns
    -------
    OmeImage or None
        None if the metadata are in another file that is missing, and `one_of_many` is true.

    Raises
    ------
    InputError
        The file refers to metadata in another file, which is missing or does not describe it.
    """
    root = ElementTree.fromstring(description)
    pointer = root.find("{*}BinaryOnly")
    if pointer is not None:
        companion = pointer.get("MetadataFile", "")
        if one_of_many and not (path.parent / companion).is_file():
            return None
        root = _read_companion(name, path, companion)
    images = [each for each in root if each.tag.endswith("Image")]
    own = [each for each in images if _blocks_in(each, path, root, pages)]
    if pointer is not None and not own:
        raise InputError(
            f"{name}: is not among the files that {pointer.get('MetadataFile')} describes: "
            "give it its original name, or export it again"
        )
    companion = pointer.get("MetadataFile", "") if pointer is not None else ""
    if len(own) != 1 or (any_scene and pointer is None):
        return OmeImage(root, len(own), None, [], _others(root, path, companion))
    files = _files_of_planes(own[0], path, root, pages)
    xml = None
    if len(images) > 1 or pointer is not None:
        root = _with_image(root, own[0], path)
        xml = ElementTree.tostring(root, encoding="unicode")
    names = [] if files == [path.name] else files
    return OmeImage(root, 1, xml, names, _others(root, path, companion))


def check_single(name: str, image: OmeImage | None) -> None:
    """Raise an error if it is not known which metadata belong to the only image in a file.

    Parameters
    ----------
    name : str
        Name of the file in messages.
    image : OmeImage or None

    Raises
    ------
    InputError
        The metadata describe several images, and not exactly one of them is in the file.
    """
    described = len(image.root.findall("{*}Image")) if image is not None else 1
    if described > 1:
        raise InputError(
            f"{name}: its OME metadata describe {described} images, and it is not known which one "
            "this file contains: give it its original name, or export it as a separate image"
        )


def _read_companion(name: str, path: Path, file: str) -> ElementTree.Element:
    """Return the root element of the metadata in another file of the same folder."""
    other = path.parent / file
    if not file or Path(file).name != file or not other.exists():
        raise InputError(
            f"{name}: is one file of a set whose metadata are in {file!r}, which is not in its "
            "folder: copy that file into the folder, or name the files of the set with a pattern "
            "and fill in the voxel size in the sheet"
        )
    check_regular(other)
    if other.suffix.lower() in (".tif", ".tiff"):
        with tifffile.TiffFile(other) as tif:
            return ElementTree.fromstring(str(tif.ome_metadata))
    if other.stat().st_size > MAX_METADATA_BYTES:
        raise InputError(f"{other}: is too large for OME metadata: export it again")
    return ElementTree.fromstring(other.read_bytes())


def _file_of(block: ElementTree.Element, path: Path, root: ElementTree.Element) -> str:
    """Return the name of the file that contains planes; `root` is read for the file `path`."""
    identifier = block.find("{*}UUID")
    if identifier is None or identifier.text == root.get("UUID"):
        return path.name
    return identifier.get("FileName") or path.name


def _blocks_in(
    image: ElementTree.Element, path: Path, root: ElementTree.Element, pages: int
) -> list[ElementTree.Element]:
    """Return the blocks of planes of an image that are in a file."""
    return [
        block
        for block in image.iterfind("{*}Pixels/{*}TiffData")
        if _file_of(block, path, root) == path.name and int(block.get("IFD", 0)) < pages
    ]


def _files_of_planes(
    image: ElementTree.Element, path: Path, root: ElementTree.Element, pages: int
) -> list[str]:
    def position(block: ElementTree.Element) -> tuple[int, int]:
        return int(block.get("FirstC", 0)), int(block.get("FirstT", 0))

    here = {position(block) for block in _blocks_in(image, path, root, pages)}
    blocks = [block for block in image.iterfind("{*}Pixels/{*}TiffData") if position(block) in here]
    blocks.sort(key=lambda block: int(block.get("FirstZ", 0)))
    return list(dict.fromkeys(_file_of(block, path, root) for block in blocks))


def _others(root: ElementTree.Element, path: Path, companion: str) -> list[Path]:
    """Return the existing files, other than `path`, that metadata and their companion name."""
    named = {each.get("FileName", "") for each in root.iter() if each.tag.endswith("UUID")}
    others = sorted({companion, *named} - {"", path.name})
    return [path.parent / name for name in others if (path.parent / name).is_file()]


def _with_image(
    root: ElementTree.Element, image: ElementTree.Element, path: Path
) -> ElementTree.Element:
    """Return a root element with one image only, and the identifier of a file."""
    single = ElementTree.Element(root.tag, root.attrib)
    for each in root:
        if not each.tag.endswith(("Image", "BinaryOnly")):
            single.append(each)
    single.append(deepcopy(image))
    for identifier in image.iterfind("{*}Pixels/{*}TiffData/{*}UUID"):
        if identifier.get("FileName") == path.name and identifier.text:
            single.set("UUID", identifier.text)
    return single
