import numpy as np
import pytest
from drawn import assert_outlined, boxes_image, pixels_of
from gallery_cases import SPLIT, panels_of, record, stages, view
from study import DIAMETER_UM, SPACING

from cellstack.core.distance import distance_map
from cellstack.gallery import compare_seeds as module
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


def test_a_limit_of_planes_counts_in_the_stack_and_not_in_the_region():
    shape, spacing = (12, 20, 40), (1.0, 0.5, 0.4)
    mask = boxes_image(shape, ((1, 4), (2, 18), (2, 18)), ((5, 12), (2, 18), (22, 38))) > 0
    components = label_components(mask.astype(np.uint8), 6)
    grey = np.zeros(shape, np.float32)
    (panel,) = panels_of("seeds", "h_maxima", planes="middle", plane_range_um=2.0)
    for first, expected in ((0, 1), (5, 1), (9, 0)):  # the middle is plane 6
        region = [[first, 12], [0, 20], [0, 40]]
        chosen = view() | {"region": region, "plane": 10, "shape": shape, "spacing": spacing}
        images = (mask.astype(np.uint8), components, grey, grey, spacing)
        section = compare_seeds(*images, chosen, 4.0, [panel], SPLIT)
        (shown,) = section["panels"]
        assert shown["caption"].startswith(f"{expected} seed")


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


def boxes_of(*boxes, shape=(10, 60, 120)):
    return boxes_image(shape, *boxes)


def test_places_are_sorted_by_disagreement_then_by_size_and_are_apart():
    small, large = [(2, 6), (10, 20), (10, 20)], [(2, 8), (30, 50), (60, 100)]
    middle = [(2, 6), (10, 22), (60, 75)]
    labels = boxes_of(small, large, middle)
    centre = {
        name: [sum(side) / 2 - 0.5 for side in box]
        for name, box in zip("slm", (small, large, middle), strict=True)
    }
    spacing = (1.3, 0.5, 0.35)

    def find(*seeds_of_methods, diameter=1.0):
        found = [(np.array(seeds).reshape(-1, 3), labels) for seeds in seeds_of_methods]
        return find_places(found, spacing, diameter)

    def at(name):
        return tuple(int(index + 0.5) for index in centre[name])

    every = [centre[name] for name in "slm"]
    assert find(every, every) == []
    # both objects lack a seed of one method: the larger one comes first
    assert find(every, [centre["m"]]) == [at("l"), at("s")]
    # two methods without a seed outweigh the size
    assert find(every, [centre["m"], centre["l"]], [centre["m"]]) == [at("s"), at("l")]
    # at most two places
    assert find(every, []) == [at("l"), at("m")]
    # 1.5 diameters apart: the two largest ones are 13.2 um apart, 12 of these along y
    assert find(every, [], diameter=8.7) == [at("l"), at("m")]
    assert find(every, [], diameter=8.9) == [at("l"), at("s")]
    # two seeds are as wrong as none
    assert find(every, [*every, np.add(centre["s"], 1)]) == [at("s")]


def test_objects_of_less_than_a_fifth_of_a_ball_are_not_disputed():
    labels = boxes_of([(2, 6), (10, 20), (10, 20)])  # 400 voxels of 0.2275 um3 are 91 um3
    none = np.empty((0, 3))
    assert find_places([(none, labels)], (1.3, 0.5, 0.35), 9.5) == [(4, 15, 15)]  # 0.2 x 449 um3
    assert find_places([(none, labels)], (1.3, 0.5, 0.35), 9.6) == []  # 0.2 x 463 um3


def test_enlarged_part_is_a_square_in_um_within_the_plane():
    shape, spacing = (10, 60, 120), (1.3, 0.5, 0.35)

    def window(y, x, diameter=5):  # 2.6 times 5 um are 26 rows and 37 columns
        rows, columns = module._window_around((4, y, x), spacing, diameter, shape)
        return (rows.start, rows.stop), (columns.start, columns.stop)

    assert window(30, 60) == ((17, 43), (42, 79))
    assert window(3, 118) == ((0, 26), (83, 120))
    assert window(30, 60, 100) == ((0, 60), (0, 120))
    assert window(30, 60, 0.01) == ((30, 31), (60, 61))


def test_seeds_in_a_window_are_relative_to_its_corner():
    seeds = np.array([[1, 10, 20], [2, 19.5, 29.5], [3, 20, 20], [4, 9.9, 25], [5, 15, 30]], float)
    inside = module._points_in(seeds, (slice(10, 20), slice(20, 30)))
    assert inside.tolist() == [[0, 0], [9.5, 9.5]]


@pytest.mark.parametrize(
    ("coordinates", "scale"), [("world", (1.3, 0.5, 0.35)), ("voxels", (1, 1, 1))]
)
def test_points_of_the_user_are_moved_to_the_region(coordinates, scale):
    chosen = {"region": [[2, 9], [10, 50], [20, 100]], "spacing": [1.3, 0.5, 0.35]}
    points = np.array([[4, 30, 60]]) * scale
    moved = module._shift_points(points, chosen, {"coordinates": coordinates})
    np.testing.assert_allclose(moved, np.array([[2, 20, 40]]) * scale)
    assert module._shift_points(None, chosen, {}) is None
