from snakemake.utils import min_version

min_version("9.20")


configfile: "config/config.yaml"


pathvars:
    benchmarks="<logs>/benchmarks",


report: "report/workflow.rst"


include: "rules/common.smk"
include: "rules/claims.smk"
include: "rules/diameter.smk"
include: "rules/prepare.smk"
include: "rules/enhance.smk"
include: "rules/segment.smk"
include: "rules/cells.smk"
include: "rules/measure.smk"
include: "rules/evaluate.smk"
include: "rules/figures.smk"
include: "rules/gallery.smk"
include: "rules/sweep_stages.smk"
include: "rules/sweep.smk"
include: "rules/cluster.smk"
include: "rules/progress.smk"


wildcard_constraints:
    stack="[A-Za-z0-9][A-Za-z0-9-]*",
    channel="[A-Za-z0-9][A-Za-z0-9-]*",
    object="nuclei|cells",


rule all:
    """Make labels, tables, scores and figures of all stacks in the sheet."""
    default_target: True
    input:
        objects="<results>/objects.csv",
        stacks="<results>/stacks.csv",
        config="<results>/config.yaml",
        scores=branch(stacks_with("truth", SEGMENTED), then="<results>/scores.csv", otherwise=[]),
        segmentation=of_each_kind("<results>/{stack}/figures/{object}_segmentation.png"),
        contacts=collect("<results>/{stack}/cells/contacts.csv", stack=stacks_of("cells")),
        volumes=collect(
            "<results>/figures/{object}_volumes.png", object=[kind for kind in SEGMENTED if stacks_of(kind)]
        ),
        planes=of_each_kind("<results>/{stack}/figures/{object}_planes.png"),
        diameters=diameter_figures,
    localrule: True


rule crops:
    """Cut all measured objects out of their stacks, ready for machine learning."""
    input:
        crops=of_each_kind("<results>/{stack}/{object}/crops"),
    localrule: True


rule evaluate:
    """Score all stacks whose row names a truth, and show what is wrong on one page."""
    input:
        evaluation=evaluation_page,
    localrule: True


rule sweep:
    """Try a table of settings on all stacks that have a truth."""
    input:
        scores="<results>/sweep/scores.csv",
        runs="<results>/sweep/runs.csv",
        best="<results>/sweep/best.yaml",
        figure="<results>/sweep/sweep.png",
    localrule: True


rule gallery:
    """Compare the methods of each stage on each stack in the sheet, on one page per stack."""
    input:
        pages=collect("<results>/{stack}/gallery/index.html", stack=stacks_of("nuclei")),
    localrule: True
