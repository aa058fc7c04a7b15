import re
import string

import pytest
from study import ROOT

import write_methods as script
from cellstack.config.lengths import AUTO
from cellstack.config.schemas import Schemas
from cellstack.config.settings import fill_defaults, method_blocks, stage_arguments
from cellstack.files.records import write_json
from cellstack.publish import sentences
from cellstack.publish.citations import CITATION_OF_PACKAGE, CITATIONS
from cellstack.publish.write_methods import CITED, ORDER, Group, write_methods

STAGES = Schemas.read(ROOT / "config").stages
CHOICES = [
    (stage, method)
    for stage in dict.fromkeys((*ORDER["nuclei"], *ORDER["cells"]))
    for method in method_blocks(STAGES["properties"][stage], STAGES)
]
SOFTWARE = {
    "cellstack": "1.2.3",
    "commit": "abc",
    "python": "3.11",
    "packages": {"numpy": "2.0", "scipy": "1.9", "snakemake": "9.1", "zarr": "3.0"},
}
PACKAGES = {"denoise": ["numpy", "os"], "detect_edges": ["scipy"], "import_labels": ["zarr"]}


def arguments(stage, **changes):
    block = fill_defaults({}, STAGES["properties"][stage], STAGES)
    return stage_arguments(stage, block | changes, AUTO, STAGES)


def group(kind="nuclei", stacks=("a",), external=False, with_nuclei=True, **changes):
    used = ("import_stack", "select_objects") if external else ORDER[kind]
    stages = {stage: arguments(stage, **changes.get(stage, {})) for stage in used}
    if "detect_edges" not in changes:
        stages.pop("detect_edges", None)
    return Group(kind, list(stacks), external, with_nuclei, stages)


def row(stack, kind="nuclei", diameter_um="10", source="given", size=("1", "0.4", "0.3")):
    sizes = {f"voxel_size_{axis}_um": each for axis, each in zip("zyx", size, strict=True)}
    found = {"stack": stack, "object": kind, "diameter_um": diameter_um}
    return found | {"diameter_source": source} | sizes


def describe(groups, rows, records=None, **options):
    records = records or {"a/nuclei": {"channel": {"index": 0}}}
    return write_methods(groups, rows, records, SOFTWARE, PACKAGES, **options)


@pytest.mark.parametrize(("stage", "method"), CHOICES)
def test_each_method_is_described(stage, method):
    has_steps = "steps" in STAGES["properties"][stage]["properties"]
    choice = {"steps": [method]} if has_steps else {"method": method}
    kind = "nuclei" if stage in ORDER["nuclei"] else "cells"
    changes = {stage: choice}
    if stage == "detect_edges":
        changes["split_objects"] = {"method": "edges"}
    text = describe([group(kind, **changes)], [row("a", kind)]).text
    sentence = re.sub(r"\{[^}]*\}", "{}", sentences.METHODS[stage][method])
    longest = max(sentence.split("{}"), key=len)
    assert longest.format() in text
    assert not set("{}") & set(text)
    # no option is left out, except those that change only how it is computed
    named = {name for _, name, _, _ in string.Formatter().parse(sentences.METHODS[stage][method])}
    named = {name.partition("?")[0] for name in named if name}
    options = method_blocks(STAGES["properties"][stage], STAGES)[method].get("properties", {})
    ignored = {"implementation", "fast_mode", "sigma_noise", "exclude_border", "shape"}
    ignored |= {"face_weight", "path", "coordinates", "nbins"}
    assert options.keys() - named <= ignored
    if stage != "find_cell_seeds":
        assert named - {"objects", "object"} <= options.keys()


def test_sentences_describe_methods_of_the_schema_only():
    known = {
        stage: set(method_blocks(STAGES["properties"][stage], STAGES))
        for stage in sentences.METHODS
    }
    assert {stage: set(methods) for stage, methods in sentences.METHODS.items()} == known


def test_each_citation_has_an_entry_and_each_entry_is_cited():
    texts = [*sentences.STAGES.values(), sentences.MEASURED, sentences.SCORED]
    texts += [text for methods in sentences.METHODS.values() for text in methods.values()]
    texts += [sentences.COMPACTNESS, *sentences.SEGMENTERS.values()]
    texts += [sentences.NUMBER_OF_UNITS, sentences.ALL_GROUPS, sentences.INTERVALS]
    texts += [*sentences.TESTS.values(), *sentences.CORRECTED.values()]
    cited = {key for text in texts for key in CITED.findall(text)}
    assert cited | set(CITATION_OF_PACKAGE.values()) == CITATIONS.keys()
    for key, entry in CITATIONS.items():
        assert re.match(rf"@\w+\{{{key},\n", entry)
        assert entry.count("{") == entry.count("}")
        assert re.search(r"year = \{\d{4}\}", entry)
        assert re.search(r"author = \{", entry) and re.search(r"title = \{", entry)


@pytest.mark.parametrize(
    ("method", "options", "sentence"),
    [
        (
            "command",
            {"command": "/home/me/bin/run --in {image} --out {output}", "files": []},
            "by another program, with the command `run --in {image} --out {output}`.",
        ),
        (
            "cellpose",
            {"python": "/opt/python", "model": "/home/me/models/my_nuclei"},
            "by cellpose [@stringer2021] with the model my_nuclei, in 3D.",
        ),
        (
            "stardist",
            {"python": None, "model": "3D_demo"},
            "by StarDist [@weigert2020] with the model 3D_demo.",
        ),
    ],
)
def test_another_segmenter_is_described_instead_of_the_stages(method, options, sentence):
    stages = {stage: arguments(stage) for stage in ("import_stack", "select_objects")}
    stages["run_segmenter"] = {"method": method, "options": options}
    text = describe([Group("nuclei", ["a"], False, False, stages)], [row("a")]).text
    assert f"The nuclei were segmented {sentence}" in text
    assert "Objects below 52.36 µm³ were not measured." in text
    for word in ("/home", "watershed", "threshold", "external"):
        assert word not in text


@pytest.mark.parametrize(
    ("applied", "not_applied", "sentence"),
    [
        ("0", "0", ""),
        ("2", "2", ""),
        ("3", "1", "The nuclei of 1 stack were corrected by hand (2 corrections)."),
    ],
)
def test_corrections_by_hand_are_counted(applied, not_applied, sentence):
    rows = [row("a"), row("b"), row("a", "cells")]
    rows[0] |= {"count_corrections": applied, "count_corrections_not_applied": not_applied}
    text = describe([group(stacks=["a", "b"]), group("cells")], rows).text
    assert sentence in text
    assert ("by hand" in text) == bool(sentence)


def test_only_what_was_used_is_named():
    found = describe([group(binarize={"method": "otsu"})], [row("a")])
    assert "Otsu" in found.text and "otsu1979" in found.bibliography
    for key in ("li1998", "sato1998", "meyer1990", "schmidt2018", "neubert2014"):
        assert key not in found.bibliography
    assert set(CITED.findall(found.text)) == set(
        re.findall(r"^@\w+\{(\w+),", found.bibliography, re.M)
    )
    assert "numpy 2.0 [@harris2020] and snakemake 9.1 [@molder2021]." in found.text
    for word in ("scipy", "zarr", "edges", "Cells", "Accuracy", "simulated"):
        assert word not in found.text
    with_edges = group(split_objects={"method": "edges"}, detect_edges={})
    assert "scipy 1.9" in describe([with_edges], [row("a")]).text


def test_sizes_are_in_um_and_a_range_where_diameters_differ():
    one = describe([group()], [row("a", diameter_um="8")]).text
    assert "derived from the typical diameter of a nucleus, 8 µm. Inten" in one
    assert "Gaussian filter (standard deviation 0.6 µm)" in one  # 0.075 d
    both = [row("a", diameter_um="8"), row("b", diameter_um="12", source="estimated")]
    text = describe([group(stacks=["a", "b"])], both).text
    assert "diameter of a nucleus, 8 to 12 µm. For stack b, it was estimated" in text
    assert "(standard deviation 0.6 to 0.9 µm)" in text
    assert "at most 8.042 to 27.14 µm³" in text  # 0.03 v
    assert "at most 4289 to 14480 µm³" in text  # 16 v


def test_how_the_outline_was_drawn():
    changed = {"method": "per_object", "per_object": {"level": 0.31}}
    block = fill_defaults(changed, STAGES["properties"]["binarize"], STAGES)
    text = describe([group(binarize=block)], [row("a")]).text
    assert "0.31 of the way from the intensity of its surroundings (within 15 µm)" in text


def test_limits_of_seeds_are_described():
    own = {"z_scale": 0.9, "planes": "half_filled", "plane_range_um": 2.5, "radius_um": 1.25}
    text = describe([group(find_seeds=own)], [row("a")]).text
    for sentence in (
        "the voxel size along z was multiplied by 0.9.",
        "planes within 2.5 µm of the plane that was closest to half filled by the mask.",
        "The seeds were enlarged to balls (radius 1.25 µm).",
    ):
        assert sentence in text
        assert sentence not in describe([group()], [row("a")]).text
    middle = describe([group(find_seeds=own | {"planes": "middle"})], [row("a")]).text
    assert "planes within 2.5 µm of the middle plane." in middle


def test_different_settings_are_told_apart():
    groups = [
        group(stacks=["a", "b"]),
        group(stacks=["c"], denoise={"method": "median"}),
        group(stacks=["d"], clean_mask={"steps": []}),
    ]
    text = describe(groups, [row(name) for name in "abcd"]).text
    nuclei = text.split("## Nuclei\n\n")[1].split("\n\n## ")[0].split("\n\n")
    assert nuclei[0].startswith("**Stacks a and b.** Sizes were derived")
    assert nuclei[1] == (
        "**Stack c.** As for stacks a and b, with these differences. Noise was reduced by a median "
        "filter in 3D (half side 0.6 µm)."
    )
    assert nuclei[2] == (
        "**Stack d.** As for stacks a and b, with these differences. The mask was not cleaned."
    )


def test_external_labels_and_accuracy():
    groups = [group(stacks=["a"]), group(stacks=["b"], external=True)]
    scored = {"a": False, "b": True}
    found = describe(groups, [row("a"), row("b", diameter_um="")], scored=scored)
    assert "**Stack b.** The nuclei were segmented externally" in found.text
    assert "The segmentation of stack a was compared with a ground truth." in found.text
    assert "The segmentation of stack b was compared with points" in found.text
    assert "schmidt2018" in found.bibliography
    remote = {"a/nuclei": {"format": "OME-Zarr", "channel": {"index": 0}}}
    assert "zarr 3.0" in describe(groups, [row("a"), row("b")], remote).text
    assert "zarr" not in found.text


def test_cells_without_nuclei():
    with_nuclei, without = (
        describe([group("cells", with_nuclei=each)], [row("a", "cells")]).text
        for each in (True, False)
    )
    assert "Each nucleus was the seed of a cell" in with_nuclei
    assert "seeds of cells without a nucleus." in with_nuclei
    assert "nucleus" not in without.split("## Cells")[1].split("## Measurements")[0]
    assert "were treated as background" in without


def test_voxel_sizes_and_acquisition_are_told_apart():
    said = {"objective": "63x", "channels": [{"emission_nm": 461.0}, {"exposure_ms": 20.5}]}
    records = {
        "a/nuclei": {"acquisition": said, "channel": {"index": 1}},
        "b/nuclei": {"acquisition": {}, "channel": {"index": 0}},
    }
    rows = [row("a"), row("b", size=("2", "0.4", "0.3"))]
    text = describe([group(stacks=["a", "b"])], rows, records, simulated=["b"]).text
    assert "The voxel size of stack a was 1 x 0.4 x 0.3 µm along z, y and x." in text
    assert "The voxel size of stack b was 2 x 0.4 x 0.3 µm" in text
    assert "Stack b is simulated." in text
    assert "acquired as follows: nuclei: objective 63x, exposure 20.5 ms (stack a)." in text


def test_channels_that_only_some_stacks_have_are_told_apart():
    names = ["a/nuclei", "a/membrane", "b/nuclei", "c/membrane"]
    records = {name: {"channel": {"index": 0}} for name in names}
    rows = [row("a"), row("b"), row("c", "cells")]
    groups = [group(stacks=["a", "b"]), group("cells", stacks=["a", "c"])]
    text = describe(groups, rows, records).text
    assert "3 stacks were analysed. The channel nuclei was present in stacks a and b. " in text
    assert "The channel membrane was present in stacks a and c." in text
    del records["c/membrane"]
    text = describe([group(stacks=["a", "b"])], rows[:2], records).text
    assert "2 stacks with the channel nuclei were analysed. The channel membrane was" in text


def test_voxel_sizes_have_four_digits():
    sizes = ("0.58", "0.52187549", "0.52187549"), ("0.58", "0.521876", "0.521876")
    rows = [row(name, size=size) for name, size in zip("ab", sizes, strict=True)]
    text = describe([group(stacks=["a", "b"])], rows).text
    assert "The voxel size was 0.58 x 0.5219 x 0.5219 µm along z, y and x." in text


def test_hostile_texts_of_a_file_are_text():
    hostile = "<script>alert(1)</script> [@a](b) \u202egnp.exe\u0007 $x$ `c`"
    records = {"a/nuclei": {"acquisition": {"objective": hostile}, "channel": {"index": 0}}}
    text = describe([group()], [row("a")], records).text
    assert "\\<script\\>" in text and not re.search(r"(?<!\\)[<`$]", text)
    assert "\u202e" not in text and "\u0007" not in text
    assert "\\[\\@a\\](b)" in text


def test_many_stacks_are_not_all_named():
    names = [f"s{number}" for number in range(500)]
    groups = [group(stacks=names[:400]), group(stacks=names[400:], denoise={"method": "none"})]
    text = describe(groups, list(map(row, names))).text
    assert "s19 and 380 others.**" in text and len(text) < 8000


def test_the_script_writes_both_files(tmp_path):
    (tmp_path / "stacks.csv").write_text("stack,object,diameter_um\na,nuclei,10\n")
    (tmp_path / "checks.csv").write_text("stack,object,count_corrections\na,nuclei,\n")
    write_json(tmp_path / "provenance.json", SOFTWARE)
    write_json(tmp_path / "import.json", {"channel": {"index": 0}})
    script.main(
        stacks=tmp_path / "stacks.csv",
        checks=tmp_path / "checks.csv",
        provenance=tmp_path / "provenance.json",
        records=[tmp_path / "import.json"],
        methods=tmp_path / "methods.md",
        bibliography=tmp_path / "methods.bib",
        groups=[group()._asdict()],
        images=[{"stack": "a", "channel": "nuclei", "image": "a.tif"}],
        packages=PACKAGES,
    )
    assert "diameter of a nucleus, 10 µm" in (tmp_path / "methods.md").read_text(encoding="utf-8")
    assert "@software{cellstack," in (tmp_path / "methods.bib").read_text(encoding="utf-8")


def test_many_voxel_sizes_and_acquisitions_are_summarized():
    names = [f"s{number}" for number in range(30)]
    rows = [row(name, size=(str(1 + n / 10), "0.4", "0.3")) for n, name in enumerate(names)]
    records = {
        f"{name}/nuclei": {
            "acquisition": {"objective": "63x", "channels": [{"exposure_ms": float(n)}]},
            "channel": {"index": 0},
        }
        for n, name in enumerate(names)
    }
    text = describe([group(stacks=names)], rows, records).text
    assert "The voxel size was 1 to 3.9 µm along z, 0.4 µm along y and 0.3 µm along x." in text
    assert "acquired as follows: nuclei: objective 63x." in text
    assert len(text.split("## Nuclei")[0]) < 300


def test_spots_tissue_and_classes_are_described():
    measured = {
        "spots": {"FISH": {"diameter_um": 0.3, "diameter_z_um": 0.8, "threshold": 5}},
        "tissue": {"membrane": "li"},
        "regions": True,
        "background": "local",
        "classes": {"nuclei": {"big": "volume_um3 > p90", "round": "sphericity > 0.9"}},
        "thresholds": "study",
        "classifiers": ["cells"],
    }
    measured["spots"]["FISH"]["min_distance_um"] = None
    found = describe([group()], [row("a")], measured=measured)
    for text in (
        "Spots in the channel FISH were",
        "maximum of 0.3 µm (0.8 µm along z), where it was at least 5 times",
        "within 0.15 µm (more along z)",
        "in the channel membrane, smoothed by a Gaussian filter, by the minimum cross-entropy",
        "read from label images",
        "was the median of the voxels around each object",
        "they met: big (`volume_um3 > p90`), round (`sphericity > 0.9`) and other.",
        "were those of all stacks.",
        "The cells were classified by a logistic regression",
    ):
        assert text in found.text
    assert "@article{li1998," in found.bibliography and "{" not in found.text
    plain = describe([group()], [row("a")]).text
    assert plain == describe([group()], [row("a")], measured={"background": None}).text
    for word in ("Spots", "tissue", "regions in", "above the background were", "classified"):
        assert word not in plain


def compared_row(**cells):
    row = {"group_1": "control", "group_2": "drug, 5 µM", "design": "independent units"}
    row |= {"count_units_1": "3", "count_units_2": "5", "p_value": "0.04", "p_all_groups": ""}
    return row | {"count_tests": "4"} | cells


def comparison_of(**changes):
    settings = {"group_by": "condition", "unit": None, "pair_by": None, "confidence": 0.9}
    return settings | {"correction": "benjamini_hochberg", "reference": "control"} | changes


def test_groups_are_described_with_unit_test_and_correction():
    found = describe(
        [group("nuclei")], [row("a")], compared=[compared_row()], comparison=comparison_of()
    )
    assert "## Comparison of groups" in found.text
    assert (
        "by condition (groups: control and drug, 5 µM). The experimental unit was the stack;"
        in (found.text)
    )
    assert (
        "Sample sizes are numbers of units, not of objects [@lord2020] (n = 3 to 5 per group)"
        in (found.text)
    )
    assert "by Welch's t-test [@welch1947]" in found.text
    assert "for 4 tests by the method of Benjamini and Hochberg [@benjamini1995]" in found.text
    assert "Confidence intervals (90 %)" in found.text
    for absent in ("averaged, each", "paired", "No test", "variance", "{"):
        assert absent not in found.text
    assert "@article{lord2020," in found.bibliography
    assert "## Comparison" not in describe([group("nuclei")], [row("a")]).text


def test_paired_nested_groups_and_those_without_a_test():
    rows = [
        compared_row(design="paired units", count_units_2="3", p_all_groups="0.1"),
        compared_row(design="paired units", count_units_2="3", p_value=""),
    ]
    settings = comparison_of(unit="slide_id", pair_by="mouse {unit}", correction="holm")
    text = describe([group("nuclei")], [row("a")], compared=rows, comparison=settings).text
    assert r"given by the column slide\_id of the sheet; each" in text
    assert r"Units were paired by mouse \{unit\}; those without" in text
    assert "(n = 3 per group)" in text and "by the paired t-test" in text
    assert "Holm [@holm1979]" in text and "Welch's analysis of variance [@welch1951]" in text
    assert "No test was made where a group has fewer than three pairs" in text
