"""Take a picture of ImageJ in which a nucleus of the demo is measured, for docs/start/diameter.md.

python docs/photograph_imagej.py

The demo must have run. Needs ImageJ, Xvfb and ImageMagick, on Debian:
apt-get install imagej xvfb imagemagick
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from cellstack.files.stacks import read_stack  # noqa: E402

FOLDER = ROOT / "results" / "simulated-ratio4"
PICTURE = ROOT / "docs" / "pictures" / "diameter_imagej.png"
SCREEN = (1270, 710)
MIN_EDGE_DISTANCE_UM = 12  # of the nucleus, so that the profile fits into the stack
BESIDE = 20  # pixels of the profile on each side of the nucleus
SECONDS = 120  # at most, until all windows are drawn
# the tool of a straight line is number 4; ImageJ has its own main window at the top
MACRO = """
open("{raw}");
setSlice({plane});
run("Enhance Contrast", "saturated=0.35");
run("Set... ", "zoom=200 x={x} y={y}");
setLocation(10, 100);
setTool(4);
run("Set Measurements...", "mean redirect=None decimal=2");
makeLine({left} - {beside}, {y}, {right} + {beside}, {y});
run("Plot Profile");
setLocation(550, 100);
selectWindow("raw.tif");
makeLine({left}, {y}, {right}, {y});
run("Measure");
Table.setLocationAndSize(550, 570, 500, 120, "Results");
File.saveString("drawn", "{done}");
"""


def find_nucleus() -> tuple[int, int, int, int]:
    """Return plane and row through the middle of a round nucleus, and its first and last column.

    The last column is the first one after the nucleus.
    """
    labels = np.asarray(read_stack(FOLDER / "nuclei" / "labels.ome.tif")[0])
    table = pd.read_csv(FOLDER / "nuclei" / "objects.csv")
    inside = table["flags"].isna() & (table["edge_distance_um"] > MIN_EDGE_DISTANCE_UM)
    chosen = table[inside].sort_values("sphericity").iloc[-1]
    z, y, _ = np.argwhere(labels == chosen["label"]).mean(axis=0).round().astype(int)
    columns = np.flatnonzero(labels[z, y] == chosen["label"])
    return int(z), int(y), int(columns[0]), int(columns[-1]) + 1


def write_macro(folder: Path) -> Path:
    """Write the macro that measures a nucleus, and return its path."""
    z, y, left, right = find_nucleus()
    macro = folder / "measure.ijm"
    text = MACRO.format(
        raw=FOLDER / "channels" / "nuclei" / "raw.tif",
        done=folder / "done",
        plane=z + 1,
        x=(left + right) // 2,
        y=y,
        left=left,
        right=right,
        beside=BESIDE,
    )
    macro.write_text(text, encoding="utf-8")
    return macro


def main() -> None:
    """Start a screen and ImageJ, take the picture, and end both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        macro = write_macro(folder)
        size = f"{SCREEN[0]}x{SCREEN[1]}x24"
        command = ["xvfb-run", "--auto-servernum", f"--server-args=-screen 0 {size}", "bash", "-c"]
        shot = folder / "screen.png"
        # the picture is taken a moment after the macro has ended
        script = (
            f"imagej -m {macro} & for _ in $(seq {SECONDS}); do sleep 1; "
            f"[ -e {folder}/done ] && break; done; sleep 8; import -window root {shot}; kill %1"
        )
        start = time.monotonic()
        subprocess.run([*command, script], stdout=subprocess.DEVNULL, check=False)
        if not shot.exists():
            sys.exit(f"no picture after {time.monotonic() - start:.0f} s")
        image = Image.open(shot).convert("RGB").quantize(64, dither=Image.Dither.NONE)
        image.save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
