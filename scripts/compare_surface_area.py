"""Compare the surface areas of objects with true and with unit spacing."""

from pathlib import Path

from cellstack.files.records import write_json
from cellstack.files.stacks import read_stack
from cellstack.gallery.compare_surface_area import compare_surface_area
from cellstack.run import job


def main(*, labels: Path, surface_area: Path) -> None:
    """Read the selected `labels`; write the section `surface_area`."""
    objects, spacing = read_stack(labels)
    write_json(surface_area, compare_surface_area(objects, spacing))


job.run(main)
