"""Set up a study for the images in a folder.

    python scripts/init_study.py IMAGES STUDY --diameter 10

The study is then run with `cd STUDY && snakemake --cores all`.
"""

import argparse
import math
import sys
from pathlib import Path

try:
    from cellstack.errors import InputError
    from cellstack.init.describe import describe
    from cellstack.init.init_study import init_study
    from cellstack.init.stacks import Options
except ModuleNotFoundError as error:
    folder = Path(__file__).resolve().parent.parent
    sys.exit(
        f"{error.name} is not installed in {sys.executable}: activate the environment of cellstack "
        f"with `source {folder}/.venv/bin/activate`; if there is none, run `make run` in {folder} "
        "first"
    )


def main() -> None:
    """Parse the command line, set up the study, and print what was found."""
    parser = argparse.ArgumentParser(
        description="Set up a study: a sheet with all stacks in a folder of images, a "
        "configuration, a Snakefile and a profile. Existing files are kept; if the sheet exists, "
        "rows for new images are added."
    )
    parser.add_argument(
        "images", type=Path, help="folder of images; its subfolders are searched too"
    )
    parser.add_argument("study", type=Path, help="folder of the study, created if necessary")
    parser.add_argument(
        "--diameter",
        type=_diameter,
        metavar="UM",
        help="typical diameter of a nucleus in um, or auto to estimate it for each stack",
    )
    parser.add_argument(
        "--cell-diameter",
        type=_length,
        metavar="UM",
        help="diameter of a cell in um, for stacks with membranes and without nuclei",
    )
    parser.add_argument(
        "--voxel-size",
        type=_length,
        nargs=3,
        metavar=("Z", "Y", "X"),
        help="voxel size in um, for images that do not contain it",
    )
    parser.add_argument("--nuclei", metavar="CHANNEL", help="name or number of the nuclei channel")
    parser.add_argument("--membrane", metavar="CHANNEL", help="the same for the membrane")
    parser.add_argument("--dry-run", action="store_true", help="show what is found, write nothing")
    given = parser.parse_args()
    options = Options(
        given.nuclei, given.membrane, given.diameter, given.cell_diameter, given.voxel_size
    )
    workflow = Path(__file__).resolve().parents[1]
    try:
        outcome = init_study(
            given.images,
            given.study,
            workflow,
            options,
            dry_run=given.dry_run,
            report=lambda line: print(line, file=sys.stderr, flush=True),
        )
    except InputError as error:
        sys.exit(f"init_study: {error}")
    print("\n".join(describe(outcome, given.study, options, dry_run=given.dry_run)))


def _length(text: str) -> float:
    """Return an option that is a length in um."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0: give a length in um")
    return value


def _diameter(text: str) -> float | str:
    """Return an option that is a length in um, or auto."""
    return text if text == "auto" else _length(text)


if __name__ == "__main__":
    main()
