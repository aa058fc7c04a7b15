"""Numbers and intensities of the spots in each object."""

from collections.abc import Iterable, Mapping, Sequence

from cellstack.config.columns import CYTOPLASM, NUCLEUS

LABEL_COLUMNS = {"nuclei": "nucleus_segmentation_label", "cells": "cell_segmentation_label"}


def count_spots(
    spots: Iterable[Mapping[str, str]],
    channel: str,
    segmentation_labels: Sequence[int],
    *,
    kind: str,
    by_region: bool,
) -> list[dict[str, float | None]]:
    """Count the spots of one channel in each object.

    Parameters
    ----------
    spots : iterable of dict of str to str
        The rows of spots.csv of one stack and channel, see
        :data:`cellstack.config.columns.SPOT_COLUMNS`.
    channel : str
        Name of the channel in the keys.
    segmentation_labels : (n,) sequence of int
        The label of each object in segmentation.tif.
    kind : {"nuclei", "cells"}
    by_region : bool
        Whether spots are also counted in nucleus and cytoplasm.

    Returns
    -------
    list of dict
        One for each object, in order; :mod:`cellstack.config.object_columns` defines the keys.

    Examples
    --------
    >>> spot = {"cell_segmentation_label": "7", "intensity": "20", "region": "nucleus"}
    >>> count_spots([spot], "FISH", [7], kind="cells", by_region=False)
    [{'count_spots_FISH': 1, 'mean_spot_intensity_FISH': 20.0}]
    """
    intensities: dict[int, list[float]] = {}
    regions: dict[int, list[str]] = {}
    for spot in spots:
        label = int(spot[LABEL_COLUMNS[kind]] or 0)
        intensities.setdefault(label, []).append(float(spot["intensity"]))
        regions.setdefault(label, []).append(spot["region"])
    rows = []
    for label in segmentation_labels:
        found = intensities.get(label, [])
        row: dict[str, float | None] = {
            f"count_spots_{channel}": len(found),
            f"mean_spot_intensity_{channel}": sum(found) / len(found) if found else None,
        }
        if by_region:
            for region in (NUCLEUS, CYTOPLASM):
                count = regions.get(label, []).count(region)
                row[f"count_spots_{region}_{channel}"] = count
        rows.append(row)
    return rows
