"""The value of each param of each job, read from the configuration and the sheet written here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from study import ROOT, Study, environment
from test_rules import BLOCKS

from cellstack import __version__
from cellstack.run.job import RERUN_PARAMS

LIST_JOBS = """
import json, sys
from pathlib import Path
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, ResourceSettings
from snakemake.settings.types import Quietness

snakefile, targets = sys.argv[1], sys.argv[2:]
with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
    workflow = api.workflow(
        resource_settings=ResourceSettings(cores=8),
        config_settings=ConfigSettings(configfiles=[Path("config.yaml")]),
        snakefile=Path(snakefile),
        workdir=Path.cwd(),
    )
    workflow.dag(DAGSettings(targets=set(targets))).execute_workflow(executor="dryrun")
    jobs = [
        {
            "rule": job.rule.name,
            "wildcards": dict(job.wildcards_dict),
            "threads": job.threads,
            "params": dict(job.params.items()),
        }
        for job in workflow._workflow.dag.jobs
    ]
Path("jobs.json").write_text(json.dumps(jobs))
"""
MARK = {"kind": "box", "place_um": [1.7, 2.1, 3.2], "size_um": 4.3, "text": "here", "color": "red"}
ARROW = MARK | {"kind": "arrow"}
STAGES = {  # each number occurs once, so that no param can get the value of another one
    "import_stack": {"downsample": [1, 2, 3]},
    "estimate_diameter": {"min_um": 2.01, "max_um": 30.01},
    "correct_background": {
        "steps": ["gaussian", {"depth_attenuation": {"percentile": 91}}],
        "gaussian": {"sigma_um": 16.02},
        "depth_attenuation": {"max_factor": 7.03},
    },
    "adjust_contrast": {
        "steps": ["percentile_stretch", "gamma"],
        "percentile_stretch": {"low": 0.31, "high": 99.31},
        "gamma": {"gamma": 0.61},
    },
    "denoise": {"method": "median", "median": {"radius_um": 0.42, "slice_by_slice": True}},
    "detect_edges": {"method": "sobel_2d"},
    "binarize": {"method": "otsu", "factor": 0.93},
    "clean_mask": {
        "steps": ["opening", "remove_small_objects"],
        "opening": {"shape": "disc", "radius_um": 0.43},
        "remove_small_objects": {"max_volume_um3": 1.44},
    },
    "label_components": {"connectivity": 18},
    "find_seeds": {
        "smoothing_um": 0.45,
        "z_scale": 0.98,
        "planes": "middle",
        "plane_range_um": 2.45,
        "radius_um": 0.55,
        "method": "h_maxima",
        "h_maxima": {"h_um": 0.46},
    },
    "split_objects": {"method": "edges", "connectivity": 6, "compactness": 0.02},
    "merge_objects": {
        "method": "convexity",
        "convexity": {
            "min_convexity": 0.97,
            "min_neck": 0.91,
            "min_border_intensity_ratio": 0.87,
            "max_volume_um3": 900.1,
            "max_relative_volume": 1.23,
            "small_relative_volume": 0.76,
            "min_local_contrast": 1.31,
        },
    },
    "smooth_outlines": {"method": "smooth", "smooth": {"sigma_um": 0.47, "min_volume_um3": 1.48}},
    "enhance_membrane": {
        "square_root": False,
        "local_factor": 2.59,
        "local_sigma_um": 7.1,
        "smoothing_um": 0.32,
        "method": "ridges_2d",
        "ridges_2d": {"sigma_um": 0.33},
    },
    "find_cell_seeds": {
        "background_radius_um": 11.1,
        "background_radius_beside_nuclei_um": 8.2,
        "min_wall_um3": 1.49,
        "method": "minima",
        "minima": {"min_depth": 0.034, "noise_factor": 2.56},
    },
    "segment_cells": {"wall_weight": 0.21, "distance_weight": 0.16},
    "merge_cells": {
        "min_wall_strength": 0.51,
        "min_contact_fraction": 0.22,
        "min_solidity": 0.71,
        "min_solidity_without_nucleus": 0.82,
        "min_volume_um3": 12.1,
        "min_volume_without_nucleus_um3": 33.1,
    },
    "select_objects": {
        "exclude_touching_faces": ["first_plane", "last_column"],
        "min_volume_um3": 10.1,
        "max_volume_um3": 2000.1,
        "counting_frame": ["first_plane", "first_column"],
        "counting_guard_um": 2.71,
        "renumber": False,
    },
    "segment_tissue": {
        "channel": "nuclei",
        "sigma_um": 3.51,
        "method": "fixed",
        "factor": 1.07,
        "fixed": {"value": 123.1},
        "closing_radius_um": 3.52,
        "max_hole_um3": 1001.1,
        "min_volume_um3": 1002.1,
    },
    "measure_neighbors": {"radius_um": 9.87, "nearest_count": 3},
    "crop_objects": {"format": "files", "margin_um": 0.91},
}
TINY = {
    "shape": [12, 64, 80],
    "spacing": [1.1, 0.51, 0.52],
    "diameter_um": 8.1,
    "nuclei_count": 5,
    "seed": 17,
    "signal_to_noise": 9.1,
    "depth_factor": 2.1,
}
MEASURED = [
    "surface",
    "hull",
    "intensity",
    "neighbors",
    "other_kind",
    "correlation",
    "background",
    "shells",
]
RELATIONS = {
    "background": "local",
    "thresholds": {"dye": 41.2},
    "shells": 4,
    "shell_width_um": 1.27,
}
CLASSES = {
    "nuclei": {"large": "volume_um3 > p91", "round": "sphericity > 0.93"},
    "thresholds": "study",
    "examples": "examples.csv",
    "columns": ["volume_um3", "solidity"],
}
DERIVED = {"measure_unclassified": "measure_objects"}
CHANNELS = ["nuclei", "membrane", "dye"]
CELLS = {  # of each channel, all different
    "nuclei": {
        "channel_index": 5,
        "scene": "left",
        "time": 11,
        "axes": "tzyx",
        "z_um": 1.3,
        "y_um": 0.41,
        "x_um": 0.37,
        "diameter_um": 6.1,
    },
    "membrane": {
        "channel_index": 6,
        "scene": "right",
        "time": 12,
        "axes": "tyx",
        "z_um": 1.4,
        "y_um": 0.42,
        "x_um": 0.38,
        "diameter_um": 9.2,
    },
    "dye": {
        "channel_index": 7,
        "scene": "top",
        "time": 13,
        "axes": "tczyx",
        "z_um": 1.5,
        "y_um": 0.43,
        "x_um": 0.39,
    },
}
SIMULATED = "resources/simulated/tiny/image.ome.tif"
LARGE_SHAPE = [40, 1024, 1024]  # 42 megavoxels: three cores


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """All jobs of a study: by rule and wildcards, their params and threads."""
    study = Study(tmp_path_factory.mktemp("params"))
    for name in (*CHANNELS, "truth", "cells-truth", "labels", "regions"):
        (study.folder / f"{name}.tif").touch()
    truths = {"nuclei": "truth.tif", "membrane": "cells-truth.tif"}
    for channel, cells in CELLS.items():
        more = {"ground_truth": truths[channel]} if channel in truths else {}
        more |= {"regions": "regions.tif"} if channel == "dye" else {}
        # a preset can downsample a channel, so that voxel sizes may differ
        more |= {} if channel == "nuclei" else {"preset": channel}
        study.add(
            "a", channel, image=f"{channel}.tif", condition="control", mouse=17, **cells, **more
        )
    study.add("e", image="nuclei.tif", labels="labels.tif", condition="drug", mouse=18)
    study.add("s", image=SIMULATED, channel_index="nuclei", diameter_um="auto")
    study.add("large", image="resources/simulated/big/image.ome.tif", diameter_um=7.7)
    study.config |= STAGES | {
        "measure_objects": {"columns": MEASURED},
        "diameter_um": {"nuclei": 5.5},
        "presets": {"membrane": {}, "dye": {}},
        "simulate_stack": {"tiny": TINY, "big": {"shape": LARGE_SHAPE}},
        "group_by": "condition",
        "measure_regions": {"names": {7: "cortex"}},
        "compare_groups": {
            "pair_by": "mouse",
            "reference": "drug",
            "columns": ["density_per_mm3", "median_intensity_<channel>"],
            "correction": "holm",
            "confidence": 0.81,
        },
        "corrections": "corrections.csv",
        "measure_relations": RELATIONS,
        "classify_objects": CLASSES,
        "figures": {"color_map": "magma", "marks": "marks.csv"},
        "compare_labels": {"stages": ["smooth_outlines"]},
    }
    (study.folder / "examples.csv").write_text(
        "stack,object,z_um,y_um,x_um,class\na,cells,1.7,2.9,3.1,x\na,cells,4.3,5.9,6.7,y\n"
    )
    (study.folder / "marks.csv").write_text(
        "stack,kind,z_um,y_um,x_um,size_um,text,color\na,box,1.7,2.1,3.2,4.3,here,red\n"
        "s,arrow,1.7,2.1,3.2,4.3,here,red\n"
    )
    (study.folder / "corrections.csv").write_text(
        "stack,object,action,z_um,y_um,x_um,diameter_um\ns,nuclei,add,3.7,11.3,12.7,7.7\n"
    )
    study.write()
    targets = ["all", "crops", "gallery", "evaluate", "figures", "meshes"]
    targets += [f"results/{name}/explore.html" for name in ("a", "e", "s")]
    process = subprocess.run(
        [sys.executable, "-c", LIST_JOBS, ROOT / "Snakefile", *targets],
        cwd=study.folder,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr[-4000:]
    return json.loads((study.folder / "jobs.json").read_text())


def select(jobs, rule, **wildcards):
    """Return the params of the only job with a rule and wildcards, except those of its code."""
    (found,) = [
        job["params"]
        for job in jobs
        if job["rule"] == rule and wildcards.items() <= job["wildcards"].items()
    ]
    return {name: value for name, value in found.items() if name not in RERUN_PARAMS}


def defaults(stage, method):
    """Return the defaults of a method as the schema has them."""
    schema = yaml.safe_load((ROOT / "config/schemas/stages.schema.yaml").read_text())
    part = schema["properties"][stage]["properties"][method]
    if "$ref" in part:
        part = schema["$defs"][part["$ref"].split("/")[-1]]
    return {name: each.get("default") for name, each in part.get("properties", {}).items()}


def expected_of(stage):
    """Return the params that a stage must get from its block above."""
    block = STAGES[stage]
    plain = {
        name: value
        for name, value in block.items()
        if not isinstance(value, dict) and name not in ("method", "steps")
    }
    if "method" in block:
        options = defaults(stage, block["method"]) | block.get(block["method"], {})
        return plain | {"method": block["method"], "options": options}
    if "steps" in block:
        steps = []
        for step in block["steps"]:
            name, here = next(iter(step.items())) if isinstance(step, dict) else (step, {})
            steps.append([name, defaults(stage, name) | block.get(name, {}) | here])
        return plain | {"steps": steps}
    return plain


OF_CHANNELS = ("correct_background", "adjust_contrast")
OF_NUCLEI = (
    "clean_mask",
    "label_components",
    "find_seeds",
    "split_objects",
    "merge_objects",
    "smooth_outlines",
)
OF_CELLS = ("find_cell_seeds", "segment_cells", "merge_cells")


@pytest.mark.parametrize("stage", [*OF_CHANNELS, "denoise", "detect_edges"])
def test_stages_of_a_channel(jobs, stage):
    channels = ("nuclei", "membrane") if stage in OF_CHANNELS else ("nuclei",)
    further = {} if stage == "detect_edges" else {"block": None}
    for channel in channels:
        found = select(jobs, stage, stack="a", channel=channel)
        assert found == expected_of(stage) | further


@pytest.mark.parametrize("stage", OF_NUCLEI)
def test_stages_of_nuclei(jobs, stage):
    further = {"clean_mask": {"block": None}, "find_seeds": {"points": [], "block": None}}
    assert select(jobs, stage, stack="a") == expected_of(stage) | further.get(stage, {})


@pytest.mark.parametrize("stage", OF_CELLS)
def test_stages_of_cells(jobs, stage):
    further = {} if stage == "merge_cells" else {"block": None}
    assert select(jobs, stage, stack="a") == expected_of(stage) | further


def test_stages_that_check_the_diameter(jobs):
    expected = expected_of("binarize") | {"block": None}
    assert select(jobs, "binarize", stack="a") == expected | {"diameter_um": 6.1}
    assert select(jobs, "binarize", stack="s") == expected | {"diameter_um": None}
    expected = expected_of("enhance_membrane")
    assert select(jobs, "enhance_membrane", stack="a") == expected | {"diameter_um": 9.2}


@pytest.mark.parametrize("channel", CHANNELS)
def test_import_of_images(jobs, channel):
    cells = {name: value for name, value in CELLS[channel].items() if name != "diameter_um"}
    assert select(jobs, "import_stack", stack="a", channel=channel) == cells | {
        "downsample": [1, 2, 3],
        "channel": channel,
        "channel_index": str(cells["channel_index"]),
        "image": [f"{channel}.tif"],
        "url": None,
    }


def test_import_of_other_files(jobs):
    simulated = select(jobs, "import_stack", stack="s", channel="nuclei")
    empty = ("z_um", "y_um", "x_um", "image")
    assert [simulated[name] for name in empty] == [None] * 4
    assert simulated["channel_index"] == "nuclei"
    for rule, stack, kind, file in (
        ("import_labels", "e", "nuclei", "labels.tif"),
        ("import_ground_truth", "a", "nuclei", "truth.tif"),
        ("import_ground_truth", "a", "cells", "cells-truth.tif"),
    ):
        found = select(jobs, rule, stack=stack, object=kind)
        assert found == {"downsample": [1, 2, 3], "image": [file]}
    assert select(jobs, "simulate_stack", simulation="tiny") == TINY
    assert select(jobs, "simulate_stack", simulation="big")["shape"] == LARGE_SHAPE
    estimated = select(jobs, "estimate_diameter", stack="s")
    assert (estimated["min_um"], estimated["max_um"]) == (2.01, 30.01)
    assert set(estimated["defaults"]) == {"denoise", "binarize", "find_seeds"}


def test_corrections(jobs):
    found = select(jobs, "correct_objects", stack="s")
    add = {"action": "add", "points": [[3.7, 11.3, 12.7]], "diameter_um": 7.7}
    assert found.pop("corrections") == [add | {"image": None, "image_position_um": None}]
    assert found.pop("options") == {
        "diameter_um": "1 d",
        "level": 0.52,
        "sigma_um": "0.3 d",
        "background_radius_um": "1.5 d",
        "max_radius_um": "1.2 d",
    }
    assert found == {"stack": "s", "object": "nuclei"}
    assert select(jobs, "smooth_uncorrected", stack="s") == expected_of("smooth_outlines")


@pytest.mark.parametrize("kind", ["nuclei", "cells"])
def test_measurements(jobs, kind):
    here = {"stack": "a", "object": kind}
    selection = select(jobs, "select_objects", **here)
    assert {name: selection[name] for name in STAGES["select_objects"]} == STAGES["select_objects"]
    measured = here | {"channels": CHANNELS}
    assert select(jobs, "measure_unclassified", **here) == measured | {"groups": MEASURED}
    conditions = CLASSES.get(kind, {})
    assert select(jobs, "classify_objects", **here) == {"conditions": conditions}
    points = ([1.7, 2.9, 3.1], "x"), ([4.3, 5.9, 6.7], "y")
    examples = {"a": [{"point": point, "name": name} for point, name in points]}
    assert select(jobs, "fit_classes", object=kind) == {
        "conditions": conditions,
        "examples": examples if kind == "cells" else {},
        "columns": CLASSES["columns"],
    }
    relations = select(jobs, "measure_relations", **here)
    parts = ["parts"] if kind == "cells" else []
    assert relations == {
        "channels": CHANNELS,
        "groups": ["correlation", "background", "shells", *parts],
        "options": RELATIONS,
    }
    assert select(jobs, "crop_objects", **here) == measured | STAGES["crop_objects"]
    neighbors = here | {"groups": ["neighbors", "other_kind"]} | STAGES["measure_neighbors"]
    assert select(jobs, "measure_neighbors", **here) == neighbors
    names = {"nuclei": ["large", "round", "other"], "cells": ["x", "y"]}[kind]
    assert select(jobs, "measure_class_distances", **here) == here | {"class_names": names}
    diameter = {"nuclei": 6.1, "cells": 9.2}[kind]
    summary = here | {"diameter_um": diameter, "diameter_source": "given"}
    frame = {"counting_frame": ["first_plane", "first_column"], "counting_guard_um": 2.71}
    assert select(jobs, "summarize_stack", **here) == summary | frame
    regions = here | frame | {"names": {"7": "cortex"}}
    assert select(jobs, "measure_regions", **here) == regions


def test_tissue_and_regions(jobs):
    given = dict(STAGES["segment_tissue"])
    options = given.pop("fixed")
    assert select(jobs, "segment_tissue", stack="a") == given | {"options": options}
    found = select(jobs, "import_regions", stack="a")
    assert found == {"downsample": [1, 2, 3], "image": ["regions.tif"]}
    texts = {"title": "a", "note": "", "names": {"7": "cortex"}}
    texts |= {"marks": [MARK], "color_map": "magma"}
    assert select(jobs, "plot_tissue", stack="a") == texts
    assert select(jobs, "collect_regions").keys() == {"user_columns"}


def test_image_quality(jobs):
    assert select(jobs, "measure_quality", stack="a") == {
        "channels": CHANNELS,
        "spot_channels": [],
    }


def test_measurements_of_cells(jobs):
    assert select(jobs, "measure_contacts", stack="a") == {
        "stack": "a",
        "object": "cells",
        "min_wall_strength": 0.51,
        "min_contact_fraction": 0.22,
    }
    assert select(jobs, "measure_pairs", stack="a") == {"channels": CHANNELS}
    estimated = select(jobs, "summarize_stack", stack="s", object="nuclei")
    assert (estimated["diameter_um"], estimated["diameter_source"]) == ("1 d", None)


def test_tables_scores_and_figures(jobs):
    assert select(jobs, "evaluate_labels", stack="a") == {
        "stack": "a",
        "objects": ["nuclei", "cells"],
        "by_points": [False, False],
        "corrected_objects": [],
    }
    own = select(jobs, "collect_objects")["user_columns"]
    assert own == {
        "a/nuclei": {"condition": "control", "mouse": "17"},
        "a/cells": {"condition": "control", "mouse": "17"},
        "e/nuclei": {"condition": "drug", "mouse": "18"},
        "s/nuclei": {},
        "large/nuclei": {},
    }
    assert select(jobs, "describe_columns") == {
        "groups": dict.fromkeys([*MEASURED, "parts"], CHANNELS)
        | {name: [] for name in ("classes", "class_probabilities", "regions", "tissue")},
        "shells": 4,
        "channels": CHANNELS,
        "objects": ["nuclei", "cells"],
        "from_sheet": ["condition", "mouse"],
        "has_scores": True,
        "has_spot_scores": False,
        "has_corrections": True,
        "has_groups": True,
    }
    samples = {
        "a/nuclei": {"group": "control", "unit": "a", "pair": "17"},
        "e/nuclei": {"group": "drug", "unit": "e", "pair": "18"},
    }
    columns = ["density_per_mm3", *(f"median_intensity_{name}" for name in CHANNELS)]
    assert select(jobs, "compare_groups") == {
        "samples": samples,
        "columns": columns,
        "reference": "drug",
        "correction": "holm",
        "confidence": 0.81,
    }
    assert select(jobs, "plot_groups") == {
        "samples": samples,
        "columns": columns,
        "object": "nuclei",
        "group_by": "condition",
        "unit": None,
        "note": "",
        "page": 1,
    }
    assert select(jobs, "collect_class_distances") == {"user_columns": own}
    assert select(jobs, "collect_classes") == {
        "sources": ["a/nuclei", "e/nuclei", "s/nuclei", "large/nuclei", "a/cells"],
        "class_names": {"nuclei": ["large", "round", "other"], "cells": ["x", "y"]},
        "user_columns": own,
    }
    assert select(jobs, "collect_neighbors") == {"user_columns": own}
    assert select(jobs, "collect_stacks") == {
        "user_columns": own,
        "group_by": "condition",
        "missing": {},
    }
    assert select(jobs, "plot_volumes", object="nuclei") == {
        "stacks": ["a", "e", "s", "large"],
        "groups": {"a": "control", "e": "drug"},
        "object": "nuclei",
        "group_by": "condition",
        "note": "",
        "page": 1,
    }
    for rule in ("plot_segmentation", "plot_planes"):
        expected = {"title": "a", "note": "", "color_map": "magma", "marks": [MARK]}
        assert select(jobs, rule, stack="a", object="cells") == expected
        texts = {"title": "s", "note": "simulated data"}
        found = select(jobs, rule, stack="s", object="nuclei")
        assert found == texts | {"color_map": "magma", "marks": [ARROW]}
    assert select(jobs, "plot_errors", stack="a", object="cells") == {
        "object": "cells",
        "title": "a",
        "note": "",
        "color_map": "magma",
        "marks": [MARK],
    }
    assert select(jobs, "plot_diameter", stack="s") == {
        "title": "s",
        "note": "simulated data",
        "color_map": "magma",
        "marks": [ARROW],
    }
    assert select(jobs, "plot_scores", object="cells") == {"object": "cells"}
    for rule, pdf in (
        ("plot_diameter", "plot_diameter_pdf"),
        ("plot_segmentation", "plot_segmentation_pdf"),
    ):
        assert select(jobs, pdf, stack="s") == select(jobs, rule, stack="s")
    assert select(jobs, "plot_surfaces", stack="a", object="cells") == {"title": "a", "note": ""}
    expected = {"title": "a", "object": "cells"}
    assert select(jobs, "write_meshes", stack="a", object="cells") == expected
    texts = {"title": "a", "note": "", "channels": CHANNELS, "marks": [MARK]}
    found = select(jobs, "plot_channels", stack="a", object="cells")
    assert found == texts | {"color_map": "magma"}
    assert select(jobs, "plot_composite", stack="a") == texts


def test_the_page_of_the_run(jobs):
    found = select(jobs, "write_index")
    assert found.pop("settings")[0].keys() == {"object", "preset", "stacks", "changed"}
    assert found == {
        "sheet": "stacks.tsv",
        "images": ["nuclei.tif", "membrane.tif", "dye.tif"],
        "channels": {"a": CHANNELS, "e": ["nuclei"], "s": ["nuclei"], "large": ["nuclei"]},
        "user_columns": ["condition", "mouse"],
        "note": "",
        "further": [
            "neighbors.csv",
            "regions.csv",
            "classes.csv",
            "class_distances.csv",
            "groups.csv",
            "group_units.csv",
            "scores.csv",
            "stack_scores.csv",
        ],
        "group_by": "condition",
        "pages": {},
    }


def test_the_page_to_explore_a_stack(jobs):
    found = select(jobs, "write_explorer", stack="a")
    assert found.pop("software")["cellstack"] == __version__
    assert [each["channel"] for each in found.pop("sources")] == CHANNELS
    assert {layer["group"] for layer in found.pop("layers")} == {*CHANNELS, "cells"}
    for variant in found.pop("variants"):
        own = [panel for panel in variant["panels"] if panel["title"].endswith(" (your settings)")]
        assert [panel["arguments"] for panel in own] == [expected_of(variant["stage"])]
    assert found == {"stack": "a", "note": "", "diameter_um": 6.1, "swept": {}, "block": None}
    external = select(jobs, "write_explorer", stack="e")
    assert (external["variants"], external["diameter_um"]) == ([], None)
    assert select(jobs, "write_explorer", stack="s")["note"] == "simulated data"


def test_the_gallery(jobs):
    page = {"stack": "a", "note": "", "diameter_um": 6.1, "preset": "default"}
    found = select(jobs, "write_gallery", stack="a")
    assert found.pop("software")["cellstack"] == __version__
    images = [{"stack": "a", "channel": name, "image": f"{name}.tif"} for name in CHANNELS]
    assert found == page | {"images": images, "block": None}
    listed = select(jobs, "write_evaluation")["images"]
    assert [each for each in listed if each["stack"] == "a"] == images
    view = select(jobs, "choose_view", stack="a")
    assert view["diameter_um"] == 6.1
    assert view["object_label"] is None
    seeds = select(jobs, "compare_seeds", stack="a")
    assert (seeds["diameter_um"], seeds["points"]) == (6.1, [])
    assert seeds["split"] == expected_of("split_objects")
    labels = select(jobs, "compare_labels", stack="a")
    (only,) = labels.pop("alternatives")
    assert (only["stage"], only["title"]) == ("smooth_outlines", "none")
    shown = {"stages": ["smooth_outlines"], "color_map": "magma"}
    assert labels == shown | {"by_points": False, "block": None}
    assert select(jobs, "compare_surface_area", stack="a") == {"block": None}
    unit = "alternatives/smooth_outlines/none/a"
    found = select(jobs, "try_smooth_outlines", stack=unit)
    assert found == {"method": "none", "options": {}}
    for rule, stage in (
        ("compare_background", "correct_background"),
        ("compare_contrast", "adjust_contrast"),
        ("compare_denoising", "denoise"),
        ("compare_edges", "detect_edges"),
        ("compare_thresholds", "binarize"),
        ("compare_morphology", "clean_mask"),
        ("compare_seeds", "find_seeds"),
    ):
        own = [panel for panel in select(jobs, rule, stack="a")["panels"] if panel["is_own"]]
        assert [panel["arguments"] for panel in own] == [expected_of(stage)], rule


def test_each_rule_has_the_threads_that_it_declares(jobs):
    seen = set()
    for job in jobs:
        name = DERIVED.get(job["rule"], job["rule"]).removeprefix("try_")
        many = "    threads: cores\n" in BLOCKS.get(name, "")
        stack = job["wildcards"].get("stack", "").split("/")[-1]
        assert job["threads"] == (3 if many and stack == "large" else 1), job
        if many and stack == "large":
            seen.add(job["rule"])
    assert seen >= {"correct_background", "denoise", "binarize", "find_seeds", "measure_relations"}


WITH_THREADS = {  # those whose work on a large stack is shared by several cores
    path.stem for path in (ROOT / "scripts").glob("*.py") if "threads: int" in path.read_text()
}


def test_rules_with_threads():
    declared = {name for name, text in BLOCKS.items() if "    threads: cores\n" in text}
    assert declared >= WITH_THREADS
    assert declared == {
        "adjust_contrast",
        "binarize",
        "clean_mask",
        "correct_background",
        "denoise",
        "detect_edges",
        "detect_spots",
        "enhance_membrane",
        "estimate_diameter",
        "find_blobs",
        "find_cell_seeds",
        "find_seeds",
        "measure_class_distances",
        "measure_intensities",
        "measure_neighbors",
        "measure_objects",
        "measure_regions",
        "measure_relations",
        "merge_objects",
        "run_segmenter",
        "segment_cells",
        "segment_tissue",
        "select_objects",
        "smooth_outlines",
        "split_objects",
    }


def test_no_other_rule_has_params(jobs):
    text = Path(__file__).read_text()
    named = {job["rule"] for job in jobs if job["params"].keys() - {*RERUN_PARAMS}}
    others = {
        "write_config",
        "write_methods",
        "write_provenance",
        "show_stages",
        "plot_profile",
        "plot_shapes",
    }
    assert {name for name in named if f'"{name}"' not in text} <= others
