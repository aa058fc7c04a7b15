"""Take pictures of napari with a stack of the demo: as it opens, and with a measured diameter.

python docs/photograph_napari.py

The demo must have run. The pictures are those of docs/corrections.md and docs/start/diameter.md.
Needs napari, installed by `make view`, or in a separate environment:
python3 -m venv napari
napari/bin/python -m pip install -r envs/requirements/run.txt -r envs/requirements/view.txt
napari/bin/python docs/photograph_napari.py

Also needs Xvfb with software OpenGL and the libraries of Qt, on Debian:
apt-get install xvfb xauth libegl1 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0
libxcb-xkb1 libxkbcommon-x11-0
"""

import os
import re
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from photograph_imagej import FOLDER, ROOT, find_nucleus
from PIL import Image

PICTURES = ROOT / "docs" / "pictures"
SCREEN = (1270, 800)
ON_SCREEN = "--on-screen"  # argument of the process that runs in Xvfb
SECONDS = 3  # until everything is drawn


def main() -> None:
    """Open the viewer in Xvfb, and take the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"NAPARI_CONFIG": f"{folder}/settings.yaml"}
        command = ["xvfb-run", "--auto-servernum", f"--server-args=-screen 0 {_size()}"]
        command += [sys.executable, __file__, ON_SCREEN]
        subprocess.run(command, cwd=ROOT, env=environment, check=True)


def _size() -> str:
    return f"{SCREEN[0]}x{SCREEN[1]}x24"


def open_viewer() -> None:
    """Run scripts/view.py, with a user who takes pictures."""
    import napari

    napari.run = photograph
    sys.path.insert(0, str(ROOT / "scripts"))
    sys.argv = ["view.py", str(FOLDER.relative_to(ROOT))]
    runpy.run_path(str(ROOT / "scripts" / "view.py"), run_name="__main__")


def photograph() -> None:
    """Point at a flagged nucleus, then measure the diameter of another one."""
    import napari

    viewer = napari.current_viewer()
    viewer.window._qt_window.setGeometry(0, 0, *SCREEN)
    _wait()
    point_at_flag(viewer)
    _save("viewer.png")
    measure_diameter(viewer)
    _save("diameter_napari.png")
    viewer.close()


def point_at_flag(viewer: Any) -> None:
    """Move to the plane of a flagged nucleus, and the mouse to its centre."""
    from qtpy.QtCore import QPoint
    from qtpy.QtGui import QCursor

    table = pd.read_csv(FOLDER / "nuclei" / "objects.csv")
    flagged = table[table["flags"].notna()].iloc[0]
    z, y, x = (flagged[f"centroid_{axis}_um"] for axis in "zyx")
    viewer.dims.set_point(0, z)
    viewer.layers.selection.active = viewer.layers["nuclei segmentation"]
    _wait()
    canvas, camera = viewer.window._qt_viewer.canvas.native, viewer.scene.camera
    right = canvas.width() / 2 + (x - camera.center[2]) * camera.zoom
    down = canvas.height() / 2 + (y - camera.center[1]) * camera.zoom
    QCursor.setPos(canvas.mapToGlobal(QPoint(round(right), round(down))))
    _wait()


def measure_diameter(viewer: Any) -> None:
    """Draw a line across a nucleus, and run the code of docs/start/diameter.md in the console."""
    z, y, first, stop = find_nucleus()
    scale = viewer.layers["nuclei"].scale
    for layer in viewer.layers:
        layer.visible = layer.name == "nuclei"
    window = viewer.window._qt_viewer
    window.layerButtons.newShapesButton.click()
    lines = viewer.layers.selection.active
    lines.current_edge_color = "yellow"
    lines.mode = "add_line"
    lines.add_lines(np.array([[z, y, first - 0.5], [z, y, stop - 0.5]]))  # outer edges of voxels
    lines.selected_data = set()
    viewer.dims.set_point(0, z * scale[0])
    window.toggle_console_visibility()
    _wait()
    viewer.scene.camera.center = (0, y * scale[1], (first + stop) / 2 * scale[2])
    viewer.scene.camera.zoom = 18
    page = (ROOT / "docs" / "start" / "diameter.md").read_text(encoding="utf-8")
    window.console.clear()
    code = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[0]
    window.console.execute(code.rstrip())
    _wait()


def _wait() -> None:
    from qtpy.QtTest import QTest

    QTest.qWait(1000 * SECONDS)


def _save(name: str) -> None:
    """Save a picture of the screen."""
    from qtpy.QtWidgets import QApplication

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        QApplication.primaryScreen().grabWindow(0).save(str(file))
        image = Image.open(file).convert("RGB").quantize(256, dither=Image.Dither.NONE)
        image.save(PICTURES / name, optimize=True)


if __name__ == "__main__":
    open_viewer() if ON_SCREEN in sys.argv else main()
