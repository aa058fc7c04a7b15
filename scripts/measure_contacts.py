"""Measure the contacts between the cells of a stack."""

from pathlib import Path

from cellstack.cells.measure_contacts import measure_contacts
from cellstack.config.columns import CONTACT_COLUMNS
from cellstack.files.selection import read_segmentation_labels
from cellstack.files.stacks import open_channel, open_stack
from cellstack.files.tables import as_text, write_rows
from cellstack.run import job


def main(
    *,
    segmentation: Path,
    membrane_ridges: Path,
    selection: Path,
    contacts: Path,
    stack: str,
    object: str,
    min_wall_strength: float,
    min_contact_fraction: float,
) -> None:
    """Write one row for each pair of cells of `segmentation` that touch.

    The columns ``label_1`` and ``label_2`` are the labels of `selection`.
    """
    labels, spacing = open_stack(segmentation)
    ridges = open_channel(membrane_ridges, segmentation, labels.shape, spacing)
    selected = {number: label for label, number in read_segmentation_labels(selection).items()}
    measured = measure_contacts(
        labels,
        ridges,
        spacing,
        min_wall_strength=min_wall_strength,
        min_contact_fraction=min_contact_fraction,
    )
    rows = []
    for contact in measured:
        row = {"stack": stack, "object": object, **contact}
        for place in (1, 2):
            row[f"label_{place}"] = selected.get(int(contact[f"segmentation_label_{place}"]), 0)
        rows.append(as_text(row))
    write_rows(contacts, list(CONTACT_COLUMNS), rows)


job.run(main)
