"""Compare the surface areas of objects with true and with unit spacing."""

from pathlib import Path

from cellstack.files.records import read_json, write_json
from cellstack.files.stacks import read_stack
from cellstack.gallery.compare_surface_area import compare_surface_area
from cellstack.run import job


def main(*, labels: Path, view: Path, surface_area: Path) -> None:
    """Read the selected `labels` and the `view`; write the section `surface_area`."""
    objects, spacing = read_stack(labels)
    section = compare_surface_area(objects, spacing, read_json(view)["object_label"])
    write_json(surface_area, section)


job.run(main)
