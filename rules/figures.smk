rule plot_diameter:
    """Draw how the diameter of the nuclei of a stack was estimated, and circles of that size over the stack."""
    input:
        raw="<results>/{stack}/nuclei/raw.tif",
        record="<results>/{stack}/nuclei/diameter.json",
    output:
        figure=report(
            "<results>/{stack}/figures/nuclei_diameter.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/diameter.rst",
        ),
    log:
        "<logs>/{stack}/nuclei/plot_diameter.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/plot_diameter.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_diameter"),
        runtime=minutes("plot_diameter"),
    params:
        title="{stack}",
        note=note,
        source=source_hash("plot_diameter"),
    script:
        "../scripts/plot_diameter.py"


rule plot_segmentation:
    """Draw the outlines of all objects over the raw data, in three views."""
    input:
        raw=raw_of_object,
        split="<results>/{stack}/{object}/split.tif",
        labels="<results>/{stack}/{object}/labels.ome.tif",
        nuclei=nuclei_within_cells,
    output:
        segmentation=report(
            "<results>/{stack}/figures/{object}_segmentation.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/segmentation.rst",
        ),
    log:
        "<logs>/{stack}/{object}/plot_segmentation.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/plot_segmentation.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_segmentation"),
        runtime=minutes("plot_segmentation"),
    params:
        title="{stack}",
        note=note,
        source=source_hash("plot_segmentation"),
    script:
        "../scripts/plot_segmentation.py"


rule plot_planes:
    """Draw a montage of planes with the outlines of all objects."""
    input:
        raw=raw_of_object,
        split="<results>/{stack}/{object}/split.tif",
    output:
        planes=report(
            "<results>/{stack}/figures/{object}_planes.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/planes.rst",
        ),
    log:
        "<logs>/{stack}/{object}/plot_planes.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/plot_planes.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_planes"),
        runtime=minutes("plot_planes"),
    params:
        title="{stack}",
        note=note,
        source=source_hash("plot_planes"),
    script:
        "../scripts/plot_planes.py"


rule plot_volumes:
    """Draw the distribution of volumes in each stack and in each group of stacks."""
    input:
        tables=tables_of_kind,
    output:
        volumes=report(
            "<results>/figures/{object}_volumes.png",
            category="Figures",
            subcategory="All stacks",
            caption="../report/volumes.rst",
        ),
    log:
        "<logs>/{object}_plot_volumes.log",
    benchmark:
        "<benchmarks>/{object}_plot_volumes.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_volumes"),
        runtime=minutes("plot_volumes"),
    params:
        stacks=stacks_of_object,
        groups=groups_of_stacks,
        object="{object}",
        group_by=config["group_by"],
        note=note_of_all,
        source=source_hash("plot_volumes"),
    script:
        "../scripts/plot_volumes.py"
