from cellstack.files.selection import read_segmentation_labels


def test_only_selected_objects_are_read(tmp_path):
    path = tmp_path / "selection.csv"
    rows = ["segmentation_label,label,reason", "3,1,kept", "5,0,lateral face", "7,,", "8,2,kept"]
    path.write_text("\n".join(rows) + "\n")
    assert read_segmentation_labels(path) == {1: 3, 2: 8}
