"""Simulate a stack of a cell colony, with nuclei and membranes, and its ground truth labels."""

from pathlib import Path

from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import write_channels, write_labels
from cellstack.prepare.simulate_stack import simulate_stack
from cellstack.run import job


def main(
    *,
    image: Path,
    nuclei: Path,
    cells: Path,
    shape: list[int],
    spacing: list[float],
    diameter_um: float,
    nuclei_count: int,
    seed: int,
    signal_to_noise: float,
    depth_factor: float,
) -> None:
    """Write a simulated image (OME-TIFF, channels nuclei and membrane) and both label images."""
    with scratch_stacks(image.parent) as allocate:
        simulated = simulate_stack(
            shape,
            spacing,
            diameter_um=diameter_um,
            count=nuclei_count,
            seed=seed,
            signal_to_noise=signal_to_noise,
            depth_factor=depth_factor,
            allocate=allocate,
        )
        write_channels(
            image,
            [simulated.nuclei_image, simulated.membrane_image],
            spacing,
            ["nuclei", "membrane"],
            axes="CZYX",
            title=f"{image.name}, simulated by cellstack",
            compression=None,
        )
        write_labels(nuclei, simulated.nuclei_labels, spacing)
        write_labels(cells, simulated.cell_labels, spacing)


job.run(main)
