"""Simulate a stack of a cell colony, nuclei and membrane, with the labels that are true for it."""

from pathlib import Path

import numpy as np
import tifffile

from cellstack import io, job, whole_files
from cellstack.simulate_stack import simulate_stack


def main(
    *,
    image: Path,
    nuclei: Path,
    cells: Path,
    shape: list,
    spacing: list,
    diameter_um: float,
    nuclei_count: int,
    seed: int,
    signal_to_noise: float,
    depth_factor: float,
):
    """Simulate a colony and write its image (OME-TIFF, channels nuclei and membrane) and the true labels of nuclei and cells."""
    simulated = simulate_stack(
        shape,
        spacing,
        diameter_um=diameter_um,
        count=nuclei_count,
        seed=seed,
        signal_to_noise=signal_to_noise,
        depth_factor=depth_factor,
    )
    channels = np.stack([simulated.nuclei_image, simulated.membrane_image])
    metadata = io.ome_metadata(image, channels, spacing) | {
        "axes": "CZYX",
        "Name": f"{image.name}, simulated by cellstack",
        "Channel": {"Name": ["nuclei", "membrane"]},
    }
    with whole_files.whole_file(image) as partial:
        tifffile.imwrite(partial, channels, ome=True, photometric="minisblack", software="cellstack", metadata=metadata)
    io.write_labels(nuclei, simulated.nuclei_labels, spacing)
    io.write_labels(cells, simulated.cell_labels, spacing)


job.run(main)
