rule binarize:
    """Mark the foreground by a threshold."""
    input:
        denoised="<results>/{stack}/nuclei/denoised.tif",
        contrast=branch(
            stage("binarize")["method"],
            cases={"half_height": "<results>/{stack}/nuclei/contrast.tif"},
            otherwise=[],
        ),
        diameter=diameter_for("binarize"),
    output:
        mask=intermediate("<results>/{stack}/nuclei/mask.tif"),
        threshold="<results>/{stack}/nuclei/threshold.json",
    log:
        "<logs>/{stack}/nuclei/binarize.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/binarize.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("binarize"),
        runtime=minutes("binarize"),
    params:
        **stage("binarize"),
    script:
        "../scripts/binarize.py"


rule clean_mask:
    """Clean the foreground by morphology: holes, small objects, outlines."""
    input:
        mask="<results>/{stack}/nuclei/mask.tif",
        diameter=diameter_for("clean_mask"),
    output:
        clean=intermediate("<results>/{stack}/nuclei/clean.tif"),
    log:
        "<logs>/{stack}/nuclei/clean_mask.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/clean_mask.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("clean_mask"),
        runtime=minutes("clean_mask"),
    params:
        **stage("clean_mask"),
    script:
        "../scripts/clean_mask.py"


rule label_components:
    """Label the connected parts of the foreground."""
    input:
        clean="<results>/{stack}/nuclei/clean.tif",
    output:
        components=intermediate("<results>/{stack}/nuclei/components.tif"),
    log:
        "<logs>/{stack}/nuclei/label_components.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/label_components.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("label_components"),
        runtime=minutes("label_components"),
    params:
        **stage("label_components"),
    script:
        "../scripts/label_components.py"


rule find_seeds:
    """Find one seed per object on the map of distances to the background, in the intensities, or as set by hand."""
    input:
        clean="<results>/{stack}/nuclei/clean.tif",
        components="<results>/{stack}/nuclei/components.tif",
        denoised="<results>/{stack}/nuclei/denoised.tif",
        points=seed_points,
        diameter=diameter_for("find_seeds"),
    output:
        distance=intermediate("<results>/{stack}/nuclei/distance.tif"),
        seeds=intermediate("<results>/{stack}/nuclei/seeds.tif"),
    log:
        "<logs>/{stack}/nuclei/find_seeds.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/find_seeds.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("find_seeds"),
        runtime=minutes("find_seeds"),
    params:
        **stage("find_seeds"),
    script:
        "../scripts/find_seeds.py"


rule split_objects:
    """Split touching objects by a watershed from their seeds."""
    input:
        seeds="<results>/{stack}/nuclei/seeds.tif",
        clean="<results>/{stack}/nuclei/clean.tif",
        stack=branch(
            stage("split_objects")["method"],
            cases={"contrast": "<results>/{stack}/nuclei/contrast.tif"},
            otherwise="<results>/{stack}/nuclei/denoised.tif",
        ),
        distance="<results>/{stack}/nuclei/distance.tif",
        edges=branch(
            stage("split_objects")["method"],
            cases={method: "<results>/{stack}/nuclei/edges.tif" for method in ("edges", "blend")},
            otherwise=[],
        ),
    output:
        parts=intermediate("<results>/{stack}/nuclei/parts.tif"),
    log:
        "<logs>/{stack}/nuclei/split_objects.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/split_objects.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("split_objects"),
        runtime=minutes("split_objects"),
    params:
        **stage("split_objects"),
    script:
        "../scripts/split_objects.py"


rule merge_objects:
    """Merge neighbours that were one object."""
    input:
        parts="<results>/{stack}/nuclei/parts.tif",
        denoised="<results>/{stack}/nuclei/denoised.tif",
        diameter=diameter_for("merge_objects"),
    output:
        merged=intermediate("<results>/{stack}/nuclei/merged.tif"),
    log:
        "<logs>/{stack}/nuclei/merge_objects.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/merge_objects.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("merge_objects"),
        runtime=minutes("merge_objects"),
    params:
        **stage("merge_objects"),
    script:
        "../scripts/merge_objects.py"


rule outline_objects:
    """Draw the final outline of each object."""
    input:
        merged="<results>/{stack}/nuclei/merged.tif",
        diameter=diameter_for("outline_objects"),
    output:
        split="<results>/{stack}/nuclei/split.tif",
    log:
        "<logs>/{stack}/nuclei/outline_objects.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/outline_objects.tsv"
    wildcard_constraints:
        stack=pattern_of(stacks.keys() - stacks_with("labels")),
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("outline_objects"),
        runtime=minutes("outline_objects"),
    params:
        **stage("outline_objects"),
    script:
        "../scripts/outline_objects.py"


rule select_objects:
    """Select the objects to measure, and say why each other one is not."""
    input:
        split="<results>/{stack}/{object}/split.tif",
        diameter=diameter_for("select_objects"),
    output:
        labels="<results>/{stack}/{object}/labels.ome.tif",
        selection="<results>/{stack}/{object}/selection.csv",
    log:
        "<logs>/{stack}/{object}/select_objects.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/select_objects.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("select_objects"),
        runtime=minutes("select_objects"),
    params:
        **stage("select_objects"),
    script:
        "../scripts/select_objects.py"
