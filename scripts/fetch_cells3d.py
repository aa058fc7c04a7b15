"""Fetch the stack of the scikit-image tutorial on 3D images: nuclei and membranes of a hiPSC colony (Allen Institute for Cell Science)."""

import uuid
from pathlib import Path

import pooch
import skimage
import tifffile

from cellstack import job, whole_files
from cellstack.errors import InputError

SPACING_UM = {"Z": 0.29, "Y": 0.26, "X": 0.26}  # as the tutorial gives it


def main(*, image: Path):
    """Write ``skimage.data.cells3d()`` as OME-TIFF with its channels' names and its voxel size."""
    pooch.get_logger().setLevel("ERROR")  # its retries would bury the one line that says what to do
    try:
        stack = skimage.data.cells3d()
    except (OSError, ValueError) as error:  # no network, no such page, another file than the one expected
        raise InputError(
            f"{image}: cells3d of scikit-image could not be fetched: connect to the network once, put cells3d.tif into the folder "
            f"{skimage.data.data_dir} by hand, or name own stacks in the sheet"
        ) from error
    metadata = {"axes": "ZCYX", "Channel": {"Name": ["membrane", "nuclei"]}, "Name": "cells3d", "Creator": "cellstack"}
    metadata |= {f"PhysicalSize{axis}": step for axis, step in SPACING_UM.items()}
    metadata |= {f"PhysicalSize{axis}Unit": "µm" for axis in SPACING_UM}
    metadata["UUID"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'cellstack/cells3d')}"  # a random one otherwise
    with whole_files.whole_file(image) as partial:
        tifffile.imwrite(partial, stack, ome=True, software="cellstack", metadata=metadata)


job.run(main)
