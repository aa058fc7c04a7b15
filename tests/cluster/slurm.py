"""Runs of studies on the Slurm that start-slurm.sh starts on this machine."""

import subprocess
import sys
from pathlib import Path

from study import ROOT, environment

HERE = Path(__file__).resolve().parent
SPARE = "node3"  # is lost in one test, and left alone by the others
PROFILE = ROOT / "profiles" / "slurm"
PACE = ["--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "15"]  # of a cluster of one machine


class Cluster:
    """Runs of studies on Slurm."""

    def start(self, study, *arguments, extra=f"'--exclude={SPARE}'"):
        """Start Snakemake with the profile of Slurm; its output goes to the file `output.txt`."""
        study.write()
        command = [sys.executable, HERE / "smkfast.py", *study.arguments(), "--workflow-profile", PROFILE, *PACE]
        command += ["--default-resources", f"slurm_extra={extra!r}", "mem_mb=400", "runtime=5", *arguments]
        with (study.folder / "output.txt").open("a") as output:
            return subprocess.Popen(command, cwd=study.folder, env=environment(), stdout=output, stderr=output, start_new_session=True)

    def run(self, study, *arguments, **options):
        """Run it to its end, and return what it said."""
        code = self.start(study, *arguments, **options).wait(timeout=1500)
        said = (study.folder / "output.txt").read_text()
        assert code == 0, said[-4000:]
        return said

    def jobs(self, study, state=None):
        """List the numbers of a study's jobs in the queue."""
        told = slurm("squeue", "--noheader", "--format=%i %T %Z")
        lines = [line.split(None, 2) for line in told.splitlines()]
        return [number for number, its_state, folder in lines if folder == str(study.folder) and state in (None, its_state)]

    def states(self, study):
        """List how all jobs of a study ended, oldest first."""
        told = slurm("sacct", "--allocations", "--noheader", "--parsable2", "--format=State,WorkDir", "--starttime=now-1hour")
        return [state for state, _, folder in (line.partition("|") for line in told.splitlines()) if folder == str(study.folder)]

    def node(self, word, name):
        """Kill a node as by a loss of power, or start it."""
        subprocess.run([HERE / "node-slurm.sh", word, name], check=True)


def slurm(*command):
    """Ask Slurm."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
