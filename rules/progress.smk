"""Tell how a run gets on and which stacks failed; see scripts/cellstack/progress.py."""

from snakemake.logging import logger as snakemake_logger

watching = []


def watch(dag):
    """Follow the jobs that have to be done."""
    jobs = {
        dag.jobid(job): progress.Job(job.rule.name, job.wildcards_dict.get("stack"), [str(log) for log in job.log])
        for job in dag.needrun_jobs()
        if job.rule.name != "all"
    }
    to_do = {job.stack for job in jobs.values()}
    whole = {job.wildcards_dict["stack"] for job in dag.jobs if "stack" in job.wildcards_dict} - to_do
    quiet = {each.name for each in workflow.output_settings.quiet or ()}
    say = str if "ALL" in quiet else partial(print, file=sys.stderr, flush=True)
    if missing:
        say(f"cellstack: the tables will lack {len(missing)} stacks, which results/stacks.csv lists at its end")
    watching.append(progress.Progress(jobs, whole, logs_folder, say))
    snakemake_logger.addHandler(watching[0])
    workflow.scheduler.print_progress = (
        True  # else --quiet progress keeps the ends of jobs from us too; it hides them all the same
    )


def end_watch():
    """Say how it ended."""
    for each in watching:
        snakemake_logger.removeHandler(each)
        each.finish()


onstart:
    watch(workflow.dag)


onsuccess:
    end_watch()


onerror:
    end_watch()
