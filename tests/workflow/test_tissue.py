"""Runs with tissue and regions: the tables against SciPy, and nothing where none is declared."""

import numpy as np
import pytest
from scipy import ndimage
from study import Study, jobs

from cellstack.files.stacks import read_stack, write_stack
from cellstack.files.tables import read_rows

pytestmark = pytest.mark.slow

SHAPE, SPACING = (14, 60, 70), (2.0, 0.5, 0.4)
VOXEL = 0.4
RULES = {"segment_tissue", "import_regions", "measure_regions", "collect_regions", "plot_tissue"}


def write_images(folder):
    """Write nuclei with their labels, a tissue that ends before the last planes, and regions."""
    rng = np.random.default_rng(0)
    labels, label = np.zeros(SHAPE, np.uint16), 0
    while label < 40:
        z, y, x = (int(rng.integers(-1, size)) for size in SHAPE)
        box = tuple(slice(max(0, a), a + b) for a, b in zip((z, y, x), (2, 5, 6), strict=True))
        if labels[box].size and not labels[box].any():
            label += 1
            labels[box] = label
    nuclei = rng.poisson(20 + 80 * (labels > 0)).astype(np.uint16)
    tissue = np.full(SHAPE, 10.0)
    tissue[2:11, :, 8:] = 110
    regions = np.zeros((14, 30, 35), np.uint16)  # half the resolution in the plane
    regions[:, :14, 2:] = 4
    regions[:, 16:, 2:] = 11
    write_stack(folder / "nuclei.tif", nuclei, SPACING)
    write_stack(folder / "labels.tif", labels, SPACING, is_labels=True)
    write_stack(folder / "tissue.tif", rng.poisson(tissue).astype(np.uint16), SPACING)
    write_stack(folder / "regions.tif", regions, (2.0, 1.0, 0.8), is_labels=True)


def new_study(folder):
    study = Study(folder)
    study.config["diameter_um"] = {"nuclei": 4}
    return study


def refusal(study):
    """Return the output of a run that stops before any job."""
    process = study.run("--dry-run")
    assert process.returncode
    return process.stdout + process.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    study = new_study(tmp_path_factory.mktemp("tissue"))
    write_images(study.folder)
    study.add("a", image="nuclei.tif", labels="labels.tif", condition="control")
    study.add("a", "tissue", image="tissue.tif", regions="regions.tif")
    study.add("plain", image="nuclei.tif", labels="labels.tif", condition="drug")
    study.config |= {
        "measure_regions": {"names": {4: "cortex"}},
        "segment_tissue": {"sigma_um": 0.6, "closing_radius_um": 1.0},
        "select_objects": {
            "counting_frame": ["first_plane", "first_row", "first_column"],
            "min_volume_um3": 0,
        },
    }
    names = ("objects", "regions", "columns", "stacks")
    targets = [f"results/{name}.csv" for name in names]
    process = study.run(*targets, "results/a/figures/tissue.png")
    assert process.returncode == 0, process.stderr[-3000:]
    return study


def test_the_mask_is_that_of_the_channel_tissue(finished):
    mask, spacing = read_stack(finished.result("a", "tissue", "mask.tif"))
    assert spacing == SPACING
    assert mask.dtype == np.uint8
    expected = np.zeros(SHAPE, bool)
    expected[2:11, :, 8:] = True
    assert np.mean(mask != expected) < 0.02


def test_objects_have_their_place(finished):
    labels, _ = read_stack(finished.result("a", "nuclei", "segmentation.tif"))
    mask, _ = read_stack(finished.result("a", "tissue", "mask.tif"))
    regions, _ = read_stack(finished.result("a", "tissue", "regions.tif"))
    coarse, _ = read_stack(finished.folder / "regions.tif")
    np.testing.assert_array_equal(regions, np.kron(coarse, np.ones((1, 2, 2), "uint16")))
    inside = ndimage.distance_transform_edt(mask, sampling=SPACING)
    outside = ndimage.distance_transform_edt(mask == 0, sampling=SPACING)
    rows = [row for row in read_rows(finished.result("objects.csv")) if row["stack"] == "a"]
    assert len(rows) > 20
    for row in rows:
        places = np.argwhere(labels == int(row["segmentation_label"]))
        centre = tuple(np.floor(places.mean(axis=0) + 0.5).astype(int))
        expected = inside[centre] if mask[centre] else -outside[centre]
        assert float(row["tissue_surface_distance_um"]) == pytest.approx(expected, rel=1e-5)
        fraction = mask[tuple(places.T)].mean()
        assert float(row["tissue_fraction"]) == pytest.approx(fraction)
        votes = regions[tuple(places.T)]
        region = regions[centre] or max(
            (4, 11), key=lambda each: np.count_nonzero(votes == each), default=0
        )
        if not (votes > 0).any():
            region = 0
        assert int(row["region_label"]) == region
        assert row["region_name"] == {0: "", 4: "cortex", 11: "11"}[int(region)]
        if region:
            assert float(row["region_fraction"]) == pytest.approx(np.mean(votes == region))


def test_counts_and_densities(finished):
    labels, _ = read_stack(finished.result("a", "nuclei", "segmentation.tif"))
    mask, _ = read_stack(finished.result("a", "tissue", "mask.tif"))
    cut = set(labels[0].flat) | set(labels[:, 0].flat) | set(labels[:, :, 0].flat)
    selection = list(read_rows(finished.result("a", "nuclei", "selection.csv")))
    counted = {int(row["segmentation_label"]) for row in selection if row["counted"] == "1"}
    assert counted == set(range(1, labels.max() + 1)) - cut
    in_tissue = {each for each in range(1, labels.max() + 1) if mask[labels == each].mean() >= 0.5}
    rows = list(read_rows(finished.result("regions.csv")))
    assert {row["stack"] for row in rows} == {"a"}
    assert {row["condition"] for row in rows} == {"control"}
    parts = ["tissue", "outside the tissue", "region", "region", "outside all regions"]
    assert [row["part"] for row in rows] == parts
    tissue, outside, cortex, *others = rows
    assert int(tissue["count_found"]) == len(in_tissue)
    assert int(tissue["count_found"]) + int(outside["count_found"]) == 40
    within = [cortex, *others]
    assert sum(int(row["count_found"]) for row in within) == len(in_tissue)
    volume = mask[1:, 1:, 1:].sum() * VOXEL
    assert float(tissue["volume_um3"]) == pytest.approx(mask.sum() * VOXEL)
    assert float(tissue["volume_in_frame_um3"]) == pytest.approx(volume)
    assert float(tissue["density_per_mm3"]) == pytest.approx(len(in_tissue - cut) / volume * 1e9)
    (stack, _) = read_rows(finished.result("stacks.csv"))
    frame = (labels.size - mask[0].size - 13 * (70 + 59)) * VOXEL
    assert float(stack["density_per_mm3"]) == pytest.approx(len(counted) / frame * 1e9)
    described = {(row["table"], row["column"]) for row in read_rows(finished.result("columns.csv"))}
    assert {("regions.csv", name) for name in rows[0]} <= described
    assert ("objects.csv", "tissue_depth_um") in described


def test_stacks_without_tissue_have_empty_cells(finished):
    (row, *_) = (
        row for row in read_rows(finished.result("objects.csv")) if row["stack"] == "plain"
    )
    assert row["tissue_fraction"] == row["region_label"] == ""
    assert not finished.result("plain", "tissue").exists()


def test_nothing_is_made_that_is_not_declared(finished, tmp_path):
    write_images(tmp_path)
    study = new_study(tmp_path)
    study.add("a", image="nuclei.tif", labels="labels.tif")
    process = study.run("--dry-run")
    assert process.returncode == 0, process.stderr[-3000:]
    assert not RULES & jobs(process).keys()
    study.config["segment_tissue"] = {"channel": "nuclei"}
    declared = RULES - {"import_regions"}
    assert declared <= jobs(study.run("--dry-run")).keys()


def test_mistakes_are_refused(tmp_path):
    write_images(tmp_path)
    study = new_study(tmp_path)
    study.add("a", image="nuclei.tif", regions="regions.tif")
    study.add("a", "GFP", image="tissue.tif", regions="labels.tif")
    study.config["segment_tissue"] = {"channel": "gfp"}
    output = refusal(study)
    assert "stack 'a' has two images of regions, 'regions.tif' and 'labels.tif'; name one" in output
    study.rows[1].pop("regions")
    output = refusal(study)
    assert "config.segment_tissue.channel: stack 'a' has no row for channel 'gfp'" in output
    study.rows[0]["regions"] = "absent.tif"
    output = refusal(study)
    assert "stacks.tsv row 2: regions 'absent.tif' does not exist; correct the path" in output
    study.config["measure_regions"] = {"names": {"cortex": 1}}
    assert "config.measure_regions.names" in refusal(study)
