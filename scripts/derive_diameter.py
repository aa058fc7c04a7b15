"""Derive the diameter of the cells in a stack from the estimated diameter of their nuclei."""

from pathlib import Path

from cellstack.config import lengths
from cellstack.files.records import write_json
from cellstack.run import job


def main(*, nuclei: Path, record: Path, factor: float) -> None:
    """Write `factor` times the diameter in `nuclei` as the diameter of the cells."""
    found = lengths.read_diameter(nuclei)
    source = "from nuclei" if found["source"] == "estimated" else found["source"]
    diameter_um = float(f"{factor * found['diameter_um']:.6g}")
    write_json(record, {"diameter_um": diameter_um, "source": source, "factor": factor})


job.run(main)
