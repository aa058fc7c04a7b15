"""The table selection.csv, which relates labels.ome.tif to segmentation.tif."""

from pathlib import Path

from cellstack.files.tables import read_rows


def read_segmentation_labels(selection: str | Path) -> dict[int, int]:
    """Read the label in segmentation.tif of each selected object.

    Parameters
    ----------
    selection : path-like
        Table written by `select_objects`.

    Returns
    -------
    dict of int to int
        Labels in segmentation.tif by label in labels.ome.tif.
    """
    return {
        int(row["label"]): int(row["segmentation_label"])
        for row in read_rows(selection)
        if row["label"] not in ("", "0")
    }
