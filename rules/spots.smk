rule detect_spots:
    """Detect the bright spots of a channel."""
    input:
        raw="<results>/{stack}/channels/{channel}/raw.tif",
        no_data=by_wildcards(inputs.no_data),
    output:
        spots="<results>/{stack}/channels/{channel}/spots.csv",
    log:
        "<logs>/{stack}/channels/{channel}/detect_spots.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/detect_spots.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("detect_spots"),
        runtime=minutes("detect_spots"),
    params:
        stack="{stack}",
        channel="{channel}",
        options=by_wildcards(measurements.spot_options),
        source=source_hash("detect_spots"),
    script:
        "../scripts/detect_spots.py"


rule assign_spots:
    """Find the nucleus and the cell that each spot lies in."""
    input:
        spots="<results>/{stack}/channels/{channel}/spots.csv",
        segmentations=by_wildcards(inputs.segmentations),
    output:
        assigned="<results>/{stack}/spots/{channel}.csv",
    log:
        "<logs>/{stack}/channels/{channel}/assign_spots.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/assign_spots.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("assign_spots"),
        runtime=minutes("assign_spots"),
    params:
        objects=by_wildcards(study.objects),
        source=source_hash("assign_spots"),
    script:
        "../scripts/assign_spots.py"


rule count_spots:
    """Count the spots of each channel in each measured object."""
    input:
        tables=by_wildcards(inputs.spot_tables_of),
        selection="<results>/{stack}/{object}/selection.csv",
    output:
        counts="<results>/{stack}/{object}/spots.csv",
    log:
        "<logs>/{stack}/{object}/count_spots.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/count_spots.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("count_spots"),
        runtime=minutes("count_spots"),
    params:
        object="{object}",
        channels=by_wildcards(measurements.spot_channels),
        has_nuclei=by_wildcards(study.has_nuclei),
        source=source_hash("count_spots"),
    script:
        "../scripts/count_spots.py"


rule collect_spots:
    """Collect the spots of all stacks in one table."""
    input:
        tables=by_wildcards(targets.spot_tables),
    output:
        spots=report("<results>/spots.csv", category="Tables", caption="../report/spots.rst"),
    log:
        "<logs>/collect_spots.log",
    benchmark:
        "<benchmarks>/collect_spots.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_spots"),
        runtime=minutes("collect_spots"),
    params:
        source=source_hash("collect_spots"),
    script:
        "../scripts/collect_spots.py"
