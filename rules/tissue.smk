rule measure_neighbors:
    """Measure distances, contacts and density of neighbouring objects."""
    input:
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        selection="<results>/{stack}/{object}/selection.csv",
        others=by_wildcards(inputs.objects_of_other_kind),
        no_data=by_wildcards(inputs.no_data),
        diameter=diameter_for("measure_neighbors"),
    output:
        neighbors="<results>/{stack}/{object}/neighbors.csv",
        neighborhood="<results>/{stack}/{object}/neighborhood.csv",
    log:
        "<logs>/{stack}/{object}/measure_neighbors.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/measure_neighbors.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("measure_neighbors"),
        runtime=minutes("measure_neighbors"),
    params:
        **params_of("measure_neighbors"),
        stack="{stack}",
        object="{object}",
        groups=study.neighbor_groups(),
    script:
        "../scripts/measure_neighbors.py"


rule collect_neighbors:
    """Collect the neighbours of all stacks in one table."""
    input:
        tables=study.of_each_object("<results>/{stack}/{object}/neighbors.csv"),
    output:
        neighbors="<results>/neighbors.csv",
    log:
        "<logs>/collect_neighbors.log",
    benchmark:
        "<benchmarks>/collect_neighbors.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("collect_neighbors"),
        runtime=minutes("collect_neighbors"),
    params:
        user_columns=study.user_columns(),
        source=source_hash("collect_neighbors"),
    script:
        "../scripts/collect_neighbors.py"
