rule plot_diameter:
    """Plot the estimate of the diameter, and circles of that size over the stack."""
    input:
        raw="<results>/{stack}/channels/nuclei/raw.tif",
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
        note=by_wildcards(study.note),
        marks=by_wildcards(study.marks_of),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("plot_diameter"),
    script:
        "../scripts/plot_diameter.py"


use rule plot_diameter as plot_diameter_pdf with:
    output:
        figure="<results>/{stack}/figures/nuclei_diameter.pdf",
    log:
        "<logs>/{stack}/nuclei/plot_diameter_pdf.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/plot_diameter_pdf.tsv"


rule plot_segmentation:
    """Plot the outlines of all objects over the raw data, in three views."""
    input:
        raw=by_wildcards(inputs.raw_of_object),
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        labels="<results>/{stack}/{object}/labels.ome.tif",
        objects="<results>/{stack}/{object}/objects.csv",
        nuclei=by_wildcards(inputs.nuclei_within_cells),
    output:
        figure=report(
            "<results>/{stack}/figures/{object}_segmentation.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/segmentation.rst",
        ),
        pictures="<results>/{stack}/{object}/pictures.json",
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
        note=by_wildcards(study.note),
        marks=by_wildcards(study.marks_of),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("plot_segmentation"),
    script:
        "../scripts/plot_segmentation.py"


use rule plot_segmentation as plot_segmentation_pdf with:
    output:
        figure="<results>/{stack}/figures/{object}_segmentation.pdf",
    log:
        "<logs>/{stack}/{object}/plot_segmentation_pdf.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/plot_segmentation_pdf.tsv"


rule plot_planes:
    """Plot a montage of planes with the outlines of all objects."""
    input:
        raw=by_wildcards(inputs.raw_of_object),
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        objects="<results>/{stack}/{object}/objects.csv",
    output:
        figure=report(
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
        note=by_wildcards(study.note),
        marks=by_wildcards(study.marks_of),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("plot_planes"),
    script:
        "../scripts/plot_planes.py"


use rule plot_planes as plot_planes_pdf with:
    output:
        figure="<results>/{stack}/figures/{object}_planes.pdf",
    log:
        "<logs>/{stack}/{object}/plot_planes_pdf.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/plot_planes_pdf.tsv"


rule plot_channels:
    """Plot the outlines of all objects over each channel."""
    input:
        raw=by_wildcards(inputs.raw_stacks),
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        objects="<results>/{stack}/{object}/objects.csv",
    output:
        figure=report(
            "<results>/{stack}/figures/{object}_channels.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/channels.rst",
        ),
        vector="<results>/{stack}/figures/{object}_channels.pdf",
    log:
        "<logs>/{stack}/{object}/plot_channels.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/plot_channels.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_channels"),
        runtime=minutes("plot_channels"),
    params:
        channels=by_wildcards(study.channels),
        title="{stack}",
        note=by_wildcards(study.note),
        marks=by_wildcards(study.marks_of),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("plot_channels"),
    script:
        "../scripts/plot_channels.py"


rule plot_composite:
    """Plot all channels of a stack in colours."""
    input:
        raw=by_wildcards(inputs.raw_stacks),
        segmentation=by_wildcards(inputs.first_segmentation),
    output:
        figure=report(
            "<results>/{stack}/figures/composite.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/composite.rst",
        ),
        vector="<results>/{stack}/figures/composite.pdf",
    log:
        "<logs>/{stack}/plot_composite.log",
    benchmark:
        "<benchmarks>/{stack}/plot_composite.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_composite"),
        runtime=minutes("plot_composite"),
    params:
        channels=by_wildcards(study.channels),
        title="{stack}",
        note=by_wildcards(study.note),
        marks=by_wildcards(study.marks_of),
        source=source_hash("plot_composite"),
    script:
        "../scripts/plot_composite.py"


rule plot_surfaces:
    """Plot the surfaces of all objects in three dimensions."""
    input:
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        objects="<results>/{stack}/{object}/objects.csv",
    output:
        figure=report(
            "<results>/{stack}/figures/{object}_surfaces.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/surfaces.rst",
        ),
        vector="<results>/{stack}/figures/{object}_surfaces.pdf",
    log:
        "<logs>/{stack}/{object}/plot_surfaces.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/plot_surfaces.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_surfaces"),
        runtime=minutes("plot_surfaces"),
    params:
        title="{stack}",
        note=by_wildcards(study.note),
        source=source_hash("plot_surfaces"),
    script:
        "../scripts/plot_surfaces.py"


rule write_meshes:
    """Write the surfaces of all measured objects as glTF and PLY."""
    input:
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        objects="<results>/{stack}/{object}/objects.csv",
    output:
        meshes="<results>/{stack}/{object}/meshes.glb",
        ply="<results>/{stack}/{object}/meshes.ply",
    log:
        "<logs>/{stack}/{object}/write_meshes.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/write_meshes.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_meshes"),
        runtime=minutes("write_meshes"),
    params:
        object="{object}",
        title="{stack}",
        source=source_hash("write_meshes"),
    script:
        "../scripts/write_meshes.py"


rule plot_tissue:
    """Plot the outlines of tissue and regions over planes in three views."""
    input:
        raw=by_wildcards(inputs.image_below_tissue),
        tissue=by_wildcards(inputs.tissue_mask),
        regions=by_wildcards(inputs.region_labels),
    output:
        figure=report(
            "<results>/{stack}/figures/tissue.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/tissue.rst",
        ),
    log:
        "<logs>/{stack}/tissue/plot_tissue.log",
    benchmark:
        "<benchmarks>/{stack}/tissue/plot_tissue.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_tissue"),
        runtime=minutes("plot_tissue"),
    params:
        title="{stack}",
        note=by_wildcards(study.note),
        names=study.config["measure_regions"]["names"],
        marks=by_wildcards(study.marks_of),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("plot_tissue"),
    script:
        "../scripts/plot_tissue.py"


rule plot_volumes:
    """Plot the distribution of volumes by stack and by group of stacks."""
    input:
        objects="<results>/objects.csv",
    output:
        figure=report(
            "<results>/figures/{object}_volumes{page}.png",
            category="Figures",
            subcategory="All stacks",
            caption="../report/volumes.rst",
        ),
        vector="<results>/figures/{object}_volumes{page}.pdf",
    log:
        "<logs>/{object}{page}_plot_volumes.log",
    benchmark:
        "<benchmarks>/{object}{page}_plot_volumes.tsv"
    wildcard_constraints:
        page="|_[1-9][0-9]*",
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_volumes"),
        runtime=minutes("plot_volumes"),
    params:
        stacks=by_wildcards(study.stacks_of),
        groups=by_wildcards(study.groups),
        object="{object}",
        group_by=study.config["group_by"],
        note=by_wildcards(study.note_of_all),
        page=by_wildcards(targets.page_number),
        source=source_hash("plot_volumes"),
    script:
        "../scripts/plot_volumes.py"


rule plot_groups:
    """Plot the objects and the means of units of each group."""
    input:
        objects="<results>/objects.csv",
        groups="<results>/groups.csv",
        units="<results>/group_units.csv",
    output:
        figure=report(
            "<results>/figures/{object}_groups{page}.png",
            category="Figures",
            subcategory="All stacks",
            caption="../report/groups_figure.rst",
        ),
        vector="<results>/figures/{object}_groups{page}.pdf",
    log:
        "<logs>/{object}{page}_plot_groups.log",
    benchmark:
        "<benchmarks>/{object}{page}_plot_groups.tsv"
    wildcard_constraints:
        page="|_[1-9][0-9]*",
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_groups"),
        runtime=minutes("plot_groups"),
    params:
        samples=measurements.samples(),
        columns=measurements.compared_columns(),
        object="{object}",
        group_by=study.config["group_by"],
        unit=study.config["compare_groups"]["unit"],
        note=by_wildcards(study.note_of_all),
        page=by_wildcards(targets.page_number),
        source=source_hash("plot_groups"),
    script:
        "../scripts/plot_groups.py"


rule plot_errors:
    """Plot the objects with the largest errors beside their ground truth."""
    input:
        raw=by_wildcards(inputs.raw_of_object),
        ground_truth="<results>/{stack}/{object}/ground_truth.tif",
        segmentation="<results>/{stack}/{object}/segmentation.tif",
        scores="<results>/{stack}/scores.json",
    output:
        figure=report(
            "<results>/{stack}/figures/{object}_errors.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/errors.rst",
        ),
    log:
        "<logs>/{stack}/{object}/plot_errors.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/plot_errors.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_errors"),
        runtime=minutes("plot_errors"),
    params:
        object="{object}",
        title="{stack}",
        note=by_wildcards(study.note),
        marks=by_wildcards(study.marks_of),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("plot_errors"),
    script:
        "../scripts/plot_errors.py"


use rule plot_errors as plot_errors_pdf with:
    output:
        figure="<results>/{stack}/figures/{object}_errors.pdf",
    log:
        "<logs>/{stack}/{object}/plot_errors_pdf.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/plot_errors_pdf.tsv"


rule plot_scores:
    """Plot F1 over the IoU threshold, a curve per stack."""
    input:
        scores="<results>/scores.csv",
    output:
        figure=report(
            "<results>/figures/{object}_scores.png",
            category="Evaluation",
            caption="../report/scores_figure.rst",
        ),
        vector="<results>/figures/{object}_scores.pdf",
    log:
        "<logs>/{object}_plot_scores.log",
    benchmark:
        "<benchmarks>/{object}_plot_scores.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_scores"),
        runtime=minutes("plot_scores"),
    params:
        object="{object}",
        source=source_hash("plot_scores"),
    script:
        "../scripts/plot_scores.py"


rule plot_sweep:
    """Plot the scores of all runs over each key of the sweep."""
    input:
        scores="<results>/sweep/scores.csv",
    output:
        figure="<results>/sweep/sweep.png",
        vector="<results>/sweep/sweep.pdf",
    log:
        "<logs>/plot_sweep.log",
    benchmark:
        "<benchmarks>/plot_sweep.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_sweep"),
        runtime=minutes("plot_sweep"),
    params:
        varied=study.swept_keys(),
        source=source_hash("plot_sweep"),
    script:
        "../scripts/plot_sweep.py"


rule plot_spots:
    """Plot the spots of a channel over its projection and over planes."""
    input:
        raw="<results>/{stack}/channels/{channel}/raw.tif",
        spots="<results>/{stack}/spots/{channel}.csv",
    output:
        figure=report(
            "<results>/{stack}/figures/spots_{channel}.png",
            category="Figures",
            subcategory="{stack}",
            caption="../report/spots_figure.rst",
        ),
    log:
        "<logs>/{stack}/channels/{channel}/plot_spots.log",
    benchmark:
        "<benchmarks>/{stack}/channels/{channel}/plot_spots.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("plot_spots"),
        runtime=minutes("plot_spots"),
    params:
        title="{stack}",
        channel="{channel}",
        diameters_um=by_wildcards(measurements.spot_diameters),
        note=by_wildcards(study.note),
        marks=by_wildcards(study.marks_of),
        color_map=study.config["figures"]["color_map"],
        source=source_hash("plot_spots"),
    script:
        "../scripts/plot_spots.py"
