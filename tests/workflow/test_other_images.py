"""Time points and scenes of the file of a microscope, and remote images, in a run."""

import csv

import numpy as np
import pytest
import zarr
from microscopes import SPACING, write_czi, write_oif, write_ome_set
from reading import pattern
from study import Study, jobs
from zarr_server import serve

from cellstack.files.records import read_json
from cellstack.files.stacks import read_stack

SERIES = pattern((2, 2, 5, 20, 31))


def raw(study, stack):
    return study.result(stack, "channels", "nuclei", "raw.tif")


@pytest.mark.slow
def test_time_points_scenes_and_remote_images_are_stacks(tmp_path):
    write_czi(tmp_path / "a.czi", SERIES, scenes=2)
    group = zarr.create_group(tmp_path / "web" / "a.zarr")
    group.create_array("0", data=SERIES[0], chunks=(1, 2, 20, 31))
    image = {"axes": [{"name": axis} for axis in "czyx"], "datasets": [{"path": "0"}]}
    group.attrs["ome"] = {"version": "0.5", "multiscales": [image]}
    study = Study(tmp_path)
    for scene in range(2):
        for time in range(2):
            cells = {"image": "a.czi", "scene": scene, "time": time, "channel_index": 1}
            study.add(f"s{scene}t{time}", **cells)
    with serve(tmp_path / "web") as server:
        sizes = {f"{axis}_um": size for axis, size in SPACING.items()}
        study.add("remote", image=f"{server.address}/a.zarr", channel_index=1, **sizes)
        targets = [raw(study, row["stack"]).relative_to(tmp_path) for row in study.rows]
        assert study.run("--dry-run", *targets).returncode == 0
        assert server.requests == []  # nothing is downloaded when the workflow is parsed
        process = study.run(*targets)
        assert process.returncode == 0, process.stderr
        assert jobs(process)["import_stack"] == 5
        server.requests.clear()
        assert jobs(study.run(*targets)) == {}
        assert server.requests == []
    for scene in range(2):
        for time in range(2):
            stack, spacing = read_stack(raw(study, f"s{scene}t{time}"))
            np.testing.assert_array_equal(stack, SERIES[time, 1] + scene)
            assert spacing == pytest.approx(tuple(SPACING.values()))
            record = read_json(raw(study, f"s{scene}t{time}").with_name("import.json"))
            assert (record["scene"], record["time"]) == (str(scene), time)
    np.testing.assert_array_equal(read_stack(raw(study, "remote"))[0], SERIES[0, 1])


@pytest.mark.slow
def test_files_of_real_microscopes_up_to_the_table_of_objects(data, tmp_path):
    formats = data / "formats"
    sweep = "LeicaLASX_wavelength-sweep_example.lif"
    study = Study(tmp_path)
    study.add(
        "czi",
        image=formats / "CellDivision_T3_Z6_CH1_X300_Y200_DCV_ZSTD.czi",
        time=2,
        diameter_um=5,
    )
    study.add(
        "lif", image=formats / sweep, scene=2, time=1, channel_index="580 nm", diameter_um=1.5
    )
    study.add("nd2", image=formats / "cluster.nd2", time=2, channel_index=0, diameter_um=2)
    study.add("tiles", image=formats / "tiles_z.czi", channel_index=0, diameter_um=10)
    study.add("series", image=formats / "cluster.nd2", channel_index=0, diameter_um=2)
    study.add("size", image=formats / "DAPI_GFP.czi", channel_index=0, diameter_um=10)
    tables = ("results/objects.csv", "results/stacks.csv")  # without figures
    process = study.run("--keep-going", *tables, cores=2)
    assert process.returncode != 0
    for reason in (
        "tiles_z.czi: contains 4 tiles that overlap and are not fused",
        "cluster.nd2: contains 3 time points, 0 to 2: fill in time in the sheet",
        "DAPI_GFP.czi: the voxel size is not known along y, x (the file gives none): fill in y_um",
    ):
        assert reason in process.stderr
    process = study.run(*tables, "--config", "skip_incomplete_stacks=true", cores=2)
    assert process.returncode == 0, process.stderr
    with study.result("objects.csv").open(newline="") as file:
        measured = {row["stack"] for row in csv.DictReader(file)}
    assert measured == {"czi", "lif", "nd2"}
    with study.result("stacks.csv").open(newline="") as file:
        status = {row["stack"]: row["status"] for row in csv.DictReader(file)}
    assert {stack for stack, each in status.items() if each == "failed"} == {
        "tiles",
        "series",
        "size",
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*closed file")
def test_a_change_of_another_file_of_a_set_repeats_the_import(tmp_path):
    stack = SERIES[0, 0]
    write_ome_set(tmp_path, stack, SPACING)
    write_oif(tmp_path / "b.oif", SERIES[:1, :1])
    study = Study(tmp_path)
    study.add("set", image="a_z0.ome.tif")
    study.add("oif", image="b.oif")
    targets = [raw(study, name).relative_to(tmp_path) for name in ("set", "oif")]
    process = study.run(*targets)
    assert process.returncode == 0, process.stderr
    assert jobs(study.run(*targets)) == {}

    write_ome_set(tmp_path, stack, SPACING | {"z": 7.0})
    assert jobs(study.run(*targets)) == {"import_stack": 1}
    assert read_stack(raw(study, "set"))[1] == (7.0, 0.5, 0.25)
    assert jobs(study.run(*targets)) == {}

    for name, plane in (
        ("a_z3.ome.tif", tmp_path / "a_z3.ome.tif"),
        ("oif", tmp_path / "b.oif.files" / "s_C001Z003T001.tif"),
    ):
        content = plane.read_bytes()
        pixels = (stack[3] if name != "oif" else stack[2]).tobytes()
        assert pixels in content
        plane.write_bytes(content.replace(pixels, bytes(len(pixels))))
        assert jobs(study.run(*targets)) == {"import_stack": 1}
    assert not read_stack(raw(study, "set"))[0][3].any()
    assert not read_stack(raw(study, "oif"))[0][2].any()
