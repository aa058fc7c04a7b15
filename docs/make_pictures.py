"""Make the pictures of the documentation from the demo.

python docs/make_pictures.py
python docs/make_pictures.py --stack nuclei.tif --ground-truth labels.tif --pictures FOLDER

Runs the demo with its gallery and its pages to explore if necessary, and the configurations of the
pages in docs/tutorial. Pictures of pages need a Chromium; without one they are left as they are.
With ``--stack``, the pictures of the tutorial are made of another stack that has a voxel size, such
as that of the lecture.
"""

import argparse
import base64
import importlib.util
import io
import itertools
import math
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage as ndi
from skimage import exposure, feature, filters, measure, morphology, restoration, segmentation

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

from cellstack.core.types import Spacing  # noqa: E402
from cellstack.files.readers import opening  # noqa: E402
from cellstack.files.readers.parts import Part  # noqa: E402
from cellstack.files.stacks import read_stack  # noqa: E402
from cellstack.prepare.import_stack import import_stack  # noqa: E402

PICTURES = ROOT / "docs" / "pictures"
EXAMPLE = ROOT / "docs" / "example.png"  # of the README
WORK = ROOT / ".venv" / "pictures"
DEMO = ROOT / "resources" / "simulated" / "ratio1"
RESULTS = ROOT / "results"
SMALL_UM3 = 20**3 * 0.29 * 0.26 * 0.26  # the lecture gives its sizes in voxels of its stack
MEDIAN_UM, BALL_UM, PEAKS_UM, PLANES_UM = 0.29, 5 * 0.26, 1.9, 10 * 0.29
CHAIN = ("images", "contrast", "filters", "thresholds", "morphology", "watershed", "features")
WIDTH = 9.6  # inches
DPI = 100
MAX_BYTES = 150_000

Array = NDArray[Any]


@dataclass(frozen=True)
class Example:
    """A stack of nuclei with its ground truth."""

    image: Path
    channel: str
    ground_truth: Path
    diameter_um: float = 10


def page_configuration(page: str) -> dict[str, Any]:
    """Return the first configuration on a page of the tutorial."""
    text = (ROOT / "docs" / "tutorial" / f"{page}.md").read_text(encoding="utf-8")
    found = re.search(r"^```yaml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return dict(yaml.safe_load(found[1])) if found else {}


def chain_configuration() -> dict[str, Any]:
    """Return the configurations of all pages together."""
    settings: dict[str, Any] = {}
    for page in CHAIN:
        settings |= page_configuration(page)
    return settings


def run_chain(example: Example, folder: Path, settings: Mapping[str, Any], name: str) -> Path:
    """Run a configuration on a stack, and return the folder of its results."""
    truth, _ = _import(example.ground_truth)
    (folder / "seeds").mkdir(parents=True, exist_ok=True)
    centres = np.round(ndi.center_of_mass(truth > 0, truth, np.unique(truth[truth > 0]))).astype(
        int
    )
    table = pd.DataFrame(centres, columns=["axis-0", "axis-1", "axis-2"])
    table.to_csv(folder / "seeds" / "lecture.csv", index=False)
    row = {"stack": "lecture", "channel": "nuclei", "image": example.image.resolve()}
    row |= {"channel_index": example.channel, "preset": settings.get("preset", "default")}
    row |= {"ground_truth": example.ground_truth.resolve()}
    pd.DataFrame([row]).to_csv(folder / "stacks.csv", index=False)
    config = {key: value for key, value in settings.items() if key != "preset"}
    config |= {"stacks": "stacks.csv", "diameter_um": {"nuclei": example.diameter_um}}
    config |= {"pathvars": {"results": f"results-{name}", "logs": f"logs-{name}"}}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    nuclei = f"results-{name}/lecture/nuclei"
    _snakemake(
        *("--snakefile", ROOT / "Snakefile", "--directory", folder),
        *("--configfile", folder / f"{name}.yaml", "--quiet", "all", "--"),
        *(
            f"{nuclei}/objects.csv",
            f"{nuclei}/labels.ome.tif",
            f"results-{name}/lecture/scores.json",
        ),
        f"results-{name}/lecture/channels/nuclei/edges.tif",
    )
    return folder / f"results-{name}" / "lecture"


def _snakemake(*arguments: object) -> None:
    command = [sys.executable, "-m", "snakemake", "--cores", "all", *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def _read(path: Path) -> tuple[Array, Spacing]:
    stack, spacing = read_stack(path)
    return np.asarray(stack), tuple(spacing)


def _import(path: Path) -> tuple[Array, Spacing]:
    """Read an image of any format."""
    anywhere = {"z": None, "y": None, "x": None}
    with opening.open_image([path], Part(None, None, None)) as source:
        read = import_stack(
            source, path.name, channel="nuclei", channel_index=None, spacing=anywhere
        )
    return np.asarray(read.stack), tuple(read.spacing)


def plain_steps(raw: Array, spacing: Spacing, points: Array) -> dict[str, Array]:
    """Return the steps of the lecture, in plain scikit-image.

    Parameters
    ----------
    raw : (Z, Y, X) ndarray
        Nuclei.
    spacing : (3,) sequence of float
        Voxel size along z, y, x in um.
    points : (n, 3) ndarray of int
        A voxel in each nucleus.

    Returns
    -------
    dict of str to (Z, Y, X) ndarray
        The result of each step.
    """
    low, high = np.percentile(raw, (0.5, 99.5))
    contrast = exposure.rescale_intensity(raw, (low, high), np.float32).astype(np.float32)
    denoised = ndi.median_filter(contrast, size=_box(MEDIAN_UM, spacing))
    edges = filters.sobel(denoised)
    mask = denoised > filters.threshold_li(denoised)
    small = round(SMALL_UM3 / math.prod(spacing))
    filled = morphology.remove_small_holes(mask, max_size=small)
    cleaned = morphology.remove_small_objects(filled, max_size=small)
    markers = np.zeros(raw.shape, np.int32)
    markers[tuple(points.T)] = np.arange(len(points)) + 1
    balls = morphology.dilation(markers, morphology.ball(round(BALL_UM / spacing[2])))
    labels = segmentation.watershed(edges, balls, mask=cleaned)
    distance = ndi.distance_transform_edt(cleaned, sampling=spacing)
    steps = {"contrast": contrast, "denoised": denoised, "edges": edges, "mask": mask}
    steps |= {"cleaned": cleaned, "distance": distance}
    return steps | {"labels": labels}


def _box(radius_um: float, spacing: Spacing) -> tuple[int, ...]:
    return tuple(2 * math.floor(radius_um / step + 0.5) + 1 for step in spacing)


def plain_solution(raw: Array, spacing: Spacing) -> Array:
    """Return the labels of the solution of the lecture."""
    low, high = np.percentile(raw, (0.5, 99.5))
    rescaled = exposure.rescale_intensity(raw, (low, high), np.float32).astype(np.float32)
    denoised = np.stack([restoration.denoise_bilateral(plane) for plane in rescaled])
    mask = denoised >= 0.9 * filters.threshold_li(denoised)
    small = round(SMALL_UM3 / math.prod(spacing))
    filled = morphology.remove_small_holes(mask, max_size=small)
    cleaned = morphology.remove_small_objects(filled, max_size=small)
    middle = int(np.argmax([plane.var() for plane in cleaned]))
    seeded, reach = np.zeros_like(cleaned), round(PLANES_UM / spacing[0])
    planes = slice(max(middle - reach, 0), middle + reach)
    seeded[planes] = cleaned[planes]
    peaks = feature.peak_local_max(
        ndi.distance_transform_edt(seeded),
        footprint=np.ones(_box(PEAKS_UM, spacing)),
        labels=measure.label(seeded),
    )
    markers = np.zeros(raw.shape, bool)
    markers[tuple(peaks.T)] = True
    return np.asarray(
        segmentation.watershed(-rescaled, measure.label(markers), mask=cleaned), np.int32
    )


def clear_sides(labels: Array) -> Array:
    """Remove objects that touch a lateral face and renumber the others, as in the lecture."""
    padded = np.pad(labels, ((1, 1), (0, 0), (0, 0)))
    return np.asarray(
        segmentation.relabel_sequential(segmentation.clear_border(padded)[1:-1])[0], np.int32
    )


def number_as(reference: Array, labels: Array) -> Array:
    """Give each object the label of the true object that it overlaps most.

    Each number is given once, first to the largest overlap; the other objects get new numbers.

    Examples
    --------
    >>> number_as(np.array([0, 5, 5, 5, 7, 7]), np.array([0, 1, 2, 2, 3, 0])).tolist()
    [0, 8, 5, 5, 7, 0]
    """
    both = (reference > 0) & (labels > 0)
    pairs = np.column_stack([reference[both], labels[both]])
    found, sizes = np.unique(pairs, axis=0, return_counts=True)
    numbers: dict[int, int] = {}
    for true_label, label in found[np.argsort(-sizes, kind="stable")].tolist():
        if label not in numbers and true_label not in numbers.values():
            numbers[label] = true_label
    lookup = np.zeros(int(labels.max(initial=0)) + 1, int)
    following = itertools.count(int(reference.max(initial=0)) + 1)
    for label in np.unique(labels[labels > 0]).tolist():
        lookup[label] = numbers.get(label) or next(following)
    return lookup[labels]


# Figures


def _figure(count: int, height: float) -> tuple[Figure, list[Axes]]:
    figure = Figure((WIDTH, height), dpi=DPI, layout="constrained")
    return figure, [figure.add_subplot(1, count, index + 1) for index in range(count)]


def _show(axes: Axes, image: Array, title: str, cmap: str = "gray", aspect: float = 1) -> None:
    axes.imshow(image, cmap=cmap, aspect=aspect, interpolation="nearest")
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def _show_labels(
    axes: Axes, labels: Array, title: str, truth: Array | None, aspect: float = 1
) -> None:
    rng = np.random.default_rng(3)
    colors = np.vstack([[0.05] * 3, rng.uniform(0.25, 1, (max(int(labels.max()), 1), 3))])
    axes.imshow(colors[labels], aspect=aspect, interpolation="nearest")
    if truth is not None:
        for label in np.unique(truth[truth > 0]):
            axes.contour(truth == label, [0.5], colors="white", linewidths=0.7)
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()


def _save(figure: Figure, path: Path) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    _write(Image.open(buffer), path)


def _write(image: Image.Image, path: Path) -> None:
    """Save a picture with 256 colours, or fewer if the file would be too large."""
    # the second method keeps the few pixels of coloured outlines
    for colors, method in ((256, Image.Quantize.MEDIANCUT), (128, Image.Quantize.MAXCOVERAGE)):
        small = image.convert("RGB").quantize(colors, method, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
        if path.stat().st_size < MAX_BYTES:
            return


def draw_tutorial(example: Example, pictures: Path) -> None:
    """Draw the pictures of the pages of the tutorial."""
    truth, spacing = _import(example.ground_truth)
    folder = WORK if pictures == PICTURES else pictures / "runs"
    lecture = run_chain(example, folder, chain_configuration(), "lecture")
    default = run_chain(example, folder, {}, "default")
    files = {path.stem: _read(path)[0] for path in lecture.glob("*/*/*.tif")}
    files |= {path.stem: _read(path)[0] for path in lecture.glob("nuclei/*.tif")}
    raw = files["raw"]
    points = pd.read_csv(folder / "seeds" / "lecture.csv").to_numpy()
    plain = plain_steps(raw, spacing, points)
    z, y = len(raw) // 2, raw.shape[1] // 2

    figure = Figure((WIDTH, 3.7), dpi=DPI, layout="constrained")
    step = max(round(1.04 / spacing[0]), 1)
    sides, ratio = raw[::step, y], step * spacing[0] / spacing[2]
    left, right = figure.subfigures(1, 2, width_ratios=[1, 1.4])
    _show(left.add_subplot(), raw[z], f"plane {z}: (row, column)")
    top, bottom = right.subplots(2, 1, height_ratios=[1, ratio])
    _show(top, sides, "(plane, column) in voxels")
    _show(bottom, sides, "the same in um", aspect=ratio)
    _save(figure, pictures / "tutorial_images.png")

    figure, axes = _figure(3, 3.6)
    _show(axes[0], raw[z], "the file")
    _show(axes[1], plain["contrast"][z], "scikit-image: rescale_intensity")
    _show(axes[2], files["contrast"][z], "cellstack: percentile_stretch")
    _save(figure, pictures / "tutorial_contrast.png")

    figure, axes = _figure(4, 2.8)
    part = np.s_[z, 60:160, 60:160] if raw.shape[2] > 200 else np.s_[z]
    _show(axes[0], plain["denoised"][part], "median_filter")
    _show(axes[1], files["denoised"][part], "cellstack: median")
    _show(axes[2], plain["edges"][part], "filters.sobel")
    _show(axes[3], files["edges"][part], "cellstack: sobel")
    _save(figure, pictures / "tutorial_filters.png")

    figure, axes = _figure(3, 3.6)
    masks = (plain["mask"], files["mask"], _read(default / "nuclei" / "mask.tif")[0])
    for ax, mask, title in zip(
        axes, masks, ("scikit-image: Li", "cellstack: li", "cellstack: per_object"), strict=True
    ):
        _show(ax, mask[z] > 0, title)
        ax.contour(truth[z] > 0, [0.5], colors="tab:orange", linewidths=0.8)
    _save(figure, pictures / "tutorial_thresholds.png")

    figure, axes = _figure(3, 3.6)
    _show(axes[0], plain["mask"][z], "the mask")
    _show(axes[1], plain["cleaned"][z], "scikit-image: remove_small_...")
    _show(axes[2], files["mask_clean"][z] > 0, "cellstack: clean_mask")
    _save(figure, pictures / "tutorial_morphology.png")

    figure, axes = _figure(3, 3.6)
    found = _read(default / "nuclei" / "segmentation.tif")[0]
    for ax, labels, title in zip(
        axes,
        (number_as(truth, each) for each in (plain["labels"], files["segmentation"], found)),
        ("scikit-image, balls on edges", "cellstack, the same steps", "cellstack, default"),
        strict=True,
    ):
        _show_labels(ax, labels[z], title, truth[z])
    _save(figure, pictures / "tutorial_watershed.png")

    figure, axes = _figure(2, 3.6)
    regions = measure.regionprops_table(
        clear_sides(plain["labels"]), raw, properties=("area", "solidity", "intensity_mean")
    )
    table = pd.read_csv(lecture / "nuclei" / "objects.csv")
    for ax, x, row, brightness, name, title in (
        (axes[0], regions["area"], regions["solidity"], regions["intensity_mean"],
         "area (voxels)", "scikit-image: regionprops"),
        (axes[1], table["volume_um3"], table["solidity"], table["mean_intensity_nuclei"],
         "volume_um3", "cellstack: objects.csv"),
    ):  # fmt: skip
        ax.scatter(x, row, c=brightness, cmap="viridis", s=40, edgecolors="black", linewidths=0.4)
        ax.set(xlabel=name, ylabel="solidity", title=title, xlim=(0, None))
    _save(figure, pictures / "tutorial_features.png")

    figure = Figure((WIDTH, 5.2), dpi=DPI, layout="constrained")
    rows = figure.subplots(2, 2, height_ratios=[raw.shape[1], len(raw) * spacing[0] / spacing[1]])
    solution, ratio = plain_solution(raw, spacing), spacing[0] / spacing[2]
    for column, (labels, title) in enumerate(
        ((solution, "the lecture's solution"), (found, "default settings"))
    ):
        shown = number_as(truth, labels)
        _show_labels(rows[0, column], shown[z], title, truth[z])
        _show_labels(rows[1, column], shown[:, y], "", truth[:, y], ratio)
    _save(figure, pictures / "tutorial_challenges.png")


def draw_stages() -> None:
    """Draw how a stack becomes labels, stage by stage."""
    folder = RESULTS / "simulated-ratio1"
    names = {
        "raw": "raw.tif", "denoised": "denoised.tif", "mask": "mask.tif",
        "mask_clean": "mask_clean.tif",
        "distance": "distance.tif and seeds", "watershed": "watershed.tif",
        "segmentation": "segmentation.tif", "labels.ome": "labels.ome.tif",
    }  # fmt: skip
    paths = {path.stem: path for path in (folder / "channels" / "nuclei").glob("*.tif")}
    paths |= {path.stem: path for path in (folder / "nuclei").glob("*.tif")}
    segmentation = _read(paths["segmentation"])[0]
    figure = Figure((WIDTH, 5.2), dpi=DPI, layout="constrained")
    z = 28
    for axes, (name, title) in zip(figure.subplots(2, 4).ravel(), names.items(), strict=True):
        image = _read(paths[name])[0]
        if name in ("watershed", "segmentation", "labels.ome"):
            _show_labels(axes, number_as(segmentation, image)[z], title, None)
            continue
        _show(axes, image[z], title, "magma" if name == "distance" else "gray")
        if name == "distance":
            seeds = _read(paths["seeds"])[0].max(axis=0)
            places = np.array(ndi.center_of_mass(seeds > 0, seeds, np.unique(seeds[seeds > 0])))
            axes.plot(places[:, 1], places[:, 0], ".", color="cyan", markersize=4)
    _save(figure, PICTURES / "stages.png")


def _example_nucleus() -> tuple[Array, Spacing, Array, Mapping[str, float]]:
    """Return the raw stack, its voxel size, the labels, and a round nucleus without flags."""
    folder = RESULTS / "simulated-ratio1"
    raw, spacing = _read(folder / "channels" / "nuclei" / "raw.tif")
    labels = _read(folder / "nuclei" / "labels.ome.tif")[0]
    table = pd.read_csv(folder / "nuclei" / "objects.csv")
    chosen = table[table["flags"].isna()].sort_values("sphericity").iloc[-1]
    return raw, spacing, labels, dict(chosen)


def draw_diameter() -> None:
    """Draw how a diameter is measured on a line through a nucleus."""
    raw, spacing, _, nucleus = _example_nucleus()
    z, y, x = (
        round(nucleus[f"centroid_{axis}_um"] / step)
        for axis, step in zip("zyx", spacing, strict=True)
    )
    reach = round(9 / spacing[2])
    # the mean of a band, because the texture inside a nucleus has dark spots
    band = raw[z - 2 : z + 3, y - 6 : y + 7, max(x - reach, 0) : x + reach]
    line = ndi.gaussian_filter(band.mean(axis=(0, 1)), 1.5)
    position, centre = np.arange(len(line)) * spacing[2], min(x, reach)
    half = (line.min() + line[centre - 12 : centre + 13].mean()) / 2
    outside = np.flatnonzero(line <= half)
    ends = position[[outside[outside < centre][-1] + 1, outside[outside > centre][0] - 1]]
    figure, (left, right) = _figure(2, 3.7)
    part = raw[z, max(y - reach, 0) : y + reach, max(x - reach, 0) : x + reach]
    size = [0, part.shape[1] * spacing[2], part.shape[0] * spacing[1], 0]
    left.imshow(part, cmap="gray", extent=size)
    row = min(y, reach) * spacing[1]
    left.plot(ends, [row, row], color="yellow", linewidth=2, marker="|", markersize=12)
    left.set(
        title="a line across the plane with the largest section", xlabel="x (um)", ylabel="y (um)"
    )
    right.plot(position, line, color="black")
    right.axhline(half, color="grey", linestyle=":")
    right.plot(ends, [half, half], color="goldenrod", linewidth=3)
    right.set(xlabel="position on the line (um)", ylabel="intensity")
    right.set_title(f"its intensity: {ends[1] - ends[0]:.1f} um at half of the height")
    _save(figure, PICTURES / "diameter.png")


def draw_outlines() -> None:
    """Draw the outline of a nucleus at several levels, and its volume at each."""
    raw, spacing, _, nucleus = _example_nucleus()
    z, y, x = (
        round(nucleus[f"centroid_{axis}_um"] / step)
        for axis, step in zip("zyx", spacing, strict=True)
    )
    smooth = ndi.gaussian_filter(raw.astype(float), [0.75 / step for step in spacing])
    reach = [round(8 / step) for step in spacing]
    part = smooth[tuple(slice(max(c - r, 0), c + r) for c, r in zip((z, y, x), reach, strict=True))]
    middle = tuple(min(c, r) for c, r in zip((z, y, x), reach, strict=True))
    low, high = np.percentile(smooth, 20), part[middle]
    levels = (0.25, 0.45, 0.65)
    figure, (left, right) = _figure(2, 3.7)
    left.imshow(part[middle[0]], cmap="gray", extent=[0, 2 * reach[2], 2 * reach[1], 0])
    line = part[middle[0], middle[1]]
    position = np.arange(len(line)) * spacing[2]
    right.plot(position, line, color="black")
    for level, color in zip(levels, ("#0072b2", "#d55e00", "#009e73"), strict=True):
        value = low + level * (high - low)
        inside = measure.label(part > value)
        volume = np.count_nonzero(inside == inside[middle]) * math.prod(spacing)
        left.contour(
            (inside == inside[middle])[middle[0]], [0.5], colors=color, linewidths=1.5,
            extent=[0, 2 * reach[2], 0, 2 * reach[1]],
        )  # fmt: skip
        right.axhline(value, color=color, label=f"level {level}: {volume:.0f} um3")
    left.set_axis_off()
    right.set_ylim(top=1.4 * line.max())
    right.legend(fontsize=9, loc="upper center")
    right.set(xlabel="position on a line through the centre (um)", ylabel="intensity, smoothed")
    _save(figure, PICTURES / "outlines.png")


def _browser() -> Any:
    """Return the browser of the tests."""
    sys.path.insert(0, str(ROOT / "tests"))
    spec = importlib.util.spec_from_file_location("browser", ROOT / "tests" / "browser.py")
    module = importlib.util.module_from_spec(spec) if spec else None
    if module is None or spec is None or spec.loader is None:
        raise FileNotFoundError("tests/browser.py")
    spec.loader.exec_module(module)
    return module


SCREENS: Sequence[tuple[str, str, str, int, int]] = (  # picture, page, anchor, size
    ("page_of_results.png", "index.html", "", 1180, 795),
    ("stack_of_results.png", "index.html", "#stack-simulated-ratio1", 1180, 695),
    ("explore.png", "simulated-ratio4/explore.html", "", 980, 648),
    ("gallery.png", "simulated-ratio1/gallery/index.html", "#contrast", 1180, 845),
    ("final_labels.png", "simulated-ratio1/gallery/index.html", "#final_labels", 1180, 398),
    ("evaluation.png", "evaluation.html", "", 820, 665),
)
ACTIONS = {"explore.png": "document.querySelector('#sides').click(), 0"}  # before the picture


def photograph_pages() -> None:
    """Take pictures of the pages of the demo."""
    browser = _browser()
    if not any(map(shutil.which, browser.NAMES)):
        print("no Chromium: pictures of pages are not made again")
        return
    with tempfile.TemporaryDirectory() as profile:
        page = browser.start(profile)
        page._call("Emulation.setScrollbarsHidden", hidden=True)
        for picture, path, target, width, height in SCREENS:
            page._call(
                "Emulation.setDeviceMetricsOverride",
                **{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
            )
            page.open("about:blank")  # a page is not loaded again for another anchor
            page.open((RESULTS / path).as_uri() + target)
            page.evaluate(ACTIONS.get(picture, "0"))
            page.evaluate("new Promise(done => setTimeout(() => done(true), 1500))")
            data = page._call("Page.captureScreenshot", format="png")["data"]
            _write(Image.open(io.BytesIO(base64.b64decode(data))), PICTURES / picture)
        page.close()


def main() -> int:
    """Make all pictures, or those of the tutorial of another stack."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stack", type=Path, help="image of nuclei, instead of the demo")
    parser.add_argument("--ground-truth", type=Path, help="labels of this image")
    parser.add_argument("--diameter", type=float, default=11, help="of its nuclei, in um")
    parser.add_argument("--pictures", type=Path, default=PICTURES, help="folder of the pictures")
    options = parser.parse_args()
    options.pictures.mkdir(parents=True, exist_ok=True)
    if options.stack:
        example = Example(options.stack, "", options.ground_truth, options.diameter)
        draw_tutorial(example, options.pictures)
        return 0
    _snakemake("--quiet", "all")
    _snakemake("gallery", "explore", "evaluate", "--quiet", "all")
    draw_tutorial(Example(DEMO / "image.ome.tif", "nuclei", DEMO / "nuclei.ome.tif"), PICTURES)
    shutil.copy(RESULTS / "simulated-ratio1" / "figures" / "nuclei_segmentation.png", EXAMPLE)
    draw_stages()
    draw_diameter()
    draw_outlines()
    photograph_pages()
    large = [path for path in PICTURES.glob("*.png") if path.stat().st_size > MAX_BYTES]
    print("\n".join(f"{path}: more than {MAX_BYTES} bytes" for path in large))
    return len(large)


if __name__ == "__main__":
    sys.exit(main())
