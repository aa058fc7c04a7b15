"""Segment a stack with cellpose. It is run by a Python that has cellpose, and imports no cellstack.

python run_cellpose.py --image raw.tif --output labels.tif --spacing 0.5,0.2,0.2 --diameter 8 \
    --model MODEL --threads 4
"""

import argparse
import os
import sys


def main() -> None:
    """Parse the command line, predict, and write the labels."""
    parser = argparse.ArgumentParser(description="Segment a stack with cellpose.")
    for name in ("image", "output", "spacing", "diameter", "model", "threads"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    try:
        import numpy as np
        import tifffile
        import torch
        from cellpose import core, models
    except ImportError as error:
        sys.exit(
            f"cellpose cannot be imported by {sys.executable} ({error}): give the Python of an "
            "environment that has it, as run_segmenter.cellpose.python"
        )
    # cellpose replaces a model that it does not know by its default model
    known = [*models.MODEL_NAMES, *models.get_user_models()]
    if not os.path.isfile(given.model) and given.model not in known:  # noqa: PTH113 (no Path here)
        sys.exit(
            f"run_segmenter.cellpose.model: {given.model!r} is neither a file nor one of "
            f"{', '.join(known)}: correct it"
        )
    z_um, y_um, x_um = map(float, given.spacing.split(","))
    torch.set_num_threads(int(given.threads))
    stack = tifffile.imread(given.image)
    is_3d = stack.ndim == 3
    pixel_um = (y_um * x_um) ** 0.5
    model = models.CellposeModel(gpu=core.use_gpu(), pretrained_model=given.model)
    options = {"do_3D": True, "z_axis": 0, "anisotropy": z_um / pixel_um} if is_3d else {}
    masks = model.eval(stack, diameter=float(given.diameter) / pixel_um, **options)[0]
    labels = np.asarray(masks, np.uint32).reshape(stack.shape)
    tifffile.imwrite(given.output, labels, photometric="minisblack")
    print(f"{labels.max()} objects")


if __name__ == "__main__":
    main()
