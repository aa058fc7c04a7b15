"""Runs of studies on the Slurm that start-slurm.sh starts on this machine."""

import subprocess
import sys
from pathlib import Path

from study import ROOT, accept_ctrl_c, environment

HERE = Path(__file__).resolve().parent
SPARE = "node3"  # lost in one test, and not used by the others
PROFILE = ROOT / "profiles" / "slurm"
# short waiting times, since the cluster is one machine
WAITING_TIMES = ["--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "15"]


class Cluster:
    """Runs of studies on Slurm."""

    def start(self, study, *arguments, extra=f"'--exclude={SPARE}'"):
        """Start Snakemake with the profile for Slurm; its output goes to the file `output.txt`."""
        study.write()
        command = [sys.executable, HERE / "smkfast.py", *study.arguments()]
        command += ["--workflow-profile", PROFILE, *WAITING_TIMES]
        command += ["--default-resources", f"slurm_extra={extra!r}", "mem_mb=400", "runtime=5"]
        with (study.folder / "output.txt").open("a") as output:
            return subprocess.Popen(
                [*command, *arguments],
                cwd=study.folder,
                env=environment(),
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=accept_ctrl_c,
            )

    def run(self, study, *arguments, **options):
        """Run Snakemake to its end, and return its output."""
        code = self.start(study, *arguments, **options).wait(timeout=1500)
        output = (study.folder / "output.txt").read_text()
        assert code == 0, output[-4000:]
        return output

    def jobs(self, study, state=None):
        """Return the numbers of a study's jobs in the queue, optionally those in one state."""
        numbers = []
        for line in slurm("squeue", "--noheader", "--format=%i %T %Z").splitlines():
            number, its_state, folder = line.split(None, 2)
            if folder == str(study.folder) and state in (None, its_state):
                numbers.append(number)
        return numbers

    def states(self, study):
        """Return the final states of all jobs of a study, oldest first."""
        command = ["sacct", "--allocations", "--noheader", "--parsable2"]
        command += ["--format=State,WorkDir", "--starttime=now-1hour"]
        lines = [line.partition("|") for line in slurm(*command).splitlines()]
        return [state for state, _, folder in lines if folder == str(study.folder)]

    def node(self, action, name):
        """Start a node, or kill it as a loss of power would."""
        subprocess.run([HERE / "node-slurm.sh", action, name], check=True)


def slurm(*command):
    """Return the output of a command of Slurm."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
