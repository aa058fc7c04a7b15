"""Write the page that shows all comparisons of a stack."""

from pathlib import Path

from cellstack import job, whole_files
from cellstack.write_gallery import write_gallery


def main(*, sections: list[Path], view: Path, page: Path, stack: str, note: str, diameter_um: float, preset: str):
    """Read the `sections`, each with the name of its file, and the `view`; write the `page` of the stack as HTML."""
    parts = {path.stem: whole_files.read_json(path) for path in sections}
    text = write_gallery(parts, whole_files.read_json(view), stack=stack, note=note, diameter_um=diameter_um, preset=preset)
    with whole_files.whole_file(page) as partial:
        partial.write_text(text, encoding="utf-8")


job.run(main)
