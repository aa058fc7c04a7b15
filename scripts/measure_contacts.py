"""Measure which cells of a stack touch which."""

from pathlib import Path

from cellstack import io, job, table_io
from cellstack.measure_contacts import COLUMNS, measure_contacts


def main(*, split: Path, walls: Path, selection: Path, contacts: Path, stack: str, object: str, min_wall: float, min_contact: float):
    """Write one row per pair of objects in `split` that touch; `selection` gives their labels where they are measured."""
    labels, spacing = io.read_stack(split)
    strength = io.read_channel(walls, split, labels.shape, spacing)
    measured = {row["split_label"]: row["label"] for row in table_io.read_rows(selection)}
    rows = []
    for pair in measure_contacts(labels, strength, spacing, min_wall=min_wall, min_contact=min_contact):
        named = {f"label_{place}": measured[str(pair[f"split_label_{place}"])] or "0" for place in (1, 2)}
        rows.append(table_io.as_text({"stack": stack, "object": object} | pair | named))
    table_io.write_rows(contacts, list(COLUMNS), rows)


job.run(main)
