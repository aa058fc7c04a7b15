from snakemake.utils import min_version

min_version("9.20")


include: "rules/library.smk"


check_yaml("config/config.yaml")


configfile: "config/config.yaml"


pathvars:
    benchmarks="<logs>/benchmarks",


report: "report/workflow.rst"


# the study: sheet, configuration and helpers of the rules
include: "rules/common.smk"
# the phases
include: "rules/prepare.smk"
include: "rules/enhance.smk"
include: "rules/segment.smk"
include: "rules/blocks.smk"
include: "rules/cells.smk"
include: "rules/measure.smk"
include: "rules/tissue.smk"
include: "rules/spots.smk"
include: "rules/evaluate.smk"
include: "rules/compare.smk"
include: "rules/figures.smk"
include: "rules/pages.smk"
include: "rules/gallery.smk"
include: "rules/sweep.smk"


wildcard_constraints:
    stack=PATTERN,
    channel="[A-Za-z0-9][A-Za-z0-9-]*",
    object="nuclei|cells",


# corrected objects replace those found, and an external segmenter replaces the stages
ruleorder: correct_objects > run_segmenter > smooth_outlines > import_labels
ruleorder: join_blocks > smooth_outlines > find_seeds
ruleorder: join_blocks > binarize
ruleorder: join_blocks > clean_mask
ruleorder: measure_tiles > measure_intensities
ruleorder: join_uncorrected > smooth_uncorrected > find_seeds
ruleorder: join_uncorrected > binarize
ruleorder: join_uncorrected > clean_mask
ruleorder: join_cell_seeds > find_cell_seeds
ruleorder: join_regions > segment_cells
ruleorder: correct_cells > run_cell_segmenter > merge_cells > import_cells
ruleorder: run_segmenter_uncorrected > smooth_uncorrected
ruleorder: run_cell_segmenter_uncorrected > merge_uncorrected
# objects with classes are measured first
ruleorder: classify_objects > measure_objects


rule all:
    """Make labels, tables, scores and figures of all stacks in the sheet."""
    default_target: True
    input:
        index="<results>/index.html",
        objects="<results>/objects.csv",
        stacks="<results>/stacks.csv",
        checks="<results>/checks.csv",
        statistics="<results>/statistics.csv",
        quality="<results>/quality.csv",
        columns="<results>/columns.csv",
        config="<results>/config.yaml",
        provenance="<results>/provenance.json",
        methods=multiext("<results>/methods", ".md", ".bib"),
        scores=targets.score_tables(),
        evaluation=targets.existing_evaluation(),
        segmentation=study.of_each_object("<results>/{stack}/figures/{object}_segmentation.png"),
        contacts=targets.contact_tables(),
        regions=targets.region_results(),
        classes=targets.class_tables(),
        neighbors=targets.neighbor_tables(),
        volumes=targets.volume_figures(),
        groups=[targets.group_tables(), targets.group_figures()],
        planes=study.of_each_object("<results>/{stack}/figures/{object}_planes.png"),
        diameters=targets.diameter_figures(),
        spots=targets.spot_results(),
        exports=targets.exports(),
    localrule: True


rule crops:
    """Crop all measured objects from their stacks, for machine learning or inspection."""
    input:
        crops=by_wildcards(study.of_each_object, pattern="<results>/{stack}/{object}/crops"),
    localrule: True


rule figures:
    """Make figures for a paper: channels in colours, outlines over each channel, surfaces in 3D."""
    input:
        figures=by_wildcards(targets.figures_for_papers),
    localrule: True


rule meshes:
    """Write the surfaces of all measured objects, for Blender and ParaView."""
    input:
        meshes=by_wildcards(study.of_each_object, pattern="<results>/{stack}/{object}/meshes.glb"),
    localrule: True


rule evaluate:
    """Score all stacks that have a ground truth, and show the errors on one page."""
    input:
        evaluation=by_wildcards(targets.evaluation_page),
        curves=targets.score_figures(),
        columns="<results>/columns.csv",
    localrule: True


rule sweep:
    """Try a table of settings on all stacks that have a ground truth."""
    input:
        scores="<results>/sweep/scores.csv",
        runs="<results>/sweep/runs.csv",
        best="<results>/sweep/best.yaml",
        figure="<results>/sweep/sweep.png",
    localrule: True


rule gallery:
    """Compare the methods of each stage on each stack, on one page per stack."""
    input:
        pages=by_wildcards(targets.gallery_pages),
    localrule: True


rule explore:
    """Write a page per stack with planes, contrast, stages and methods side by side."""
    input:
        pages=by_wildcards(explorer.pages),
    localrule: True


rule ome_zarr:
    """Write the channels and labels of all stacks as OME-Zarr."""
    input:
        images=by_wildcards(targets.ome_zarr),
    localrule: True


rule parquet:
    """Write the tables of all stacks as Parquet."""
    input:
        tables=targets.parquet(),
    localrule: True


rule anndata:
    """Write the objects of all stacks as AnnData."""
    input:
        objects=targets.anndata(),
    localrule: True


rule archive:
    """Pack the results, the workflow and their description into one file."""
    input:
        archive="<results>/archive.zip",
    localrule: True


# the archive contains what the default target makes
include: "rules/publish.smk"
# how jobs run, on one machine and on a cluster
include: "rules/running.smk"
