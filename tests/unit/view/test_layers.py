"""The layers that show a stack, and the viewer with them; napari is optional."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml
from study import DIAMETER_UM, ROOT, SPACING, environment, simulated

from cellstack.errors import InputError
from cellstack.files.stacks import read_stack, write_labels, write_stack
from cellstack.files.tables import as_text, write_rows
from cellstack.view.editor import open_editor
from cellstack.view.layers import colors_by, stack_layers
from cellstack.view.panel import POINTS, Panel, add_layers

NO_NAPARI = "napari is not installed: run `make view`"
FLAGS = {2: "touches first row;low contrast", 4: "large for its stack"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The results of a stack, in which object 1 was not selected."""
    results = tmp_path_factory.mktemp("view") / "results"
    folder, colony = results / "colony", simulated()
    nuclei = folder / "nuclei"
    for channel, image in (
        ("membrane", colony.membrane_image),
        ("dye", colony.nuclei_image),
        ("nuclei", colony.nuclei_image),
    ):
        write_stack(folder / "channels" / channel / "raw.tif", image, SPACING)
    denoised = (colony.nuclei_image / colony.nuclei_image.max()).astype("float32")
    write_stack(folder / "channels" / "nuclei" / "denoised.tif", denoised, SPACING)
    labels = colony.nuclei_labels.astype("uint16")
    write_stack(nuclei / "segmentation.tif", labels, SPACING, is_labels=True)
    write_labels(nuclei / "labels.ome.tif", np.where(labels > 1, labels - 1, 0), SPACING)
    write_stack(nuclei / "seeds.tif", np.where(labels > 3, labels, 0), SPACING)
    write_stack(nuclei / "mask_clean.tif", (labels > 0).astype("uint8"), SPACING)
    rows = [
        {
            "label": label - 1,
            "segmentation_label": label,
            "flags": FLAGS.get(label, ""),
            "volume_um3": 100.5 * label,
            "contrast_to_noise_ratio": None if label == 3 else label,
            "equivalent_diameter_um": 8.0,
            "centroid_z_um": 4.0,
            "centroid_y_um": 2.0 * label,
            "centroid_x_um": 10.0,
        }
        for label in range(2, labels.max() + 1)
    ]
    write_rows(nuclei / "objects.csv", list(rows[0]), map(as_text, rows))
    write_rows(nuclei / "summary.csv", ["diameter_um"], [{"diameter_um": str(DIAMETER_UM)}])
    corrections = {"z_um": "1", "y_um": "2", "x_um": "4", "action": "delete"}
    unfit = corrections | {"status": "not applied", "reason": "no object at 1, 2, 4 um"}
    fit = corrections | {"status": "applied", "reason": ""}
    write_rows(nuclei / "corrections.csv", list(unfit), [fit, unfit])
    options = {"level": 0.45, "sigma_um": "0.3 d", "background_radius_um": "1.5 d"}
    settings = {"corrections": None, "binarize": {"per_object": options | {"max_radius_um": "1 d"}}}
    (results / "config.yaml").write_text(yaml.safe_dump(settings))
    return folder


def by_name(layers):
    return {properties["name"]: (data, properties, kind) for data, properties, kind in layers}


def test_each_layer_has_its_scale_and_type(folder):
    layers = stack_layers(folder)
    assert [(properties["name"], kind) for _, properties, kind in layers] == [
        ("membrane", "image"),
        ("nuclei", "image"),
        ("dye", "image"),
        ("nuclei seeds", "labels"),
        ("nuclei mask", "labels"),
        ("nuclei measured", "labels"),
        ("nuclei segmentation", "labels"),
        ("nuclei flagged", "points"),
        ("nuclei corrections not applied", "points"),
    ]
    assert all(properties["scale"] == SPACING for _, properties, _ in layers)
    hidden = [name for name, layer in by_name(layers).items() if not layer[1].get("visible", True)]
    assert hidden == ["nuclei seeds", "nuclei mask", "nuclei measured"]


def test_channels_differ_in_colour_and_have_their_contrast(folder):
    layers = by_name(stack_layers(folder))
    colors = [layers[name][1]["colormap"] for name in ("membrane", "nuclei", "dye")]
    assert len(set(colors)) == 3
    raw, properties, _ = layers["nuclei"]
    low, high = properties["contrast_limits"]
    assert low == pytest.approx(np.percentile(raw, 0.5))
    assert high == pytest.approx(np.percentile(raw, 99.8))


def test_the_table_belongs_to_the_labels(folder):
    layers = by_name(stack_layers(folder))
    for name, first in (("nuclei segmentation", 2), ("nuclei measured", 1)):
        labels, properties, _ = layers[name]
        features = properties["features"]
        assert features["index"] == list(range(first, labels.max() + 1))
        assert features["volume_um3"][0] == 201
        assert np.isnan(features["contrast_to_noise_ratio"][1])
        assert features["flags"][0] == FLAGS[2]


def test_flagged_objects_are_points_with_the_reason(folder):
    points, properties, _ = by_name(stack_layers(folder))["nuclei flagged"]
    assert properties["features"]["flags"] == list(FLAGS.values())
    assert (points * SPACING).tolist() == [[4, 4, 10], [4, 8, 10]]
    points, properties, _ = by_name(stack_layers(folder))["nuclei corrections not applied"]
    assert (points * SPACING).round(6).tolist() == [[1, 2, 4]]
    assert properties["features"]["flags"] == ["delete: no object at 1, 2, 4 um"]


@pytest.mark.parametrize(("count", "is_shown"), [("2", True), ("0", False)])
def test_the_record_of_corrections_that_were_undone_is_not_shown(tmp_path, folder, count, is_shown):
    copy = shutil.copytree(folder, tmp_path / "results" / "colony")
    summary = {"diameter_um": str(DIAMETER_UM), "count_corrections": count}
    write_rows(copy / "nuclei" / "summary.csv", list(summary), [summary])
    assert ("nuclei corrections not applied" in by_name(stack_layers(copy))) == is_shown


def test_a_folder_without_channels_is_refused(tmp_path):
    with pytest.raises(InputError, match="has no channels; give the folder of a stack"):
        stack_layers(tmp_path)


def test_colours_of_values():
    colors = colors_by([3, 5, 9], [1.0, np.nan, 2.0])
    assert colors[3][2] > colors[9][2]
    assert np.array_equal(colors[5], colors[None])
    assert colors_by([], []).keys() == {None, 0}
    assert colors_by([1, 2], [4.0, 4.0])[1].tolist() == colors_by([1], [4.0])[1].tolist()


def test_the_command_says_how_to_install_napari(folder, tmp_path):
    (tmp_path / "napari.py").write_text("raise ImportError('it is not here')")
    process = subprocess.run(
        [sys.executable, ROOT / "scripts" / "view.py", folder],
        env=environment() | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 1
    assert process.stderr.startswith("view: napari is not installed: install it with `make view`")
    process = subprocess.run(
        [sys.executable, ROOT / "scripts" / "view.py", tmp_path],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert process.returncode == 1
    assert "has no channels; give the folder of a stack" in process.stderr
    assert len(process.stderr.splitlines()) == 1


def test_the_model_of_the_viewer(folder):
    components = pytest.importorskip("napari.components", reason=NO_NAPARI)
    viewer = components.ViewerModel()
    add_layers(viewer, stack_layers(folder))
    assert [layer.name for layer in viewer.layers][:2] == ["membrane", "nuclei"]
    for layer in viewer.layers:
        assert tuple(layer.scale) == SPACING
        assert {str(unit) for unit in layer.units} == {"micrometer"}
    labels = viewer.layers["nuclei segmentation"]
    place = np.argwhere(labels.data == 2)[0] * SPACING
    status = labels.get_status(place, world=True)
    assert "201" in str(status.values())
    assert viewer.canvas.overlays.scale_bar.visible
    assert viewer.dims.range[0].stop == pytest.approx((labels.data.shape[0] - 1) * SPACING[0])


def test_the_panel(folder, tmp_path, monkeypatch):
    components = pytest.importorskip("napari.components", reason=NO_NAPARI)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    monkeypatch.chdir(tmp_path)
    widgets = pytest.importorskip("qtpy.QtWidgets", reason=NO_NAPARI)
    application = widgets.QApplication.instance() or widgets.QApplication([])
    viewer = components.ViewerModel()
    add_layers(viewer, stack_layers(folder))
    editor = open_editor(folder, "nuclei", "corrections.csv")
    panel = Panel(viewer, {"nuclei": editor})
    labels = editor.labels
    points, layer = viewer.layers[POINTS], viewer.layers["nuclei segmentation"]
    points.data = np.array([editor.place(2), editor.place(3)]) / SPACING
    press(panel, "Merge the objects at the points")
    assert panel.message.text() == "done: 1 x merge (1 not saved)"
    assert layer.data.max() == labels.max() - 1
    assert len(points.data) == 0
    layer.selected_label = 1
    press(panel, "Delete")
    assert layer.data.max() == labels.max() - 2
    press(panel, "Undo")
    assert layer.data.max() == labels.max() - 1
    points.data = np.array([[0, 0, 0]])
    press(panel, "Accept")
    assert "not possible: no object at 0, 0, 0 um" in panel.message.text()
    points.data = np.empty((0, 3))
    layer.data[:, :, 1:][layer.data[:, :, :-1] == 1] = 1
    press(panel, "Use what was painted")
    assert panel.message.text().startswith("done: ")
    panel.color.setCurrentText("volume_um3")
    assert np.ptp([layer.get_color(label) for label in (2, 3)], axis=0).max() > 0.1
    assert "flags" not in [panel.color.itemText(i) for i in range(panel.color.count())]
    press(panel, "Save")
    assert "added to corrections.csv (0 not saved)" in panel.message.text()
    assert (tmp_path / "corrections.csv").read_text().count("colony,nuclei,merge") == 2
    application.processEvents()


def press(panel, text):
    panel.buttons[text].click()


def test_added_objects_get_the_settings_of_the_run(folder):
    editor = open_editor(folder, "nuclei", "corrections.csv")
    place = editor.place(2)
    assert editor.delete([place]) == "done: 1 x delete"
    assert editor.add([place]) == "done: 1 x add"
    truth = read_stack(folder / "nuclei" / "segmentation.tif")[0] == 2
    added = editor.labels == editor.labels.max()
    assert np.sum(truth & added) / np.sum(truth | added) > 0.6
