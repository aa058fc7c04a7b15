rule write_index:
    """Write the page of the run: all stacks, and the details of each."""
    input:
        stacks="<results>/stacks.csv",
        checks="<results>/checks.csv",
        statistics="<results>/statistics.csv",
        columns="<results>/columns.csv",
        provenance="<results>/provenance.json",
        quality=by_wildcards(study.of_each_stack, pattern="<results>/{stack}/quality.json"),
        pictures=by_wildcards(
            study.of_each_object, pattern="<results>/{stack}/{object}/pictures.json"
        ),
        figures=by_wildcards(targets.figures),
        groups=targets.group_tables(),
    output:
        index=report("<results>/index.html", category="Run", caption="../report/index.rst"),
    log:
        "<logs>/write_index.log",
    benchmark:
        "<benchmarks>/write_index.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_index"),
        runtime=minutes("write_index"),
    params:
        sheet=study.config["stacks"],
        images=targets.external_images(),
        channels=study.channels_by_stack(),
        user_columns=study.user_column_names(),
        settings=used_settings.changed_settings(study),
        note=study.note_of_all(),
        further=targets.further_tables(),
        group_by=study.config["group_by"],
        pages=explorer.existing(),
        source=source_hash("write_index"),
    script:
        "../scripts/write_index.py"


rule write_evaluation:
    """Write the page of scores: F1 over IoU, tables and the largest errors."""
    input:
        scores="<results>/scores.csv",
        stack_scores="<results>/stack_scores.csv",
        figures=by_wildcards(targets.error_figures),
        raw=by_wildcards(
            targets.all_channels, name="raw.tif", stacks=study.stacks_with("ground_truth")
        ),
        records=by_wildcards(
            targets.all_channels, name="import.json", stacks=study.stacks_with("ground_truth")
        ),
    output:
        evaluation=report(
            "<results>/evaluation.html", category="Evaluation", caption="../report/evaluation.rst"
        ),
    log:
        "<logs>/write_evaluation.log",
    benchmark:
        "<benchmarks>/write_evaluation.tsv"
    localrule: True
    conda:
        "../envs/cellstack.yaml"
    resources:
        mem_mb=memory("write_evaluation"),
        runtime=minutes("write_evaluation"),
    params:
        images=inputs.all_images(study.stacks_with("ground_truth")),
        software=provenance.versions_of(workflow),
        source=source_hash("write_evaluation"),
    script:
        "../scripts/write_evaluation.py"
