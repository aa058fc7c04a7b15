"""Draw the surface area of objects with true and with unit spacing."""

from pathlib import Path

from cellstack import io, job, whole_files
from cellstack.compare_surface_area import compare_surface_area


def main(*, labels: Path, surface_area: Path):
    """Read the selected `labels`; write the section `surface_area` of the gallery."""
    objects, spacing = io.read_stack(labels)
    whole_files.write_json(surface_area, compare_surface_area(objects, spacing))


job.run(main)
