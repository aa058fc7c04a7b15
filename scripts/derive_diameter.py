"""Derive the diameter of the cells of a stack from the estimated one of their nuclei."""

from pathlib import Path

from cellstack import job, sizes, whole_files


def main(*, nuclei: Path, record: Path, factor: float):
    """Write `factor` times the diameter of the `nuclei` as that of the cells."""
    found = sizes.read_diameter(nuclei)
    source = "from nuclei" if found["source"] == "estimated" else found["source"]
    whole_files.write_json(record, {"diameter_um": float(f"{factor * found['diameter_um']:.6g}"), "source": source, "factor": factor})


job.run(main)
