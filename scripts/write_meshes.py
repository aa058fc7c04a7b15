"""Write the surfaces of all measured objects as meshes."""

from pathlib import Path

from cellstack.figures.objects import read_numbers
from cellstack.figures.write_meshes import make_meshes
from cellstack.files.meshes import write_glb, write_ply
from cellstack.files.stacks import open_stack
from cellstack.run import job


def main(
    *, segmentation: Path, objects: Path, meshes: Path, ply: Path, object: str, title: str
) -> None:
    """Read the `segmentation` and the table `objects` of a kind of `object`.

    Write the `meshes` of the measured objects as glTF, and the same ones as PLY (`ply`).
    """
    labels, spacing = open_stack(segmentation)
    made = make_meshes(labels, spacing, read_numbers(objects))
    write_glb(meshes, made, object, title)
    write_ply(ply, made)


job.run(main)
