"""The output of a run, what re-runs a job, memory, and the order of jobs on a cluster."""

terminal.shorten_output(workflow)
helpers.name_params(workflow)
limit_memory(workflow)
cluster.arrange(workflow, study, block_plan, requests)


onstart:
    watch.start()


onsuccess:
    watch.finish()


onerror:
    watch.finish()
