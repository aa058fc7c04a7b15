"""Write the objects of all stacks as AnnData."""

from pathlib import Path

from cellstack.files.atomic import atomic_write
from cellstack.files.tables import read_columns, read_rows
from cellstack.publish.write_anndata import Contact, build_anndata
from cellstack.publish.write_parquet import read_definitions
from cellstack.run import job


def main(
    *,
    objects: Path,
    columns: Path,
    anndata: Path,
    object: str,
    contacts: list[Path] = (),
) -> None:
    """Write one kind of `object` of the table `objects`, described by the table `columns`.

    `contacts` are the tables of contacts of all stacks, for cells.
    """
    rows = [row for row in read_rows(objects) if row["object"] == object]
    found = [
        Contact(row["stack"], (row["label_1"], row["label_2"]), float(row["contact_area_um2"]))
        for path in contacts
        for row in read_rows(path)
    ]
    definitions = read_definitions(columns, objects.name)
    data = build_anndata(
        rows, read_columns(objects), definitions, found if object == "cells" else None, anndata
    )
    with atomic_write(anndata) as temporary:
        data.write_h5ad(temporary, compression="gzip")


job.run(main)
