"""Download the stack of the scikit-image tutorial on 3D images.

It shows nuclei and membranes of a colony of hiPSC (Allen Institute for Cell Science).
"""

from pathlib import Path

import pooch
import skimage

from cellstack.errors import InputError
from cellstack.files.stacks import write_channels
from cellstack.run import job

SPACING_UM = (0.29, 0.26, 0.26)  # as given in the tutorial


def main(*, image: Path) -> None:
    """Write ``skimage.data.cells3d()`` as OME-TIFF with channel names and voxel size."""
    pooch.get_logger().setLevel("ERROR")  # messages about retries would hide the error message
    try:
        stack = skimage.data.cells3d()
    except (OSError, ValueError) as error:  # no network, or not the expected file
        raise InputError(
            f"{image}: cells3d of scikit-image could not be downloaded: connect to the network "
            f"once, put cells3d.tif into the folder {skimage.data.data_dir}, or list your own "
            "stacks in the sheet"
        ) from error
    write_channels(
        image, stack, SPACING_UM, ["membrane", "nuclei"], title="cells3d", compression=None
    )


job.run(main)
