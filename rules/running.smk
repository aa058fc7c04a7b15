"""How jobs run: when again, their groups and order on a cluster, and the progress of a run."""

helpers.name_params(workflow)
cluster.arrange(workflow, study, requests)


onstart:
    watch.start()


onsuccess:
    watch.finish()


onerror:
    watch.finish()
