"""What re-runs a job, the groups and order of jobs on a cluster, and the progress of a run."""

helpers.name_params(workflow)
cluster.arrange(workflow, study, requests)


onstart:
    watch.start()


onsuccess:
    watch.finish()


onerror:
    watch.finish()
