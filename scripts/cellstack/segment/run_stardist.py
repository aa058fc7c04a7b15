"""Segment a stack with StarDist. It is run by a Python that has StarDist, and imports no cellstack.

python run_stardist.py --image raw.tif --output labels.tif --model MODEL --threads 4
"""

import argparse
import os
import sys


def main() -> None:
    """Parse the command line, predict, and write the labels."""
    parser = argparse.ArgumentParser(description="Segment a stack with StarDist.")
    for name in ("image", "output", "model", "threads"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    try:
        import numpy as np
        import tensorflow as tf
        import tifffile
        from csbdeep.utils import normalize
        from stardist.models import StarDist2D, StarDist3D
    except ImportError as error:
        sys.exit(
            f"StarDist cannot be imported by {sys.executable} ({error}): give the Python of an "
            "environment that has it, as run_segmenter.stardist.python"
        )
    tf.config.threading.set_intra_op_parallelism_threads(int(given.threads))
    tf.config.threading.set_inter_op_parallelism_threads(1)
    stack = tifffile.imread(given.image)
    kind = StarDist3D if stack.ndim == 3 else StarDist2D
    if os.path.isdir(given.model):  # noqa: PTH112 (no Path here)
        folder, name = os.path.split(os.path.abspath(given.model))  # noqa: PTH100
        model = kind(None, name=name, basedir=folder)
    else:
        model = kind.from_pretrained(given.model)
    if model is None:
        sys.exit(
            f"run_segmenter.stardist.model: {given.model!r} is neither the folder of a model nor a "
            f"pretrained {kind.__name__}, which the lines above list: correct it"
        )
    image = normalize(stack.astype(np.float32), 1, 99.8)
    labels = model.predict_instances(image, n_tiles=model._guess_n_tiles(image))[0]
    labels = np.asarray(labels, np.uint32).reshape(stack.shape)
    tifffile.imwrite(given.output, labels, photometric="minisblack")
    print(f"{labels.max()} objects")


if __name__ == "__main__":
    main()
