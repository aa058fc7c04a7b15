"""The targets figures and meshes on a stack with two channels."""

import csv

import numpy as np
import pytest
import trimesh
from PIL import Image
from study import Study, jobs, write_pair

MADE = {
    "composite.png",
    "composite.pdf",
    "nuclei_channels.png",
    "nuclei_channels.pdf",
    "nuclei_surfaces.png",
    "nuclei_surfaces.pdf",
    "nuclei_segmentation.pdf",
}
MAKERS = {"plot_composite", "plot_channels", "plot_surfaces", "plot_segmentation_pdf"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    study = Study(tmp_path_factory.mktemp("figures"))
    write_pair(study.folder, "colony", shape=(10, 64, 64), count=3)
    study.add("colony", image="colony-nuclei.tif", labels="colony-truth.tif")
    study.add("colony", "membrane", image="colony-membrane.tif")
    study.config["objects"] = ["nuclei"]
    process = study.run("figures", "meshes")
    assert process.returncode == 0, process.stderr[-4000:]
    assert jobs(process).keys() >= {*MAKERS, "write_meshes"}
    return study


def test_figures_of_all_channels(study):
    figures = {path.name: path for path in study.result("colony", "figures").iterdir()}
    assert figures.keys() == MADE
    for name, path in figures.items():
        if name.endswith(".png"):
            assert Image.open(path).width >= 1000, name
        else:
            assert path.read_bytes().startswith(b"%PDF"), name


def test_meshes_have_the_measured_volumes_and_places(study):
    scene = trimesh.load(study.result("colony", "nuclei", "meshes.glb"))
    with study.result("colony", "nuclei", "objects.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(scene.geometry) == len(rows) > 0
    for row in rows:
        mesh = scene.geometry[f"nuclei-{row['label']}"]
        assert mesh.is_watertight
        assert mesh.volume == pytest.approx(float(row["volume_um3"]), rel=1e-4)
        centre = [float(row[f"centroid_{axis}_um"]) for axis in "xyz"]
        np.testing.assert_allclose(mesh.center_mass, centre, atol=0.3)


def test_a_second_run_has_nothing_to_do(study):
    assert jobs(study.run("figures", "meshes")) == {}
