"""Look at the results of a stack in napari, and correct its objects.

    python scripts/view.py results/mouse1

Run it in the folder of the study. Corrections are added to the table that the configuration names.
"""

import argparse
import sys
from pathlib import Path

from cellstack.errors import InputError
from cellstack.view.editor import open_editor, read_settings
from cellstack.view.layers import KINDS, stack_layers
from cellstack.view.panel import Panel, add_layers

TABLE = "corrections.csv"
NO_NAPARI = (
    "napari is not installed: install it with `make view`, or with "
    "`python -m pip install -r envs/requirements/view.txt` in the folder of cellstack"
)


def main() -> None:
    """Parse the command line, and open the viewer."""
    parser = argparse.ArgumentParser(
        description="Look at the results of a stack in napari, and correct its objects."
    )
    parser.add_argument(
        "stack", type=Path, help="folder of the stack in the results, such as results/mouse1"
    )
    parser.add_argument(
        "--corrections",
        type=Path,
        metavar="TABLE",
        help=f"table of corrections (default: that of the configuration, or {TABLE})",
    )
    given = parser.parse_args()
    try:
        layers = stack_layers(given.stack)
        named = read_settings(given.stack.parent).get("corrections")
        table = given.corrections or Path(named or TABLE)
        kinds = [kind for kind in KINDS if (given.stack / kind / "segmentation.tif").exists()]
        editors = {kind: open_editor(given.stack, kind, table) for kind in kinds}
    except InputError as error:
        sys.exit(f"view: {error}")
    try:
        import napari
        import qtpy  # noqa: F401 (napari alone has no window)
    except ImportError as error:
        sys.exit(f"view: {NO_NAPARI} ({error})")
    viewer = napari.Viewer(title=str(given.stack))
    add_layers(viewer, layers)
    if editors:
        panel = Panel(viewer, editors)
        viewer.window.add_dock_widget(panel.widget, name="corrections")
    if named is None:
        print(f"view: to apply corrections, add `corrections: {table}` to the configuration")
    napari.run()


if __name__ == "__main__":
    main()
