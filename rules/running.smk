"""How jobs run: their groups and order on a cluster, and the progress of a run."""

cluster.arrange(workflow, study, requests)


onstart:
    watch.start()


onsuccess:
    watch.finish()


onerror:
    watch.finish()
