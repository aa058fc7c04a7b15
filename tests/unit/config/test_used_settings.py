import math

import pytest

from cellstack.config.used_settings import changed_settings, resolved_stages

NUCLEI = {"stack": "a", "channel": "nuclei", "image": "a.tif"}
MEMBRANE = {"stack": "a", "channel": "membrane", "image": "m.tif"}


def test_stacks_that_share_settings_are_listed_together(load_study):
    rows = [NUCLEI, NUCLEI | {"stack": "b"}, NUCLEI | {"stack": "c", "diameter_um": 6}]
    first, second = resolved_stages(load_study(rows))
    assert (first["stacks"], first["diameter_um"]) == (["a", "b"], 10)
    assert (second["stacks"], second["diameter_um"]) == (["c"], 6)
    volume = second["stages"]["select_objects"]["min_volume_um3"]
    assert volume == pytest.approx(0.1 * math.pi / 6 * 6**3, rel=1e-5)
    assert "segment_cells" not in first["stages"]
    assert "estimate_diameter" not in first["stages"]


def test_changed_settings_are_shared_by_stacks_with_the_same_preset(load_study):
    presets = {"soft": {"denoise": {"gaussian": {"sigma_um": 2}}}}
    rows = [NUCLEI, MEMBRANE, NUCLEI | {"stack": "b", "preset": "soft"}, NUCLEI | {"stack": "c"}]
    study = load_study(rows, presets=presets, segment_cells={"wall_weight": 0.3})
    default = study.schemas.stages["properties"]["segment_cells"]["properties"]["wall_weight"]
    soft, cells = sorted(changed_settings(study), key=lambda each: each["object"], reverse=True)
    assert (soft["object"], soft["preset"], soft["stacks"]) == ("nuclei", "soft", ["b"])
    assert soft["changed"] == {"denoise.gaussian.sigma_um": [2, "0.075 d"]}
    assert (cells["object"], cells["preset"], cells["stacks"]) == ("cells", "default", ["a"])
    assert cells["changed"] == {"segment_cells.wall_weight": [0.3, default["default"]]}
    assert changed_settings(load_study([NUCLEI])) == []
