"""Tables as Parquet, with the unit and the definition of each column."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cellstack import __version__
from cellstack.files.readers import optional
from cellstack.files.tables import read_columns, read_rows, restore

INTEGERS = re.compile(
    r"(.*_)?label(_[12])?|.*_voxels|bbox_.*|touches_.*|count_.*|(false|true)_.*|n|nuclei_count"
    r"|euler_number|wall_missing|tissue_surface_uncertain"
)
TEXTS = {
    "stack",
    "object",
    "status",
    "flags",
    "diameter_source",
    "column",
    "unit",
    "ground_truth",
    "reason",
    "channel",
    "corrections",
    "class",
    "cut_by_faces",
    "part",
    "region_name",
    "group",
    "group_1",
    "group_2",
    "pair",
    "unit_name",
    "design",
    "test",
    "correction",
    "warnings",
}
FROM_SHEET = "from the sheet"  # the definition of the user's columns, which are texts


def read_definitions(path: Path, table: str) -> dict[str, dict[str, str]]:
    """Return unit and definition of each column of a table.

    Parameters
    ----------
    path : pathlib.Path
        ``columns.csv``.
    table : str
        Name of the table, such as ``"objects.csv"``.

    Returns
    -------
    dict of str to dict of str to str
    """
    return {
        row["column"]: {"unit": row["unit"], "definition": row["definition"]}
        for row in read_rows(path)
        if row["table"] == table
    }


def kind_of(column: str, definitions: Mapping[str, Mapping[str, str]]) -> str:
    """Return the type of a column: text, integer or number. It does not depend on its values.

    Examples
    --------
    >>> [kind_of(name, {}) for name in ("stack", "segmentation_label", "volume_um3")]
    ['text', 'integer', 'number']
    """
    definition = definitions.get(column, {}).get("definition", "")
    if column in TEXTS or definition == FROM_SHEET:
        return "text"
    return "integer" if INTEGERS.fullmatch(column) else "number"


def read_table(path: Path, definitions: Mapping[str, Mapping[str, str]]) -> Any:
    """Read a table of results with the type of each column.

    Parameters
    ----------
    path : pathlib.Path
        A CSV table.
    definitions : dict of str to dict
        See :func:`read_definitions`.

    Returns
    -------
    pyarrow.Table
        Empty cells are null.

    Raises
    ------
    InputError
        pyarrow is not installed.
    """
    arrow = load_arrow("pyarrow", path)
    csv = load_arrow("pyarrow.csv", path)
    kinds = {"text": arrow.string(), "integer": arrow.int64(), "number": arrow.float64()}
    columns = read_columns(path)
    schema = {name: kinds[kind_of(name, definitions)] for name in columns}
    table = csv.read_csv(
        path,
        read_options=csv.ReadOptions(column_names=columns, skip_rows=1, use_threads=False),
        parse_options=csv.ParseOptions(newlines_in_values=True),
        convert_options=csv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )
    fields, arrays = [], []
    for name in columns:
        values = table.column(name)
        if schema[name] == arrow.string():
            texts = [text if text is None else restore(text) for text in values.to_pylist()]
            values = arrow.array(texts, arrow.string())
        about = {key: text for key, text in definitions.get(name, {}).items() if text}
        fields.append(arrow.field(name, schema[name], metadata=about))
        arrays.append(values)
    described = {name: definitions[name] for name in columns if name in definitions}
    metadata = {
        "cellstack_version": __version__,
        "columns": json.dumps(described),
        "PANDAS_ATTRS": json.dumps({"columns": described}),  # DataFrame.attrs
    }
    return arrow.Table.from_arrays(arrays, schema=arrow.schema(fields, metadata=metadata))


def write_parquet(table: Any, path: Path) -> None:
    """Write a table as Parquet.

    Parameters
    ----------
    table : pyarrow.Table
    path : pathlib.Path
        A temporary file.
    """
    load_arrow("pyarrow.parquet", path).write_table(table, path, compression="zstd")


def load_arrow(module: str, path: Path) -> Any:
    """Import a module of pyarrow, which is optional."""
    return optional.load(
        module, "pyarrow", str(path), "Parquet tables", verb="written", requirements="export"
    )
