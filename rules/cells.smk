rule enhance_membrane:
    """Smooth the membrane and measure the strength of its walls."""
    input:
        contrast="<results>/{stack}/membrane/contrast.tif",
        diameter=diameter_for("enhance_membrane", "membrane"),
    output:
        smooth=intermediate("<results>/{stack}/membrane/smooth.tif"),
        walls=intermediate("<results>/{stack}/membrane/walls.tif"),
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
        compartments=intermediate("<results>/{stack}/cells/compartments.tif"),
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
        diameter=diameter_for("merge_cells", "membrane"),
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


rule measure_contacts:
    """Measure which cells touch which, by what area, and how strong the wall between them is."""
    input:
        split="<results>/{stack}/cells/split.tif",
        walls="<results>/{stack}/membrane/walls.tif",
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
        min_wall=stage("merge_cells", "membrane")["min_wall"],
        min_contact=stage("merge_cells", "membrane")["min_contact"],
        source=source_hash("measure_contacts"),
    script:
        "../scripts/measure_contacts.py"


rule measure_pairs:
    """Measure the selected cells against the nuclei in them, and the raw intensities of all channels in nucleus and cytoplasm."""
    input:
        labels="<results>/{stack}/cells/labels.ome.tif",
        selection="<results>/{stack}/cells/selection.csv",
        contacts="<results>/{stack}/cells/contacts.csv",
        nuclei="<results>/{stack}/nuclei/split.tif",
        raw=raw_stacks,
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
        channels=channel_names,
        source=source_hash("measure_pairs"),
    script:
        "../scripts/measure_pairs.py"
