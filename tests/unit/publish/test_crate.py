import pytest

from cellstack.publish.crate import describe_crate
from cellstack.publish.pack_archive import InputImage
from cellstack.publish.zip_file import File

SOFTWARE = {
    "cellstack": "1.2.3",
    "commit": "abc",
    "python": "3.11",
    "packages": {"numpy": "2.0", "snakemake": "9.1", "zarr": "not installed"},
}
NAMES = (
    "config/config.yaml",
    "stacks.csv",
    "results/objects.csv",
    "results/stacks.csv",
    "results/a b/nuclei/labels.ome.tif",
    "workflow/Snakefile",
    "workflow/rules/common.smk",
    "README.md",
)
FILES = [File(name, 7, "ab12") for name in NAMES]


def image(**changes):
    values = InputImage(
        name="images/a#1.tif",
        column="image",
        stacks=["a/nuclei"],
        size=5,
        sha256="cd",
        files=[],
        acquisition={"a/nuclei": {"objective": "63x", "emission_nm": 461.0}},
    )
    return values._replace(**changes)


def entities(images=(), files=FILES, **study):
    crate = describe_crate(
        files,
        list(images),
        date="2026-01-31",
        results="results",
        sheet="stacks.csv",
        study=study,
        software=SOFTWARE,
    )
    return {entity["@id"]: entity for entity in crate["@graph"]}


def references(value):
    """Yield all references within an entity."""
    if isinstance(value, dict):
        if value.keys() == {"@id"}:
            yield value["@id"]
        for part in value.values():
            yield from references(part)
    elif isinstance(value, list):
        for part in value:
            yield from references(part)


@pytest.mark.parametrize("files", [[], ["images/a#1.tif"]])
def test_all_references_lead_to_an_entity(files):
    found = entities(
        [image(files=files)],
        [*FILES, *(File(name, 5, "cd") for name in files)],
        authors=["Jane Doe (0000-0002-1825-0097)", "A. Nother"],
        license="CC-BY-4.0",
        organism="Mus musculus",
        publication="10.1234/abc",
    )
    external = ("http://", "https://")
    named = {each for entity in found.values() for each in references(list(entity.values()))}
    assert [each for each in named - found.keys() if not each.startswith(external)] == []
    assert found["https://orcid.org/0000-0002-1825-0097"]["name"] == "Jane Doe"
    assert found["https://spdx.org/licenses/CC-BY-4.0"]["@type"] == "CreativeWork"
    assert found["./"]["citation"] == {"@id": "https://doi.org/10.1234/abc"}
    assert found["#study/organism"]["value"] == "Mus musculus"
    assert found["#study/organism"]["propertyID"] == "REMBI Biosample: organism"


def test_files_have_sizes_checksums_and_formats():
    found = entities()
    labels = found["results/a%20b/nuclei/labels.ome.tif"]
    assert labels["contentSize"] == "7" and labels["sha256"] == "ab12"
    assert labels["encodingFormat"] == "image/tiff"
    assert labels["exampleOfWork"] == {"@id": "#parameter/labels"}
    assert "workflow/rules/common.smk" not in found  # it is part of `workflow/`
    parts = [each["@id"] for each in found["./"]["hasPart"]]
    assert "workflow/" in parts and "workflow/Snakefile" in parts


def test_the_run_connects_inputs_and_results():
    run = entities([image()])["#run"]
    assert run["instrument"] == {"@id": "workflow/Snakefile"}
    assert {"@id": "stacks.csv"} in run["object"]
    assert {"@id": "#input/images/a%231.tif"} in run["object"]
    assert {"@id": "results/objects.csv"} in run["result"]


def test_an_input_outside_the_archive_has_its_checksum():
    found = entities([image()])
    entity = found["#input/images/a%231.tif"]
    assert entity["@type"] == "PropertyValue" and entity["value"] == "images/a#1.tif"
    assert entity["contentSize"] == "5" and entity["sha256"] == "cd"
    assert entity["description"] == "image of a/nuclei"


def test_the_acquisition_has_units():
    found = entities([image()])
    emission = found["#acquisition/a/nuclei/emission_nm"]
    assert emission["value"] == 461.0 and emission["unitText"] == "nm"
    assert {"@id": emission["@id"]} in found["#input/images/a%231.tif"]["additionalProperty"]
    assert "unitText" not in found["#acquisition/a/nuclei/objective"]


def test_a_licence_can_be_an_address_a_text_or_missing():
    assert "https://a.org/terms" in entities(license="https://a.org/terms")
    assert entities(license="ask the authors")["#license"]["name"] == "ask the authors"
    assert entities()["#license"]["name"] == "No licence stated"


def test_the_software_has_versions():
    found = entities()
    assert found["#software/numpy"]["softwareVersion"] == "2.0"
    assert "#software/zarr" not in found
    assert found["workflow/Snakefile"]["version"] == "1.2.3 (commit abc)"
    assert "ComputationalWorkflow" in found["workflow/Snakefile"]["@type"]


def test_the_description_does_not_depend_on_the_order_of_the_files():
    first, second = (list(entities(files=files).values()) for files in (FILES, FILES[::-1]))
    assert first == second


def test_an_ome_zarr_is_one_entity():
    chunks = [File(f"results/a/image.ome.zarr/0/c/{n}", 100, "ef") for n in range(50)]
    found = entities(files=[*FILES, *chunks])
    assert found["results/a/image.ome.zarr/"]["contentSize"] == "5000"
    assert {"@id": "results/a/image.ome.zarr/"} in found["#run"]["result"]
    assert len([each for each in found if "image.ome.zarr" in each]) == 1
