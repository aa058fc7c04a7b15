rule enhance_membrane:
    """Smooth the membrane and measure the strength of its walls."""
    input:
        contrast="<results>/{stack}/membrane/contrast.tif",
    output:
        smooth="<results>/{stack}/membrane/smooth.tif",
        walls="<results>/{stack}/membrane/walls.tif",
        record="<results>/{stack}/membrane/walls.json",
    log:
        "<logs>/{stack}/membrane/enhance_membrane.log",
    benchmark:
        "<benchmarks>/{stack}/membrane/enhance_membrane.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("enhance_membrane"),
        runtime=minutes("enhance_membrane"),
    params:
        **stage("enhance_membrane", "membrane"),
    script:
        "../scripts/enhance_membrane.py"


rule find_cell_seeds:
    """Find the seeds of cells, nuclei among them, and space that is surely outside of cells."""
    input:
        smooth="<results>/{stack}/membrane/smooth.tif",
        walls="<results>/{stack}/membrane/walls.tif",
        record="<results>/{stack}/membrane/walls.json",
        nuclei=nuclei_of_stack,
    output:
        seeds="<results>/{stack}/cells/seeds.tif",
        background="<results>/{stack}/cells/background.tif",
    log:
        "<logs>/{stack}/cells/find_cell_seeds.log",
    benchmark:
        "<benchmarks>/{stack}/cells/find_cell_seeds.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("find_cell_seeds"),
        runtime=minutes("find_cell_seeds"),
    params:
        **stage("find_cell_seeds", "membrane"),
    script:
        "../scripts/find_cell_seeds.py"


rule segment_cells:
    """Divide a stack into compartments by a watershed on the membrane."""
    input:
        seeds="<results>/{stack}/cells/seeds.tif",
        background="<results>/{stack}/cells/background.tif",
        smooth="<results>/{stack}/membrane/smooth.tif",
        walls="<results>/{stack}/membrane/walls.tif",
        nuclei=nuclei_of_stack,
    output:
        compartments="<results>/{stack}/cells/compartments.tif",
    log:
        "<logs>/{stack}/cells/segment_cells.log",
    benchmark:
        "<benchmarks>/{stack}/cells/segment_cells.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("segment_cells"),
        runtime=minutes("segment_cells"),
    params:
        **stage("segment_cells", "membrane"),
    script:
        "../scripts/segment_cells.py"


rule merge_cells:
    """Merge compartments that no wall divides, and tell cells from the background."""
    input:
        compartments="<results>/{stack}/cells/compartments.tif",
        walls="<results>/{stack}/membrane/walls.tif",
        smooth="<results>/{stack}/membrane/smooth.tif",
        nuclei=nuclei_of_stack,
    output:
        split="<results>/{stack}/cells/split.tif",
    log:
        "<logs>/{stack}/cells/merge_cells.log",
    benchmark:
        "<benchmarks>/{stack}/cells/merge_cells.tsv"
    wildcard_constraints:
        stack=pattern_of(stacks.keys() - stacks_with("labels", ["cells"])),
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("merge_cells"),
        runtime=minutes("merge_cells"),
    params:
        **stage("merge_cells", "membrane"),
    script:
        "../scripts/merge_cells.py"
