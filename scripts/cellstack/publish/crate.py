"""The description of an archive according to the Workflow Run RO-Crate profile, as JSON-LD.

References
----------
.. [1] S. Leo et al., "Recording provenance of workflow runs with RO-Crate", PLoS ONE 19, 2024.
.. [2] https://w3id.org/ro/crate/1.1
.. [3] https://w3id.org/ro/wfrun/workflow/0.5
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from cellstack.publish.pack_archive import CONFIGURATION, CRATE, README, InputImage
from cellstack.publish.zip_file import CHECKSUMS, File

Entity = dict[str, Any]

CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    {
        "sha256": "https://w3id.org/ro/terms/workflow-run#sha256",
        "FormalParameter": "https://bioschemas.org/FormalParameter",
        "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
        "input": "https://bioschemas.org/properties/input",
        "output": "https://bioschemas.org/properties/output",
    },
]
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
FORMAL_PARAMETER = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
WORKFLOW = "workflow/Snakefile"
ZARR = ".ome.zarr/"
IN_WORKFLOW = (WORKFLOW, "workflow/envs/requirements/run.txt")  # the other files have no entity
ORCID = re.compile(r"\(?\s*(?:https://orcid\.org/)?(\d{4}-\d{4}-\d{4}-\d{3}[\dX])\s*\)?")
DOI = re.compile(r"10\.\d{4,9}/\S+")
SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]*")
HOMEPAGES = {
    "connected-components-3d": "https://github.com/seung-lab/connected-components-3d",
    "contourpy": "https://contourpy.readthedocs.io",
    "edt": "https://github.com/seung-lab/euclidean-distance-transform-3d",
    "fastremap": "https://github.com/seung-lab/fastremap",
    "imagecodecs": "https://github.com/cgohlke/imagecodecs",
    "matplotlib": "https://matplotlib.org",
    "numpy": "https://numpy.org",
    "opencv-python-headless": "https://opencv.org",
    "pandas": "https://pandas.pydata.org",
    "pillow": "https://python-pillow.github.io",
    "python": "https://www.python.org",
    "scikit-image": "https://scikit-image.org",
    "scipy": "https://scipy.org",
    "simpleitk": "https://simpleitk.org",
    "snakemake": "https://snakemake.github.io",
    "tifffile": "https://github.com/cgohlke/tifffile",
    "zarr": "https://zarr.dev",
}
FORMATS = {
    ".bib": "application/x-bibtex",
    ".csv": "text/csv",
    ".h5ad": "application/x-hdf5",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".yaml": "application/yaml",
}
DESCRIPTIONS = {  # of files, by name
    ".history.jsonl": "How each result was made, by which the workflow knows what is up to date",
    "SHA256SUMS": "Checksums of all other files",
    "classes.csv": "Number of objects of each class in each stack",
    "columns.csv": "Unit and definition of each column of the tables",
    "config.yaml": "Configuration with all defaults, and sizes in um",
    "contacts.csv": "Contacts between cells",
    "group_units.csv": "Means of the experimental units that are compared",
    "groups.csv": "Comparison of groups of stacks",
    "import.json": "What was read from an image, where its voxel size comes from, and what it says "
    "about the acquisition",
    "labels.ome.tif": "Label image of the measured objects",
    "mask.tif": "Mask of the tissue",
    "methods.bib": "Publications that the methods section cites",
    "methods.md": "Methods section of a paper about this run",
    "neighborhood.csv": "Distances to neighbours, their number and their density, for each object",
    "neighbors.csv": "Pairs of neighbouring objects, with their distances and contacts",
    "objects.csv": "Measurements of objects, one in each row",
    "pictures.json": "Small pictures of the stack and its flagged objects, which index.html shows",
    "provenance.json": "Versions of the software, and checksums of the images",
    "checks.csv": "Figures that the flags of stacks are based on",
    "quality.csv": "Image quality of each channel",
    "quality.json": "Image quality of each channel and plane",
    "regions.csv": "Volumes of tissue and regions, and the number and density of objects in them",
    "regions.tif": "Label image of the regions",
    "scores.csv": "Scores of the segmentation against ground truth",
    "segmentation.tif": "Label image of all objects, including those that are not measured",
    "selection.csv": "Which objects are measured, and why others are not",
    "stacks.csv": "Summary of each stack",
    "statistics.csv": "Statistics of the measurements of each stack",
    "summary.csv": "Summary of this stack",
    "tissue.csv": "Position of each object in the tissue and the regions",
    "tissue.png": "Outlines of tissue and regions over the middle planes",
}
TERMS = {  # of the block `study`: where they are defined, and their names there
    "organism": ("REMBI", "Biosample: organism"),
    "biological_entity": ("REMBI", "Biosample: biological entity"),
    "variables": ("REMBI", "Biosample: experimental variables"),
    "sample_preparation": ("REMBI", "Specimen: sample preparation"),
    "labelling": ("REMBI", "Specimen: signal and contrast mechanism"),
    "imaging_method": ("REMBI", "Image acquisition: imaging method"),
    "imaging_instrument": ("REMBI", "Image acquisition: imaging instrument"),
    "acquisition_parameters": ("REMBI", "Image acquisition: image acquisition parameters"),
    "annotation_authors": ("MIFA", "Annotation: authors"),
    "annotation_method": ("MIFA", "Annotation: annotation method"),
    "annotation_criteria": ("MIFA", "Annotation: annotation criteria"),
    "annotation_coverage": ("MIFA", "Annotation: annotation coverage"),
    "annotation_confidence": ("MIFA", "Annotation: annotation confidence level"),
}


def describe_crate(
    files: Sequence[File],
    images: Sequence[InputImage],
    *,
    date: str,
    results: str,
    sheet: str,
    study: Mapping[str, Any],
    software: Mapping[str, Any],
) -> Entity:
    """Describe the files of an archive, the run that made them, and its inputs.

    Parameters
    ----------
    files : sequence of File
        All files of the archive but this description.
    images : sequence of InputImage
    date : str
        Date of publication, such as ``"2026-01-31"``.
    results, sheet : str
        Paths of the folder of results and of the sheet in the archive.
    study : dict
        The block `study` of the configuration.
    software : dict
        Versions, see :func:`cellstack.run.provenance.software_versions`.

    Returns
    -------
    dict
        The content of ``ro-crate-metadata.json``.
    """
    files = sorted(files)
    outputs = [
        file for file in files if ZARR not in file.name and file.name.startswith(f"{results}/")
    ]
    parameters = _parameters(images, outputs, sheet, results)
    example_of = {
        example["@id"]: parameter["@id"]
        for parameter in parameters
        for example in _as_list(parameter["workExample"])
    }
    data = _data_entities(files, images, results, example_of)
    inputs = _unique(
        entity for image in images for entity in _image_entities(image, files, example_of)
    )
    in_crate = {_identifier(file.name) for file in files}
    parts = [*data, *(entity for entity in inputs if entity["@id"] in in_crate)]
    authors = [_person(text) for text in study.get("authors", [])]
    licence = _license(study.get("license"))
    described = _study(study)
    articles = [_article(study["publication"])] if study.get("publication") else []
    root = _root_entity(study, date, parts, licence)
    if authors:
        root["author"] = _one_or_many(author["@id"] for author in authors)
    if described:
        root["about"] = {"@id": "#study"}
    if articles:
        root["citation"] = _reference(articles[0])
    graph: list[Entity] = [
        {
            "@id": CRATE,
            "@type": "CreativeWork",
            "conformsTo": [
                {"@id": "https://w3id.org/ro/crate/1.1"},
                {"@id": "https://w3id.org/workflowhub/workflow-ro-crate/1.0"},
            ],
            "about": {"@id": "./"},
        },
        root,
        *(
            {"@id": address, "@type": "CreativeWork", "name": name, "version": version}
            for address, (name, version) in PROFILES.items()
        ),
        _run_entity(data, inputs, results, sheet, software),
        *_workflow(data, parameters, software),
        *(entity for entity in data if entity["@id"] != WORKFLOW),
        *inputs,
        *_acquisition(images),
        *parameters,
        licence,
        *authors,
        *described,
        *articles,
    ]
    return {"@context": CONTEXT, "@graph": _unique(graph)}


def _unique(entities: Iterable[Entity]) -> list[Entity]:
    """Return the last of the entities with each identifier, at the place of the first one."""
    return list({entity["@id"]: entity for entity in entities}.values())


def _data_entities(
    files: Sequence[File],
    images: Sequence[InputImage],
    results: str,
    example_of: Mapping[str, str],
) -> list[Entity]:
    """Return the files of the archive without the images, and the workflow as one entity."""
    own = {name for image in images for name in image.files}
    data = [
        _file_entity(file, example_of)
        for file in files
        if ZARR not in file.name
        and file.name not in own
        and (file.name in IN_WORKFLOW or not _is_code(file))
    ]
    data += _zarr_entities(file for file in files if file.name.startswith(f"{results}/"))
    data.append(
        {
            "@id": "workflow/",
            "@type": "Dataset",
            "name": "workflow",
            "description": "All files of the workflow, and the lock files of its packages",
        }
    )
    data.append(
        {
            "@id": CHECKSUMS,
            "@type": "File",
            "name": CHECKSUMS,
            "description": DESCRIPTIONS[CHECKSUMS],
            "encodingFormat": "text/plain",
        }
    )
    return data


def _root_entity(
    study: Mapping[str, Any], date: str, parts: Iterable[Entity], licence: Entity
) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": study.get("title") or "Segmentation and measurements of 3D fluorescence stacks",
        "description": study.get("description")
        or "Labels, tables and figures of a run of cellstack, with its configuration and workflow",
        "datePublished": date,
        "license": _reference(licence),
        "conformsTo": [{"@id": profile} for profile in PROFILES],
        "mainEntity": {"@id": WORKFLOW},
        "hasPart": [_reference(part) for part in parts],
        "mentions": {"@id": "#run"},
    }


def _article(publication: str) -> Entity:
    doi = DOI.search(publication)
    address = f"https://doi.org/{doi[0]}" if doi else publication
    is_address = re.match(r"https?://\S+$", address)
    return {
        "@id": address if is_address else "#publication",
        "@type": "ScholarlyArticle",
        "name": publication,
    }


def _run_entity(
    data: Iterable[Entity],
    inputs: Iterable[Entity],
    results: str,
    sheet: str,
    software: Mapping[str, Any],
) -> Entity:
    made = _identifier(results)
    used = [{"@id": _identifier(CONFIGURATION)}, {"@id": _identifier(sheet)}]
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Run of cellstack {software['cellstack']}",
        "description": "Segmentation and measurement of all stacks of the sheet",
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "instrument": {"@id": WORKFLOW},
        "object": [*used, *(_reference(entity) for entity in inputs)],
        "result": [_reference(each) for each in data if each["@id"].startswith(f"{made}/")],
    }


def _zarr_entities(files: Iterable[File]) -> list[Entity]:
    """Return the OME-Zarr images among the results, each as one entity."""
    sizes: dict[str, int] = {}
    for file in files:
        name, is_part, _ = file.name.partition(ZARR)
        if is_part:
            sizes[f"{name}{ZARR}"] = sizes.get(f"{name}{ZARR}", 0) + file.size
    return [
        {
            "@id": _identifier(name),
            "@type": "Dataset",
            "name": PurePosixPath(name).name,
            "description": "Channels and labels of a stack as OME-Zarr",
            "contentSize": str(size),
        }
        for name, size in sizes.items()
    ]


def _is_code(file: File) -> bool:
    return file.name.startswith("workflow/")


def _identifier(name: str) -> str:
    """Return a path as the identifier of an entity, in which some characters are escaped."""
    return quote(name, safe="/~")


def _reference(entity: Entity) -> Entity:
    return {"@id": entity["@id"]}


def _one_or_many(identifiers: Iterable[str]) -> Entity | list[Entity]:
    references = [{"@id": each} for each in dict.fromkeys(identifiers)]
    return references[0] if len(references) == 1 else references


def _as_list(value: Entity | list[Entity]) -> list[Entity]:
    return value if isinstance(value, list) else [value]


def _file_entity(file: File, example_of: Mapping[str, str]) -> Entity:
    path = PurePosixPath(file.name)
    entity: Entity = {
        "@id": _identifier(file.name),
        "@type": "File",
        "name": path.name,
        "contentSize": str(file.size),
        "sha256": file.sha256,
    }
    is_text = path.suffix in FORMATS or not path.suffix
    entity["encodingFormat"] = FORMATS.get(
        path.suffix, "text/plain" if is_text else "application/octet-stream"
    )
    described = "Configuration of the run" if file.name == CONFIGURATION else None
    described = described or DESCRIPTIONS.get(path.name)
    if file.name == "workflow/envs/requirements/run.txt":
        described = "Lock file: the versions and checksums of all packages"
    if described:
        entity["description"] = described
    if file.name == README:
        entity["about"] = {"@id": "./"}
    if entity["@id"] in example_of:
        entity["exampleOfWork"] = {"@id": example_of[entity["@id"]]}
    return entity


def _image_id(image: InputImage) -> str:
    if "://" in image.name:
        return image.name
    if len(image.files) == 1:
        return _identifier(image.files[0])
    return f"#input/{_identifier(image.name)}"


def _image_entities(
    image: InputImage, files: Sequence[File], example_of: Mapping[str, str]
) -> list[Entity]:
    """Return the entity of an image; of one of several files in the archive also these files."""
    parts = [_file_entity(file, example_of) for file in files if file.name in image.files]
    identifier = _image_id(image)
    if len(parts) == 1:
        entity, parts = parts[0], []
    else:
        is_remote = "://" in image.name
        entity = {
            "@id": identifier,
            "@type": "Dataset" if is_remote or parts else "PropertyValue",
            "name": image.name if is_remote else PurePosixPath(image.name).name,
        }
        if entity["@type"] == "PropertyValue":  # it is not in the archive
            entity["value"] = image.name
        if image.size is not None:
            entity["contentSize"] = str(image.size)
        if image.sha256 is not None:
            entity["sha256"] = image.sha256
        if parts:
            entity["hasPart"] = _one_or_many(part["@id"] for part in parts)
        if identifier in example_of:
            entity["exampleOfWork"] = {"@id": example_of[identifier]}
    entity["description"] = f"{image.column} of {', '.join(image.stacks)}"
    said = [
        f"{_acquisition_id(key)}/{name}"
        for key, details in image.acquisition.items()
        for name in details
    ]
    if said:
        entity["additionalProperty"] = _one_or_many(said)
    return [entity, *parts]


def _acquisition_id(key: str) -> str:
    return f"#acquisition/{_identifier(key)}"


def _acquisition(images: Iterable[InputImage]) -> list[Entity]:
    """Return the acquisition metadata of each channel."""
    units = {"nm": "nm", "um": "um", "ms": "ms"}
    found = []
    for image in images:
        for key, details in image.acquisition.items():
            for name, value in details.items():
                entity: Entity = {
                    "@id": f"{_acquisition_id(key)}/{name}",
                    "@type": "PropertyValue",
                    "name": f"{name} ({key})",
                    "propertyID": name,
                    "value": value,
                }
                unit = units.get(name.rpartition("_")[2])
                found.append(entity | ({"unitText": unit} if unit else {}))
    return found


def _parameters(
    images: Sequence[InputImage], outputs: Sequence[File], sheet: str, results: str
) -> list[Entity]:
    """Return the inputs and outputs of the workflow, each with its values in this run."""
    own = any(image.files for image in images)
    labels = [file.name for file in outputs if file.name.endswith("/labels.ome.tif")]
    values = {
        "configuration": ([_identifier(CONFIGURATION)], "Configuration"),
        "sheet": ([_identifier(sheet)], "Table of the stacks"),
        "image": (
            [_image_id(image) for image in images if image.column == "image"],
            "Images of the stacks",
        ),
        "objects": ([_identifier(f"{results}/objects.csv")], "Measurements of all objects"),
        "stacks": ([_identifier(f"{results}/stacks.csv")], "Summary of each stack"),
        "labels": (list(map(_identifier, labels)), "Label images of the measured objects"),
    }
    return [
        {
            "@id": f"#parameter/{name}",
            "@type": "FormalParameter",
            "additionalType": "PropertyValue" if name == "image" and not own else "File",
            "conformsTo": {"@id": FORMAL_PARAMETER},
            "name": name,
            "description": description,
            "valueRequired": True,
            "workExample": _one_or_many(identifiers),
        }
        for name, (identifiers, description) in values.items()
        if identifiers
    ]


def _workflow(
    data: Iterable[Entity], parameters: Sequence[Entity], software: Mapping[str, Any]
) -> list[Entity]:
    """Return the workflow, its language and the software that it needs."""
    (snakefile,) = (entity for entity in data if entity["@id"] == WORKFLOW)
    packages = [
        {
            "@id": f"#software/{_identifier(name)}",
            "@type": "SoftwareApplication",
            "name": name,
            "softwareVersion": str(version),
        }
        | ({"url": {"@id": HOMEPAGES[name]}} if name in HOMEPAGES else {})
        for name, version in {"python": software["python"], **software["packages"]}.items()
        if version != "not installed"
    ]
    inputs = [each for each in parameters if each["name"] in ("configuration", "sheet", "image")]
    commit = software.get("commit")
    workflow = snakefile | {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "conformsTo": {"@id": WORKFLOW_PROFILE},
        "name": "cellstack",
        "description": "Segmentation and measurement of nuclei and cells in 3D fluorescence stacks",
        "version": software["cellstack"] + (f" (commit {commit})" if commit else ""),
        "license": {"@id": "https://spdx.org/licenses/BSD-3-Clause"},
        "programmingLanguage": {"@id": SNAKEMAKE},
        "softwareRequirements": [_reference(package) for package in packages],
        "input": [_reference(each) for each in inputs],
        "output": [_reference(each) for each in parameters if each not in inputs],
    }
    language = {
        "@id": SNAKEMAKE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "identifier": {"@id": "https://doi.org/10.1093/bioinformatics/bts480"},
        "url": {"@id": "https://snakemake.readthedocs.io"},
        "version": software["packages"].get("snakemake", ""),
    }
    return [workflow, language, *packages, _license("BSD-3-Clause")]


def _license(text: str | None) -> Entity:
    if not text:
        return {
            "@id": "#license",
            "@type": "CreativeWork",
            "name": "No licence stated",
            "description": "The authors have not stated a licence; ask them before use.",
        }
    if SPDX.fullmatch(text):
        identifier = f"https://spdx.org/licenses/{text}"
    elif re.fullmatch(r"https?://\S+", text):
        identifier = text
    else:
        identifier = "#license"
    return {"@id": identifier, "@type": "CreativeWork", "name": text, "description": text}


def _person(text: str) -> Entity:
    orcid = ORCID.search(text)
    name = (ORCID.sub("", text) if orcid else text).strip()
    identifier = f"https://orcid.org/{orcid[1]}" if orcid else f"#person/{_identifier(name)}"
    return {"@id": identifier, "@type": "Person", "name": name}


def _study(study: Mapping[str, Any]) -> list[Entity]:
    """Return the entities of the block `study`; none if it is empty."""
    values = []
    for key, (model, name) in TERMS.items():
        if study.get(key):
            value = study[key]
            values.append(
                {
                    "@id": f"#study/{key}",
                    "@type": "PropertyValue",
                    "name": name,
                    "propertyID": f"{model} {name}",
                    "value": "; ".join(value) if isinstance(value, list) else value,
                }
            )
    if not values:
        return []
    about = {
        "@id": "#study",
        "@type": "CreativeWork",
        "name": study.get("title") or "Study",
        "description": study.get("description") or "Sample, imaging and annotation",
        "additionalProperty": _one_or_many(value["@id"] for value in values),
    }
    return [about, *values]
