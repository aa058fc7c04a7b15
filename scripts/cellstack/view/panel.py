"""The panel of the viewer to correct objects.

napari and Qt are optional, so they are imported where they are needed.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cellstack.view.editor import Editor
from cellstack.view.layers import Layer, colors_by

POINTS = "points of the next correction"
MAX_DIAMETER_UM = 1000.0
MAX_WIDTH = 340  # pixels
BY_LABEL = "label"


def add_layers(viewer: Any, layers: list[Layer]) -> None:
    """Add layers to a viewer, or to its model, at true scale.

    Parameters
    ----------
    viewer : napari.Viewer or napari.components.ViewerModel
    layers : list of tuple
        See :func:`cellstack.view.layers.stack_layers`.
    """
    add = {"image": viewer.add_image, "labels": viewer.add_labels, "points": viewer.add_points}
    for data, properties, kind in layers:
        add[kind](data, **properties)
    sizes = [
        properties["size"] * min(properties["scale"])
        for *_, properties, kind in layers
        if kind == "points"
    ]
    viewer.dims.margin_left = viewer.dims.margin_right = (max(sizes, default=0.0), 0, 0)
    viewer.dims.axis_labels = ("z", "y", "x")
    viewer.canvas.overlays.scale_bar.visible = True


class Panel:
    """Buttons that correct the objects of a stack.

    Parameters
    ----------
    viewer : napari.Viewer
        With the layers of a stack.
    editors : dict of str to Editor
        One for each kind of object.

    Attributes
    ----------
    widget : QWidget
        To be docked in the viewer.

    Notes
    -----
    Points are clicked into the layer :data:`POINTS`. Without points, delete and accept use the
    label that is selected in the layer of the segmentation.
    """

    def __init__(self, viewer: Any, editors: Mapping[str, Editor]) -> None:
        from qtpy.QtWidgets import (
            QComboBox,
            QDoubleSpinBox,
            QFormLayout,
            QLabel,
            QPushButton,
            QWidget,
        )

        self.widget = QWidget()
        self.widget.setMaximumWidth(MAX_WIDTH)
        self._viewer, self._editors = viewer, dict(editors)
        scale = viewer.layers[0].scale
        self._points = viewer.add_points(
            np.empty((0, 3)), name=POINTS, scale=scale, units=("um",) * 3, size=5, ndim=3
        )
        self.kind, self.color = QComboBox(), QComboBox()
        self.kind.addItems(list(self._editors))
        self.diameter = QDoubleSpinBox()
        self.diameter.setRange(0, MAX_DIAMETER_UM)
        self.diameter.setSpecialValueText("as in the stack")
        self.message = QLabel()
        self.message.setWordWrap(True)
        form = QFormLayout(self.widget)
        form.addRow("objects", self.kind)
        form.addRow("colour by", self.color)
        form.addRow("diameter to add (um)", self.diameter)
        actions: dict[str, Callable[[], str]] = {
            "Merge the objects at the points": lambda: self.editor.merge(self.places()),
            "Split the object at the points": lambda: self.editor.split(self.places()),
            "Add an object at each point": lambda: self.editor.add(
                self.places(), self.diameter.value() or None
            ),
            "Delete": lambda: self.editor.delete(self.chosen()),
            "Accept": lambda: self.editor.accept(self.chosen()),
            "Use what was painted": lambda: self.editor.redraw(self.layer.data),
            "Undo": lambda: self.editor.undo(),
            "Save": lambda: self.editor.save(),
        }
        self.buttons = {}
        for text, action in actions.items():
            button = QPushButton(text)
            button.clicked.connect(lambda _=False, run=action: self.do(run))
            form.addRow(button)
            self.buttons[text] = button
        form.addRow(self.message)
        self.kind.currentTextChanged.connect(self._list_columns)
        self.color.currentTextChanged.connect(self.color_by)
        self._list_columns()

    @property
    def editor(self) -> Editor:
        """Editor of the kind of object that is chosen."""
        return self._editors[self.kind.currentText()]

    @property
    def layer(self) -> Any:
        """Layer with the segmentation of the kind of object that is chosen."""
        return self._viewer.layers[f"{self.kind.currentText()} segmentation"]

    def places(self) -> list[list[float]]:
        """Return the points in um."""
        places: list[list[float]] = (self._points.data * self._points.scale).tolist()
        return places

    def chosen(self) -> list[list[float]]:
        """Return the points in um or, without points, a place in the selected object."""
        label = int(self.layer.selected_label)
        if len(self._points.data) or not (self.editor.labels == label).any() or label == 0:
            return self.places()
        return [self.editor.place(label)]

    def do(self, action: Callable[[], str]) -> None:
        """Run an action of a button, and show the labels and the message."""
        before = self.editor.labels
        try:
            text = action()
        except (OSError, ValueError) as error:  # for example a table that cannot be written
            text = str(error)
        self.message.setText(f"{text} ({self.editor.count} not saved)")
        if self.editor.labels is not before:
            self.layer.data = self.editor.labels.copy()  # painting must not change the editor's
        if text.startswith("done"):
            self._points.data = np.empty((0, 3))

    def _list_columns(self) -> None:
        self.color.clear()
        features = self.layer.features
        names = [name for name in features if features[name].dtype.kind in "if"]
        self.color.addItems([BY_LABEL, *(name for name in names if name != "index")])

    def color_by(self, column: str) -> None:
        """Colour the objects by a column of the table of measurements."""
        from napari.utils.colormaps import DirectLabelColormap, label_colormap

        features = self.layer.features
        if column == BY_LABEL or column not in features:
            self.layer.colormap = label_colormap()
            return
        colors = colors_by(features["index"].tolist(), features[column].tolist())
        self.layer.colormap = DirectLabelColormap(color_dict=colors)
