"""Write a table of the results as Parquet."""

from pathlib import Path

from cellstack.files.atomic import atomic_write
from cellstack.publish.write_parquet import read_definitions, read_table, write_parquet
from cellstack.run import job


def main(*, table: Path, columns: Path, parquet: Path) -> None:
    """Write the CSV `table` as Parquet, with the units and definitions in `columns`."""
    read = read_table(table, read_definitions(columns, table.name))
    with atomic_write(parquet) as temporary:
        write_parquet(read, temporary)


job.run(main)
