"""Image quality of stacks whose defects are known, because they are made here."""

import math

import cv2
import numpy as np
import pytest
from scipy import ndimage
from study import simulated

import measure_quality as script
from cellstack.config.columns import QUALITY_COLUMNS
from cellstack.files.records import read_json, write_json
from cellstack.files.scratch import scratch_stacks
from cellstack.files.stacks import write_stack
from cellstack.measure import measure_quality as module
from cellstack.measure.measure_quality import (
    block_means,
    flag_quality,
    measure_quality,
    quality_row,
)

SPACING = (1.5, 0.5, 0.25)
SHAPE = (12, 96, 80)
NOISE = 5.0
SIGNAL = 200.0


def blobs(shape=SHAPE, sizes=SIGNAL, noise=NOISE, background=100.0, seed=0):
    """Return columns of 16 x 16 pixels above a background, with noise; `sizes` by plane."""
    rng = np.random.default_rng(seed)
    image = np.full(shape, background)
    heights = np.broadcast_to(sizes, shape[0])
    for z, height in enumerate(heights):
        for y in range(8, shape[1] - 16, 32):
            for x in range(8, shape[2] - 16, 32):
                image[z, y : y + 16, x : x + 16] += height
    return (image + rng.normal(0, noise, shape)).round().clip(0).astype(np.uint16)


def quality_of(image, spacing=SPACING, no_data=None):
    return measure_quality(image, spacing, no_data)[0]


def flags_of(image, no_data=None):
    return flag_quality(quality_of(image, no_data=no_data))


def test_noise_and_signal_are_those_that_were_added():
    quality = quality_of(blobs())
    assert quality["noise_sd_intensity"] == pytest.approx(NOISE, rel=0.1)
    assert quality["signal_to_noise_ratio"] == pytest.approx(SIGNAL / NOISE, rel=0.1)
    assert flag_quality(quality) == []


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_the_type_of_the_image_does_not_matter(dtype):
    image = blobs(sizes=60.0, background=50.0)
    expected, found = quality_of(image), quality_of(image.astype(dtype))
    assert quality_row(found) == pytest.approx(quality_row(expected))


@pytest.mark.parametrize("mean", [20, 300])
def test_noise_alone_is_flagged(mean):
    image = np.random.default_rng(1).poisson(mean, SHAPE).astype(np.uint16)
    quality = quality_of(image)
    assert quality["signal_to_noise_ratio"] == pytest.approx(1.1, abs=0.1)
    assert quality["noise_sd_intensity"] == pytest.approx(math.sqrt(mean), rel=0.1)
    (flag,) = flag_quality(quality)
    assert flag.startswith("low signal to noise: the signal is 1")


def test_saturation_and_zeros_are_fractions_of_the_voxels():
    image = blobs()
    image[:6, :48, :40] = 4095
    image[6:, :, :40] = 0
    quality = quality_of(image)
    assert quality["saturated_fraction"] == pytest.approx(1 / 8)
    assert quality["zero_fraction"] == pytest.approx(1 / 4)
    assert any(flag.startswith("saturated: 12 % of the voxels") for flag in flag_quality(quality))
    assert quality_of(blobs())["saturated_fraction"] < 1e-3


def test_grey_levels_are_counted():
    image = np.zeros(SHAPE, np.uint8)
    image[:, ::2] = np.arange(0, 40 * 6, 6, dtype=np.uint8).repeat(2)
    assert quality_of(image)["count_grey_levels"] == 40
    assert quality_of(image.astype(np.float32) / 7)["count_grey_levels"] == 40
    coarse = (blobs() // 40 * 40).astype(np.uint16)
    count = len(np.unique(coarse))
    assert count < 10
    assert any(flag.startswith(f"only {count} different values") for flag in flags_of(coarse))


@pytest.mark.parametrize("per_plane", [0.8, 1.25, 1.0])
def test_dimming_is_that_of_the_signal(per_plane):
    sizes = SIGNAL * per_plane ** (np.arange(12) if per_plane < 1 else np.arange(12) - 11)
    quality, profile = measure_quality(blobs(sizes=sizes, noise=2.0), SPACING)
    assert quality["dimming_ratio"] == pytest.approx(per_plane**11, rel=0.1)
    np.testing.assert_allclose(profile["signal"], sizes, rtol=0.1)
    end = {0.8: "last", 1.25: "first"}.get(per_plane)
    assert [flag.partition(":")[0] for flag in flag_quality(quality)] == (
        [f"dim at the {end} planes"] if end else []
    )


def test_flags_do_not_contain_the_character_between_them():
    dim = blobs(sizes=SIGNAL * 0.8 ** np.arange(12))
    quality = quality_of(dim // 20 * 20)
    flags = flag_quality(quality)
    assert len(flags) == 2
    assert quality_row(quality)["flags"].split(";") == flags


def test_a_signal_that_differs_between_planes_is_not_taken_as_dimming():
    sizes = SIGNAL * np.array([0.1, 0.5, 1, 1, 0.6, 1, 1, 0.9, 0.5, 0.3, 0.1, 0.1])
    assert flags_of(blobs(sizes=sizes)) == []


def test_the_depth_at_which_the_signal_meets_the_noise():
    sizes = [0, 0, 40, 40, 40, 40, 40, 40, 40, 0.5 * NOISE, 0, 0]
    quality = quality_of(blobs(sizes=sizes))
    assert (quality["signal_start_um"], quality["signal_end_um"]) == (2 * 1.5, 8 * 1.5)
    empty = quality_of(blobs(sizes=0.0))
    assert (empty["signal_start_um"], empty["dimming_ratio"]) == (None, None)


@pytest.mark.parametrize("height", [0.2, 2.0])
def test_a_gradient_of_the_background(height):
    gradient = height * SIGNAL * np.linspace(0, 1, SHAPE[2])
    image = (blobs() + gradient).astype(np.uint16)
    quality = quality_of(image)
    tiles = 0.75  # between the centres of the outer ones, in units of the width
    expected = tiles * height * SIGNAL / (quality["signal_to_noise_ratio"] * NOISE)
    assert quality["background_range_ratio"] == pytest.approx(expected, rel=0.15)
    flagged = [flag for flag in flag_quality(quality) if flag.startswith("uneven background")]
    assert len(flagged) == (height == 2.0)


def test_bad_planes_are_named():
    image = blobs()
    image[3] = image[2]
    image[5] = 0
    image[8] = cv2.GaussianBlur(image[8].astype(np.float32), (0, 0), 4)
    quality = quality_of(image)
    assert quality["repeated_planes"] == [3]
    assert quality["missing_planes"] == [5]
    assert quality["blurred_planes"] == [8]
    assert flag_quality(quality) == [
        "1 plane is out of focus: 8 (objects are blurred there)",
        "1 plane is identical to an earlier plane: 3 (check the export)",
        "1 plane is empty: 5 (objects are cut there)",
    ]
    image[10] = image[1]
    assert quality_of(image)["repeated_planes"] == [3, 10]
    image[6:] = image[2]
    assert any("5, 6, 7, 8" not in flag and ", ..." in flag for flag in flags_of(image))


@pytest.mark.parametrize(
    ("planes", "value", "flagged"),
    [
        (SHAPE[0], 400, True),
        (SHAPE[0], 4000, True),
        (SHAPE[0], 0, False),  # as where a mask was applied
        (SHAPE[0] - 1, 400, False),
        (4, 400, False),  # a stack of so few planes can be the same by chance
    ],
)
def test_a_scale_bar_in_all_planes_is_flagged(planes, value, flagged):
    image = blobs() if planes > 4 else blobs((4, *SHAPE[1:]))
    image[:planes, -8:-4, -40:-8] = value
    flags = [flag for flag in flags_of(image) if "bright pixels" in flag]
    assert [flag.partition(" (")[0] for flag in flags] == [
        "128 bright pixels have the same value in all planes"
    ] * flagged
    outside = np.zeros(image.shape, bool)
    outside[:, -8:] = True
    assert not any("bright pixels" in flag for flag in flags_of(image, outside))


def test_labels_that_are_given_as_an_image_are_flagged():
    colony = simulated(shape=(12, 96, 96))
    flag = "most pixels have the value of the next one (labels or a mask instead of intensities?)"
    assert flag in flags_of(colony.nuclei_labels)
    assert flag in flags_of(7 * colony.cell_labels.astype(np.float32))
    assert flag not in flags_of(colony.nuclei_image)
    in_8_bit = colony.nuclei_image // (colony.nuclei_image.max() // 60)
    assert flag not in flags_of(in_8_bit.astype(np.uint8))
    clipped = np.clip(colony.nuclei_image, *np.percentile(colony.nuclei_image, (60, 95)))
    assert flag not in flags_of(clipped.astype(np.float32))


@pytest.mark.parametrize("place", [0, SHAPE[0]])
def test_a_projection_in_the_stack_is_named(place):
    image = blobs()
    image = np.insert(image, place, image.max(axis=0), axis=0)
    expected = (
        f"1 plane is the maximum projection of the others: {place} (remove it from the image)"
    )
    assert expected in flags_of(image)
    image[3 + place // 2, 50, 50] += 1000
    assert not any("projection" in flag for flag in flags_of(image))


def test_a_few_bad_pixels_of_the_camera_are_no_scale_bar():
    image = blobs()
    image[:, 5, 5:24] = 4000
    assert not any("bright pixels" in flag for flag in flags_of(image))
    image[:, 5, 24] = 4000
    assert any("20 bright pixels" in flag for flag in flags_of(image))


def test_copies_of_one_plane_are_no_scale_bar():
    image = np.repeat(blobs((1, *SHAPE[1:])), 12, axis=0)
    assert not any("bright pixels" in flag for flag in flags_of(image))


def test_planes_in_another_order_are_named():
    rng = np.random.default_rng(0)
    grain = ndimage.gaussian_filter(rng.standard_normal((24, 96, 80)), (2, 6, 6))
    noise = rng.normal(0, NOISE, grain.shape)
    image = (1000 + SIGNAL * grain / grain.std() + noise).astype(np.uint16)
    by_name = image[sorted(range(24), key=str)]  # 0, 1, 10, ..., 19, 2, 20, ...
    alternating = image.copy()
    alternating[1::2] = image[::-1][1::2]
    wall = image.copy()
    wall[9] = 2000 - wall[9]
    for changed, expected in (
        (image, []),
        (image[:2], []),
        (image[::-1], []),
        (wall, []),
        (by_name, [12]),
    ):
        assert quality_of(changed)["displaced_planes"] == expected
    assert len(quality_of(alternating)["misplaced_planes"]) > 10
    no_data = np.zeros(image.shape, bool)
    no_data[:, :30] = True
    by_name[no_data] = 0
    quality = quality_of(by_name, no_data=no_data)
    assert flag_quality(quality) == [
        "1 plane is unlike the planes on both sides: 12 (check the order of the planes)",
        "1 plane is unlike the plane before: 17 (check the order of the planes, and whether the "
        "sample moved)",
    ]
    assert flag_quality(quality, has_spots=True) == []


@pytest.mark.parametrize(("percent", "is_signal"), [(0.5, False), (2, True), (97, False)])
def test_the_signal_of_a_plane_is_that_of_its_brightest_hundredth(percent, is_signal):
    blocks = np.zeros((4, 20, 50))
    for plane in blocks:
        plane.ravel()[: round(10 * percent)] = SIGNAL
    image = blocks.repeat(4, axis=1).repeat(4, axis=2).astype(np.uint16)
    _, profile = measure_quality(image, SPACING)
    assert profile["signal"] == pytest.approx([SIGNAL * is_signal] * 4)


def test_planes_at_the_ends_are_not_out_of_focus():
    image = blobs()
    for z in (0, 11):
        image[z] = cv2.GaussianBlur(image[z].astype(np.float32), (0, 0), 4)
    assert quality_of(image)["blurred_planes"] == []


def test_regions_without_data_do_not_count():
    image = blobs()
    no_data = np.zeros(SHAPE, bool)
    no_data[:, :, 60:] = True
    no_data[11] = True
    expected, profile = measure_quality(image[:11, :, :60], SPACING)
    rotated = np.where(no_data, 0, image).astype(np.uint16)
    found, of_planes = measure_quality(rotated, SPACING, no_data)
    for name in ("noise_sd_intensity", "signal_to_noise_ratio", "background_range_ratio"):
        assert found[name] == pytest.approx(expected[name], rel=0.05, abs=0.01), name
    assert found["zero_fraction"] == 0
    assert flag_quality(found) == []
    assert of_planes["mean"][:11] == pytest.approx(profile["mean"])
    assert (of_planes["mean"][11], of_planes["signal"][11]) == (None, None)
    assert quality_of(rotated)["background_range_ratio"] > 0.3  # without the mask


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_signal_and_background_are_those_of_all_means_at_once(dtype, monkeypatch, tmp_path):
    image = blobs((9, 96, 84), np.linspace(60, 90, 9)).astype(dtype)
    image[:, :40, 60:] += 20
    no_data = np.zeros(image.shape, bool)
    no_data[:5, 50:, :30] = True
    means = np.stack([block_means(*each) for each in zip(image, ~no_data, strict=True)])
    known = means[~np.isnan(means)]
    low, high = np.percentile(known, (5, 99.5))
    tiles = [
        tile[~np.isnan(tile)]
        for rows in np.array_split(means, 4, axis=1)
        for tile in np.array_split(rows, 4, axis=2)
    ]
    levels = [float(np.percentile(tile, 10)) for tile in tiles]
    monkeypatch.setattr(module, "MAX_MEANS", 2 * means[0].size)
    with scratch_stacks(tmp_path) as allocate:
        quality, _ = measure_quality(image, SPACING, no_data, allocate)
    noise = quality["noise_sd_intensity"]
    assert quality["signal_to_noise_ratio"] == float(high - low) / noise
    assert quality["background_range_ratio"] == (max(levels) - min(levels)) / float(high - low)


def test_an_inverted_image_is_flagged():
    image = blobs()
    inverted = image.max() - image
    flag = "most voxels are bright (check whether the image is inverted"
    for each, expected in ((image, False), (inverted, True)):
        flags = flag_quality(quality_of(each), shows_objects=True)
        assert any(text.startswith(flag) for text in flags) == expected
    assert not any(flag in text for text in flags_of(inverted))  # a channel that is only measured


def test_the_profile_has_the_mean_of_each_plane():
    image = blobs()
    _, profile = measure_quality(image, SPACING)
    assert profile["mean"] == pytest.approx(image.mean(axis=(1, 2)).tolist())
    assert len(profile["focus"]) == len(profile["signal"]) == len(image)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("spacing", [(1.0, 0.4, 0.4), (3.2, 0.4, 0.4)])
def test_simulated_colonies_are_not_flagged(seed, spacing):
    colony = simulated(shape=(20, 96, 96), spacing=spacing, seed=seed)
    assert flags_of(colony.nuclei_image) == []
    assert flags_of(colony.membrane_image) == []


@pytest.mark.parametrize("shape", [(1, 30, 30), (3, 1, 40), (2, 2, 2), (5, 40, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("value", [0, 7])
def test_constant_and_odd_stacks(shape, dtype, value):
    image = np.full(shape, value, dtype)
    quality, profile = measure_quality(image, SPACING)
    assert flag_quality(quality) == []
    assert quality["count_grey_levels"] == 1
    assert quality["zero_fraction"] == (value == 0)
    assert profile["mean"] == [value] * shape[0]
    assert quality_of(image, no_data=np.ones(shape, bool))["zero_fraction"] == 0
    image.setflags(write=False)
    image = image + np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    assert quality_of(image)["missing_planes"] == []


def test_a_row_has_the_columns_of_the_table():
    row = quality_row(quality_of(blobs()))
    assert ["stack", "channel", *row] == list(QUALITY_COLUMNS)


def test_script(tmp_path):
    arguments = {"channels": ["nuclei", "dye"], "raw": [], "records": []}
    for i, channel in enumerate(arguments["channels"]):
        folder = tmp_path / channel
        folder.mkdir()
        image = blobs(seed=i)
        image[4] = image[3] if i else image[4]
        write_stack(folder / "raw.tif", image, SPACING)
        write_json(folder / "import.json", {"no_data": None})
        arguments["raw"].append(folder / "raw.tif")
        arguments["records"].append(folder / "import.json")
    script.main(**arguments, quality=tmp_path / "quality.json")
    found = read_json(tmp_path / "quality.json")
    assert list(found) == ["dye", "nuclei"]
    assert [each["row"]["count_repeated_planes"] for each in found.values()] == [1, 0]
    assert found["dye"]["planes"]["repeated_planes"] == [4]
    assert found["dye"]["profile"]["step_um"] == SPACING[0]
    assert len(found["dye"]["profile"]["mean"]) == SHAPE[0]
