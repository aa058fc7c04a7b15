"""One row for a stack and a kind of object: what was found, what was measured, and what to look at."""

from collections import Counter

import numpy as np

from cellstack.columns import PERCENTILES
from cellstack.reasons import FLAGS, KEPT, REASONS

TOTALLED = ("volume_um3", "surface_area_um2", "sum_intensity_")
NOT_SUMMARIZED = ("stack", "object", "label", "split_label", "flags", "centroid_", "bbox_", "touches_", "direction_", "nucleus_split_label")
OFF_BY = 0.3
EXPECTED = ("given", "estimated")
NO_OBJECTS = "no objects"
OTHER_SIZE = f"median diameter differs from diameter_um by more than {OFF_BY:.0%}".replace("%", " %")


def summarize_stack(columns, reasons, diameter_um, diameter_source="given"):
    """Count the objects of a stack and describe the distribution of each measurement.

    Parameters
    ----------
    columns : dict of str to (n,) sequence of str
        The table of objects by column, cells as text; an empty cell is a missing value.
    reasons : sequence of str
        For each object found, ``"kept"`` or why it was dropped, see :mod:`cellstack.reasons`.
    diameter_um : float
        The diameter by which the stages went.
    diameter_source : str
        Where it comes from: "given", "estimated", "from nuclei" or "stand-in"; by the last two no size is expected.

    Returns
    -------
    dict of str to object
        status, counts, the diameter and its source, counts of flags, totals, then mean, standard deviation (divided by n - 1), median,
        percentiles, lowest and highest of each measurement, then flags. None stands for what too few objects do not give. Labels, positions
        and directions are not summarized.
    """
    count = len(columns["label"])
    dropped = dict.fromkeys(REASONS, 0) | Counter(reason for reason in reasons if reason != KEPT)
    summary = {"status": "ok" if count else NO_OBJECTS, "count_found": len(reasons), "count_measured": count}
    summary |= {"diameter_um": diameter_um, "diameter_source": diameter_source}
    summary |= {f"count_dropped_{reason.replace(' ', '_')}": number for reason, number in dropped.items()}
    flags = [cell.split(";") for cell in columns["flags"] if cell]
    summary["count_flagged"] = len(flags)
    for kind, start in FLAGS.items():
        summary[f"count_flagged_{kind}"] = sum(any(flag.startswith(start) for flag in each) for each in flags)
    values = {
        name: np.array([float(cell) for cell in cells if cell]) for name, cells in columns.items() if not name.startswith(NOT_SUMMARIZED)
    }
    summary |= {f"total_{name}": float(sample.sum()) for name, sample in values.items() if name.startswith(TOTALLED)}
    for name, sample in values.items():
        median, *percentiles = np.percentile(sample, (50, *PERCENTILES)).tolist() if len(sample) else [None] * (1 + len(PERCENTILES))
        summary |= {
            f"mean_{name}": float(sample.mean()) if len(sample) else None,
            f"sd_{name}": float(sample.std(ddof=1)) if len(sample) > 1 else None,
            f"median_{name}": median,
            **{f"p{percent}_{name}": value for percent, value in zip(PERCENTILES, percentiles, strict=True)},
            f"min_{name}": float(sample.min()) if len(sample) else None,
            f"max_{name}": float(sample.max()) if len(sample) else None,
        }
    expected = diameter_um if diameter_source in EXPECTED else None
    return summary | {"flags": ";".join(_flags(values["equivalent_diameter_um"], expected))}


def _flags(diameters, expected):
    if len(diameters) == 0:
        return [NO_OBJECTS]
    if expected is None:
        return []
    return [OTHER_SIZE] if abs(np.median(diameters) / expected - 1) > OFF_BY else []
