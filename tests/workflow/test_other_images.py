"""Time points and scenes of the file of a microscope, and remote images, in a run."""

import numpy as np
import pytest
import zarr
from microscopes import SPACING, write_czi
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
