import numpy as np
from drawn import assert_outlined, boxes_image, pixels_of
from gallery_cases import SPLIT, panels_of, record, stages, view
from study import DIAMETER_UM, SPACING

from cellstack.core.distance import distance_map
from cellstack.gallery import panel_figures
from cellstack.gallery.compare_seeds import compare_seeds, find_places
from cellstack.segment.label_components import label_components


def test_labels_with_gaps_in_a_plane_are_outlined_in_place_and_in_their_colors(monkeypatch):
    shape, steps = (8, 24, 60), (1.0, 0.5, 0.4)
    # the first, third and sixth object are not in the plane, so there are gaps in its labels
    depths = [(0, 3) if i in (0, 2, 5) else (2, 7) for i in range(7)]
    boxes = [[depths[i], (2 + i, 12 + i), (1 + 8 * i, 8 + 8 * i)] for i in range(7)]
    mask = (boxes_image(shape, *boxes) > 0).astype(np.uint8)
    components = label_components(mask, 6)
    points = np.array([[sum(side) // 2 for side in box] for box in boxes], float)
    region = [[0, size] for size in shape]
    chosen = view() | {"region": region, "plane": 5, "shape": shape, "spacing": steps}
    calls = record(monkeypatch, panel_figures, "show_labels")
    by_hand = panels_of("seeds", "points", method="points")
    grey = np.zeros(shape, np.float32)
    images = (mask, components, grey, grey, steps)
    section = compare_seeds(*images, chosen, 4.0, by_hand, SPLIT, points=points)
    (panel,) = section["panels"]
    assert panel["caption"].startswith("7 seeds")
    (_, _, _, labels, _, colors) = calls[0]
    seen = [box for box in boxes if box[0][0] <= 5 < box[0][1]]
    assert len(np.unique(labels)) - 1 == len(seen) == 4 < labels.max()
    assert len(colors) == len(set(colors.values())) == 7
    pixels_per_um = panel_figures.choose_scale(shape[1:], steps[1:])
    scale = [pixels_per_um * step for step in steps[1:]]
    start = (1 + panel_figures.NAME, 1 + shape[2] * scale[1] + panel_figures.GAP)
    # the picture is cropped to the outlines, as the colour map next to them has similar colours
    corner = int(start[0]), int(start[1])
    picture = pixels_of(panel)[corner[0] : corner[0] + int(shape[1] * scale[0]), corner[1] :]
    for _, rows, columns in seen:
        color = colors[labels[sum(rows) // 2, sum(columns) // 2]]
        assert_outlined(picture, (rows, columns), color, scale)


def compare(*titles, **options):
    found = stages()
    images = (found["mask"], found["components"], found["denoised"], found["denoised"])
    panels = options.pop("panels", None) or panels_of("seeds", *titles or ("h_maxima",))
    return compare_seeds(*images, SPACING, view(), DIAMETER_UM, panels, SPLIT, **options)


def test_places_are_where_methods_disagree():
    labels = np.zeros((8, 40, 80), np.uint16)
    labels[1:7, 10:30, 5:25] = 1
    labels[1:7, 10:30, 50:70] = 2
    split = labels.copy()
    split[1:7, 10:30, 60:70] = 3
    one = np.array([[4, 20, 15], [4, 20, 60]])
    two = np.array([[4, 20, 15], [4, 20, 55], [4, 20, 65]])
    assert find_places([(one, labels), (one, labels)], (1, 1, 1), 15) == []
    assert find_places([(one, labels), (two, split)], (1, 1, 1), 15) == [(4, 20, 60)]


def test_seeds_are_counted():
    for panel in compare("h_maxima", "peaks")["panels"]:
        assert panel["caption"].split(" seeds")[0].isdigit()


def test_seed_points_of_the_user():
    distance = distance_map(stages()["mask"], SPACING)
    deepest = np.argwhere(distance == distance.max())[:1].astype(float)
    by_hand = panels_of("seeds", "points", method="points")
    (panel,) = compare(panels=by_hand, points=deepest)["panels"]
    count = stages()["components"].max()  # one seed per component, one of them by hand
    assert panel["caption"].startswith(f"{count} seeds")
