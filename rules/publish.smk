rule write_methods:
    """Write the methods section of a paper about this run, and what it cites."""
    input:
        stacks="<results>/stacks.csv",
        checks="<results>/checks.csv",
        provenance="<results>/provenance.json",
        records=by_wildcards(targets.all_channels, name="import.json"),
        comparisons=targets.group_tables(),
    output:
        methods="<results>/methods.md",
        bibliography="<results>/methods.bib",
    log:
        "<logs>/write_methods.log",
    benchmark:
        "<benchmarks>/write_methods.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_methods"),
        runtime=minutes("write_methods"),
    params:
        groups=recipes.groups_of_settings(),
        images=inputs.all_images(),
        packages=by_wildcards(stages.packages),
        simulated=study.simulated_stacks(),
        scored=study.scored_stacks(),
        comparison=measurements.comparison(),
        measured=measurements.described(),
        source=source_hash("write_methods"),
    script:
        "../scripts/write_methods.py"


rule pack_archive:
    """Pack results, methods, configuration and workflow into one zip file, with a description."""
    input:
        files=by_wildcards(targets.archived_results, target=rules.all.input),
        provenance="<results>/provenance.json",
    output:
        archive="<results>/archive.zip",
    log:
        "<logs>/pack_archive.log",
    benchmark:
        "<benchmarks>/pack_archive.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("pack_archive"),
        runtime=minutes("pack_archive"),
    params:
        results=by_wildcards(inputs.results),
        config=config,
        sheet=study.config["stacks"],
        tables=by_wildcards(targets.files_of_configuration),
        inputs=by_wildcards(inputs.files_of_sheet),
        workflow=str(Path(str(workflow.current_basedir)).parent),
        include_inputs=study.config["archive"]["include_inputs"],
        source=source_hash("pack_archive"),
    script:
        "../scripts/pack_archive.py"


rule write_ome_zarr:
    """Write the channels and labels of a stack as OME-Zarr."""
    input:
        raw=by_wildcards(inputs.raw_stacks),
        labels=by_wildcards(inputs.files_of_objects, name="labels.ome.tif"),
        segmentations=by_wildcards(inputs.files_of_objects, name="segmentation.tif"),
    output:
        image=directory("<results>/{stack}/image.ome.zarr"),
    log:
        "<logs>/{stack}/write_ome_zarr.log",
    benchmark:
        "<benchmarks>/{stack}/write_ome_zarr.tsv"
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_ome_zarr"),
        runtime=minutes("write_ome_zarr"),
    params:
        stack="{stack}",
        channels=by_wildcards(study.channels),
        objects=by_wildcards(study.objects),
        version=study.ome_zarr_version(),
        source=source_hash("write_ome_zarr"),
    script:
        "../scripts/write_ome_zarr.py"


rule write_parquet:
    """Write a table of all stacks as Parquet, with units and definitions."""
    input:
        table="<results>/{table}.csv",
        columns="<results>/columns.csv",
    output:
        parquet="<results>/{table}.parquet",
    log:
        "<logs>/{table}_write_parquet.log",
    benchmark:
        "<benchmarks>/{table}_write_parquet.tsv"
    wildcard_constraints:
        table="objects|classes|stacks|checks|statistics|quality|groups|group_units|regions|scores|stack_scores",
    localrule: True
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=memory("write_parquet"),
        runtime=minutes("write_parquet"),
    params:
        source=source_hash("write_parquet"),
    script:
        "../scripts/write_parquet.py"


rule write_anndata:
    """Write the objects of all stacks as AnnData, with their neighbours."""
    input:
        objects="<results>/objects.csv",
        columns="<results>/columns.csv",
        contacts=by_wildcards(targets.contact_tables_of),
    output:
        anndata="<results>/{object}.h5ad",
    log:
        "<logs>/{object}_write_anndata.log",
    benchmark:
        "<benchmarks>/{object}_write_anndata.tsv"
    localrule: True
    conda:
        "../envs/export.yaml"
    resources:
        mem_mb=memory("write_anndata"),
        runtime=minutes("write_anndata"),
    params:
        object="{object}",
        source=source_hash("write_anndata"),
    script:
        "../scripts/write_anndata.py"
