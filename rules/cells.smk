rule enhance_membrane:
    """Smooth the membrane channel and compute its ridges."""
    input:
        contrast=made_by(
            "adjust_contrast", "<results>/{stack}/channels/membrane/contrast.tif", "membrane"
        ),
        diameter=diameter_for("enhance_membrane", "membrane"),
    output:
        membrane_smooth=intermediate("<results>/{stack}/cells/membrane_smooth.tif"),
        membrane_ridges=intermediate("<results>/{stack}/cells/membrane_ridges.tif"),
        record="<results>/{stack}/cells/membrane_ridges.json",
    log:
        "<logs>/{stack}/cells/enhance_membrane.log",
    benchmark:
        "<benchmarks>/{stack}/cells/enhance_membrane.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("enhance_membrane"),
        runtime=minutes("enhance_membrane"),
    params:
        **params_of("enhance_membrane", "membrane"),
        diameter_um=by_wildcards(study.fixed_diameter, channel="membrane"),
    script:
        "../scripts/enhance_membrane.py"


rule find_cell_seeds:
    """Find seeds of cells, with their nuclei if there are any, and of the background."""
    input:
        membrane_smooth=by_wildcards(
            block_inputs.cells_of_complete, stage="enhance_membrane", name="membrane_smooth.tif"
        ),
        membrane_ridges=by_wildcards(
            block_inputs.cells_of_complete, stage="enhance_membrane", name="membrane_ridges.tif"
        ),
        record=by_wildcards(
            block_inputs.cells_of_complete, stage="enhance_membrane", name="membrane_ridges.json"
        ),
        nuclei=by_wildcards(inputs.segmented_nuclei),
        no_data=by_wildcards(block_inputs.no_data_of_membrane),
        diameter=diameter_for("find_cell_seeds", "membrane"),
    output:
        seeds=intermediate("<results>/{stack}/cells/seeds.tif"),
        background=intermediate("<results>/{stack}/cells/background.tif"),
    log:
        "<logs>/{stack}/cells/find_cell_seeds.log",
    benchmark:
        "<benchmarks>/{stack}/cells/find_cell_seeds.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("find_cell_seeds"),
        runtime=minutes("find_cell_seeds"),
    params:
        **params_of("find_cell_seeds", "membrane"),
        block=by_wildcards(block_plan.geometry_of_unit),
    script:
        "../scripts/find_cell_seeds.py"


rule segment_cells:
    """Partition the stack into regions by a watershed on the membrane."""
    input:
        seeds=by_wildcards(
            block_inputs.cells_of_complete, stage="find_cell_seeds", name="seeds.tif"
        ),
        background=by_wildcards(
            block_inputs.cells_of_complete, stage="find_cell_seeds", name="background.tif"
        ),
        membrane_smooth=by_wildcards(
            block_inputs.cells_of_complete, stage="enhance_membrane", name="membrane_smooth.tif"
        ),
        membrane_ridges=by_wildcards(
            block_inputs.cells_of_complete, stage="enhance_membrane", name="membrane_ridges.tif"
        ),
        nuclei=by_wildcards(inputs.segmented_nuclei),
        no_data=by_wildcards(block_inputs.no_data_of_membrane),
        scales=by_wildcards(block_inputs.cell_scales),
    output:
        regions=intermediate("<results>/{stack}/cells/regions.tif"),
    log:
        "<logs>/{stack}/cells/segment_cells.log",
    benchmark:
        "<benchmarks>/{stack}/cells/segment_cells.tsv"
    conda:
        "../envs/cellstack.yaml"
    threads: cores
    resources:
        mem_mb=memory("segment_cells"),
        runtime=minutes("segment_cells"),
    params:
        **params_of("segment_cells", "membrane"),
        block=by_wildcards(block_plan.geometry_of_unit),
    script:
        "../scripts/segment_cells.py"


rule merge_cells:
    """Merge regions without a wall between them, and remove the background."""
    input:
        regions=made_by("segment_cells", "<results>/{stack}/cells/regions.tif", "membrane"),
        membrane_ridges=made_by(
            "enhance_membrane", "<results>/{stack}/cells/membrane_ridges.tif", "membrane"
        ),
        membrane_smooth=made_by(
            "enhance_membrane", "<results>/{stack}/cells/membrane_smooth.tif", "membrane"
        ),
        nuclei=by_wildcards(inputs.segmented_nuclei),
        diameter=diameter_for("merge_cells", "membrane"),
    output:
        segmentation="<results>/{stack}/cells/segmentation.tif",
    log:
        "<logs>/{stack}/cells/merge_cells.log",
    benchmark:
        "<benchmarks>/{stack}/cells/merge_cells.tsv"
    wildcard_constraints:
        stack=pattern_of(study.stacks_without("labels", "cells")),
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("merge_cells"),
        runtime=minutes("merge_cells"),
    params:
        **params_of("merge_cells", "membrane"),
    script:
        "../scripts/merge_cells.py"


use rule merge_cells as merge_uncorrected with:
    output:
        segmentation="<results>/{stack}/cells/uncorrected.tif",
    log:
        "<logs>/{stack}/cells/merge_uncorrected.log",
    benchmark:
        "<benchmarks>/{stack}/cells/merge_uncorrected.tsv"


rule measure_contacts:
    """Measure the contact area of neighbouring cells and the wall between them."""
    input:
        segmentation="<results>/{stack}/cells/segmentation.tif",
        membrane_ridges=made_by(
            "enhance_membrane", "<results>/{stack}/cells/membrane_ridges.tif", "membrane"
        ),
        selection="<results>/{stack}/cells/selection.csv",
    output:
        contacts="<results>/{stack}/cells/contacts.csv",
    log:
        "<logs>/{stack}/cells/measure_contacts.log",
    benchmark:
        "<benchmarks>/{stack}/cells/measure_contacts.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("measure_contacts"),
        runtime=minutes("measure_contacts"),
    params:
        stack="{stack}",
        object="cells",
        min_wall_strength=by_wildcards(
            study.argument, key="min_wall_strength", stage="merge_cells", channel="membrane"
        ),
        min_contact_fraction=by_wildcards(
            study.argument, key="min_contact_fraction", stage="merge_cells", channel="membrane"
        ),
        source=source_hash("measure_contacts"),
    script:
        "../scripts/measure_contacts.py"


rule measure_pairs:
    """Measure the nucleus of each cell, and intensities in nucleus and cytoplasm."""
    input:
        segmentation="<results>/{stack}/cells/segmentation.tif",
        selection="<results>/{stack}/cells/selection.csv",
        contacts="<results>/{stack}/cells/contacts.csv",
        nuclei="<results>/{stack}/nuclei/segmentation.tif",
        raw=by_wildcards(inputs.raw_stacks),
    output:
        pairs="<results>/{stack}/cells/pairs.csv",
    log:
        "<logs>/{stack}/cells/measure_pairs.log",
    benchmark:
        "<benchmarks>/{stack}/cells/measure_pairs.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("measure_pairs"),
        runtime=minutes("measure_pairs"),
    params:
        channels=by_wildcards(study.channels),
        source=source_hash("measure_pairs"),
    script:
        "../scripts/measure_pairs.py"
