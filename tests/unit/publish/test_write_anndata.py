import anndata
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import write_anndata as script
from cellstack.config.columns import CONTACT_COLUMNS, describe_tables
from cellstack.files.tables import write_rows
from cellstack.measure.measure_objects import MEASURED
from cellstack.publish.write_anndata import nearest_neighbours

COLUMNS = [
    "stack",
    "object",
    "label",
    "segmentation_label",
    "mouse",
    "flags",
    "volume_um3",
    "volume_voxels",
    "centroid_z_um",
    "centroid_y_um",
    "centroid_x_um",
]


def row(stack, kind, label, zyx, volume="2.5", mouse="=1", flags=""):
    z, y, x = map(str, zyx)
    values = [stack, kind, str(label), str(label + 10), mouse, flags, volume, "7", z, y, x]
    return dict(zip(COLUMNS, values, strict=True))


ROWS = [
    row("a", "nuclei", 1, (0, 0, 0)),
    row("a", "cells", 1, (1, 2, 3), flags="touches a face"),
    row("a", "cells", 2, (1, 2, 7), volume=""),
    row("b", "cells", 1, (9, 9, 9), mouse="m2"),
]


@pytest.fixture
def tables(tmp_path):
    write_rows(tmp_path / "objects.csv", COLUMNS, ROWS)
    described = describe_tables(
        {group: ["nuclei"] for group in MEASURED}, ["nuclei"], ["nuclei", "cells"], ["mouse"]
    )["objects.csv"]
    definitions = [
        {"table": "objects.csv", "column": column, "unit": unit, "definition": definition}
        for column, (unit, definition) in described.items()
    ]
    write_rows(tmp_path / "columns.csv", list(definitions[0]), definitions)
    contacts = [("a", "1", "2", "12.5"), ("a", "0", "2", "3"), ("b", "1", "0", "4")]
    rows = [
        dict.fromkeys(CONTACT_COLUMNS, "")
        | {"stack": stack, "label_1": first, "label_2": second, "contact_area_um2": area}
        for stack, first, second, area in contacts
    ]
    write_rows(tmp_path / "contacts.csv", list(CONTACT_COLUMNS), rows)
    return tmp_path


def convert(folder, kind, name="out.h5ad"):
    script.main(
        objects=folder / "objects.csv",
        columns=folder / "columns.csv",
        anndata=folder / name,
        object=kind,
        contacts=[folder / "contacts.csv"] if kind == "cells" else [],
    )
    return folder / name


def test_objects_and_measurements_are_read(tables):
    data = anndata.read_h5ad(convert(tables, "cells"))
    assert list(data.obs_names) == ["a/cells/1", "a/cells/2", "b/cells/1"]
    assert list(data.var_names) == COLUMNS[6:]
    assert_array_equal(data.to_df()["volume_um3"], [2.5, np.nan, 2.5])
    assert data.var.loc["volume_um3", "unit"] == "um3"
    assert data.var.loc["volume_um3", "definition"].startswith("Number of voxels")
    assert data.obs["label"].tolist() == [1, 2, 1]
    assert data.obs["mouse"].tolist() == ["=1", "=1", "m2"]
    assert data.obs["flags"].isna().tolist() == [False, True, True]
    assert_array_equal(data.obsm["spatial"], [[3, 2, 1], [7, 2, 1], [9, 9, 9]])  # x, y, z in um


def test_contacts_are_a_graph(tables):
    data = anndata.read_h5ad(convert(tables, "cells"))
    expected = np.zeros((3, 3))
    expected[0, 1] = expected[1, 0] = 12.5
    assert_array_equal(data.obsp["contact_area_um2"].toarray(), expected)
    assert_array_equal(data.obsp["spatial_connectivities"].toarray(), expected > 0)
    assert_allclose(data.obsp["spatial_distances"].toarray(), 4 * (expected > 0))
    keys = data.uns["spatial_neighbors"]
    assert data.obsp[keys["connectivities_key"]].nnz == 2
    assert keys["params"]["graph"] == "contacts"


def test_nuclei_have_their_nearest_neighbours(tables):
    data = anndata.read_h5ad(convert(tables, "nuclei"))
    assert data.n_obs == 1 and data.obsp["spatial_connectivities"].nnz == 0
    line = np.arange(20.0)[:, None] * [1, 0, 0]
    pairs = nearest_neighbours(np.vstack([line, line]), ["a"] * 20 + ["b"] * 20)
    assert all((first < 20) == (second < 20) for first, second in pairs)  # of the same stack
    assert [tuple(pair) for pair in pairs[:6]] == [(0, each) for each in range(1, 7)]
    degree = np.bincount(pairs.ravel(), minlength=40)
    assert degree.min() >= 6
    same_place = nearest_neighbours(np.zeros((9, 3)), ["a"] * 9)
    assert all(first != second for first, second in same_place)


def test_a_study_without_objects_of_a_kind(tables):
    write_rows(tables / "objects.csv", COLUMNS, ROWS[:1])
    data = anndata.read_h5ad(convert(tables, "cells"))
    assert data.shape == (0, 5) and data.obsm["spatial"].shape == (0, 3)


def test_the_file_is_the_same_each_time(tables):
    first = convert(tables, "cells", "a.h5ad").read_bytes()
    assert first == convert(tables, "cells", "b.h5ad").read_bytes()
