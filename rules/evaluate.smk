rule evaluate_labels:
    """Score the segmentation of a stack against its ground truth."""
    input:
        ground_truths=by_wildcards(inputs.ground_truths),
        segmentations=by_wildcards(inputs.scored_segmentations),
        uncorrected=by_wildcards(inputs.uncorrected_segmentations),
    output:
        scores="<results>/{stack}/scores.json",
    log:
        "<logs>/{stack}/evaluate_labels.log",
    benchmark:
        "<benchmarks>/{stack}/evaluate_labels.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("evaluate_labels"),
        runtime=minutes("evaluate_labels"),
    params:
        stack=by_wildcards(study.name),
        objects=by_wildcards(study.scored_objects),
        by_points=by_wildcards(study.scored_by_points),
        corrected_objects=by_wildcards(inputs.corrected_objects),
        source=source_hash("evaluate_labels"),
    script:
        "../scripts/evaluate_labels.py"


rule collect_scores:
    """Collect the scores of all stacks in two tables."""
    input:
        stack_scores=by_wildcards(targets.scores),
    output:
        scores=report("<results>/scores.csv", category="Tables", caption="../report/scores.rst"),
        stacks=report(
            "<results>/stack_scores.csv", category="Tables", caption="../report/stack_scores.rst"
        ),
    log:
        "<logs>/collect_scores.log",
    benchmark:
        "<benchmarks>/collect_scores.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_scores"),
        runtime=minutes("collect_scores"),
    params:
        source=source_hash("collect_scores"),
    script:
        "../scripts/collect_scores.py"


rule evaluate_spots:
    """Score the spots of a channel against their ground truth."""
    input:
        spots="<results>/{stack}/spots/{channel}.csv",
        raw="<results>/{stack}/channels/{channel}/raw.tif",
        image=by_wildcards(inputs.made_files, column="ground_truth"),
    output:
        scores="<results>/{stack}/spots/{channel}_scores.json",
    log:
        "<logs>/{stack}/channels/{channel}/evaluate_spots.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/evaluate_spots.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("evaluate_spots"),
        runtime=minutes("evaluate_spots"),
    params:
        stack="{stack}",
        channel="{channel}",
        diameters_um=by_wildcards(measurements.spot_diameters),
        downsample=by_wildcards(study.argument, key="downsample", stage="import_stack"),
        image=by_wildcards(inputs.external_files, column="ground_truth"),
        stamp=by_wildcards(inputs.stamp, column="ground_truth"),
        source=source_hash("evaluate_spots"),
    script:
        "../scripts/evaluate_spots.py"


rule collect_spot_scores:
    """Collect the scores of spots in one table."""
    input:
        channel_scores=by_wildcards(targets.spot_scores),
    output:
        scores=report(
            "<results>/spot_scores.csv", category="Tables", caption="../report/spot_scores.rst"
        ),
    log:
        "<logs>/collect_spot_scores.log",
    benchmark:
        "<benchmarks>/collect_spot_scores.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_spot_scores"),
        runtime=minutes("collect_spot_scores"),
    params:
        source=source_hash("collect_spot_scores"),
    script:
        "../scripts/collect_spot_scores.py"
