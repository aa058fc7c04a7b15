rule simulate_stack:
    """Simulate a colony of cells as a stack with two channels, and its truth."""
    output:
        image="<resources>/simulated/{simulation}/image.ome.tif",
        nuclei="<resources>/simulated/{simulation}/nuclei.ome.tif",
        cells="<resources>/simulated/{simulation}/cells.ome.tif",
    log:
        "<logs>/simulated/{simulation}/simulate_stack.log",
    benchmark:
        "<benchmarks>/simulated/{simulation}/simulate_stack.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("simulate_stack"),
        runtime=minutes("simulate_stack"),
    params:
        **simulation(),
    script:
        "../scripts/simulate_stack.py"


rule fetch_cells3d:
    """Fetch the stack of the scikit-image tutorial from the network."""
    output:
        image="<resources>/cells3d.ome.tif",
    log:
        "<logs>/fetch_cells3d.log",
    benchmark:
        "<benchmarks>/fetch_cells3d.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("fetch_cells3d"),
        runtime=minutes("fetch_cells3d"),
    params:
        source=source_hash("fetch_cells3d"),
    script:
        "../scripts/fetch_cells3d.py"


rule import_stack:
    """Read one channel of an image of any kind, with its spacing, and record where each value came from."""
    input:
        image=files_of("image"),
    output:
        raw="<results>/{stack}/{channel}/raw.tif",
        record="<results>/{stack}/{channel}/import.json",
    log:
        "<logs>/{stack}/{channel}/import_stack.log",
    benchmark:
        "<benchmarks>/{stack}/{channel}/import_stack.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("import_stack"),
        runtime=minutes("import_stack"),
    params:
        **stage("import_stack"),
        channel="{channel}",
        index=sheet_value("index"),
        z_um=sheet_value("z_um"),
        y_um=sheet_value("y_um"),
        x_um=sheet_value("x_um"),
        stamp=stamp_of("image"),
    script:
        "../scripts/import_stack.py"


rule estimate_diameter:
    """Estimate the diameter of the nuclei of a stack, where it is auto."""
    input:
        raw="<results>/{stack}/nuclei/raw.tif",
    output:
        record="<results>/{stack}/nuclei/diameter.json",
    log:
        "<logs>/{stack}/nuclei/estimate_diameter.log",
    benchmark:
        "<benchmarks>/{stack}/nuclei/estimate_diameter.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("estimate_diameter"),
        runtime=minutes("estimate_diameter"),
    params:
        **stage("estimate_diameter"),
    script:
        "../scripts/estimate_diameter.py"


rule derive_diameter:
    """Derive the diameter of the cells of a stack from the estimated one of their nuclei."""
    input:
        nuclei="<results>/{stack}/nuclei/diameter.json",
    output:
        record="<results>/{stack}/membrane/diameter.json",
    log:
        "<logs>/{stack}/membrane/derive_diameter.log",
    benchmark:
        "<benchmarks>/{stack}/membrane/derive_diameter.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("derive_diameter"),
        runtime=minutes("derive_diameter"),
    params:
        factor=sheet.CELLS_TO_NUCLEI,
        source=source_hash("derive_diameter"),
    script:
        "../scripts/derive_diameter.py"


rule import_labels:
    """Read the objects of a stack from labels made elsewhere, in place of finding them."""
    input:
        image=files_of("labels"),
        raw=raw_of_object,
    output:
        labels="<results>/{stack}/{object}/split.tif",
    log:
        "<logs>/{stack}/{object}/import_labels.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/import_labels.tsv"
    wildcard_constraints:
        stack=pattern_of(stacks_with("labels")),
        object="nuclei",
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("import_labels"),
        runtime=minutes("import_labels"),
    params:
        downsample=stage("import_stack")["downsample"],
        stamp=stamp_of("labels"),
        source=source_hash("import_labels"),
    script:
        "../scripts/import_labels.py"


use rule import_labels as import_cells with:
    wildcard_constraints:
        stack=pattern_of(stacks_with("labels", ["cells"])),
        object="cells",


use rule import_labels as import_truth with:
    input:
        image=files_of("truth"),
        raw=raw_of_object,
    output:
        labels="<results>/{stack}/{object}/truth.tif",
    log:
        "<logs>/{stack}/{object}/import_truth.log",
    benchmark:
        "<benchmarks>/{stack}/{object}/import_truth.tsv"
    wildcard_constraints:
        stack=pattern_of(stacks_with("truth", SEGMENTED)),
        object="nuclei|cells",
    params:
        downsample=stage("import_stack")["downsample"],
        stamp=stamp_of("truth"),
        source=source_hash("import_labels"),


rule write_config:
    """Write the configuration as resolved, with its defaults and the sizes that they come to."""
    input:
        diameters=estimated_diameters(),
    output:
        resolved="<results>/config.yaml",
    log:
        "<logs>/write_config.log",
    benchmark:
        "<benchmarks>/write_config.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_config"),
        runtime=minutes("write_config"),
    params:
        config=config,
        stages=resolved_stages(),
        source=source_hash("write_config"),
    script:
        "../scripts/write_config.py"
