"""Voronoi-Otsu labelling by pyclesperanto itself, on the first device of OpenCL.

python benchmarks/peers/pyclesperanto_voronoi_otsu.py IMAGE.tif OUTDIR SPOT_SIGMA

It writes segmented.tif and measures nothing. bench.py runs it in a separate environment.
"""

import sys
from pathlib import Path

import numpy as np
import pyclesperanto as cle
import tifffile


def main() -> None:
    """Segment a stack."""
    if not hasattr(cle, "push"):
        sys.exit("pyclesperanto found no OpenCL driver: install one, such as pocl-opencl-icd")
    image, outdir, spot_sigma = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
    stack = cle.push(tifffile.imread(image).astype(np.float32))
    labels = cle.pull(cle.voronoi_otsu_labeling(stack, spot_sigma=spot_sigma, outline_sigma=1))
    outdir.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(outdir / "segmented.tif", labels.astype(np.uint16))


if __name__ == "__main__":
    main()
