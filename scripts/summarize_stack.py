"""Sum up a stack and a kind of object in one row: counts, why objects were dropped, totals, mean, spread and flags."""

from pathlib import Path

from cellstack import job, sizes, summarize_stack, table_io


def main(
    *,
    objects: Path,
    selection: Path,
    summary: Path,
    stack: str,
    object: str,
    diameter_um: float,
    diameter_source: str | None = None,
    diameter: list[Path] = (),
):
    """Write one row, also where nothing was found; an estimated `diameter` has a file that says where it comes from."""
    source = sizes.read_diameter(diameter[0])["source"] if diameter else diameter_source
    rows = list(table_io.read_rows(objects))
    columns = {name: [row[name] for row in rows] for name in table_io.read_columns(objects)}
    reasons = [row["reason"] for row in table_io.read_rows(selection)]
    row = {"stack": stack, "object": object} | summarize_stack.summarize_stack(columns, reasons, diameter_um, source)
    table_io.write_rows(summary, list(row), [table_io.as_text(row)])


job.run(main)
