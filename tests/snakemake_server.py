"""Run Snakemake and its jobs in forks of one process, which has imported what they need.

Importing Snakemake, NumPy and Matplotlib takes longer than most jobs on the small stacks of the
tests. Each run and each job still is a process with its own working directory, environment, output
and exit status, and each job has its own cellstack: only other packages have been imported before.

`tests/rules/test_scripts.py` compares the files of jobs with those of the scripts in new processes.
Variables that a package reads when it is imported, such as ``OPENBLAS_CORETYPE``, have no effect:
use `Study.start` to set them.
"""

import gc
import importlib
import json
import os
import runpy
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

MAX_SECONDS = 1500
MAX_REQUEST = 1 << 20  # bytes
IMPORTED = (
    "cc3d",
    "cv2",
    "edt",
    "fastremap",
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "nbformat",
    "pandas",
    "polars",
    "scipy.ndimage",
    "scipy.optimize",
    "scipy.spatial",
    "scipy.stats",
    "skimage.filters",
    "skimage.measure",
    "skimage.restoration",
    "skimage.segmentation",
    "smart_open",
    "snakemake.benchmark",
    "snakemake.cli",
    "snakemake.storage",
    "tifffile",
    "yaml",
    "yte",
)


class Server:
    """A process that runs Snakemake on request; it ends with the process that started it."""

    def __init__(self, environment):
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            env=environment | {"OPENBLAS_NUM_THREADS": "1"},  # as in most jobs
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, arguments, folder, environment, stdout, stderr):
        """Run Snakemake with its output in two files, and return its exit status."""
        request = [list(map(str, arguments)), str(folder), environment, str(stdout), str(stderr)]
        print(json.dumps(request), file=self.process.stdin, flush=True)
        return int(self.process.stdout.readline())


def serve():
    for name in IMPORTED:
        importlib.import_module(name)
    sys.modules["snakemake.cli"].get_argument_parser()  # imports the plugins
    gc.freeze()  # so that forks share the memory
    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            end_after(run, *json.loads(line))
        _, status = os.waitpid(number, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def end_after(function, *arguments):
    """Call a function and end this process, with the status that Python would have."""
    status = 1
    try:
        function(*arguments)
        status = 0
    except SystemExit as ended:
        status = ended.code or 0
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def set_environment(variables):
    os.environ.clear()
    os.environ.update(variables)
    tempfile.tempdir = None  # depends on TMPDIR


def run(arguments, folder, environment, stdout, stderr):
    """Become a run of Snakemake."""
    import snakemake.cli

    os.chdir(folder)
    set_environment(environment)
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, (path, mode) in enumerate(
        ((os.devnull, os.O_RDONLY), (stdout, write), (stderr, write))
    ):
        os.dup2(os.open(path, mode, 0o644), number)
    sys.stdin = os.fdopen(0)  # not that of the server, which may have read ahead
    requests, received = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    starter = os.fork()  # while this process has no threads and has not changed anything
    if starter == 0:
        requests.close()
        end_after(start_jobs, received)
    received.close()
    signal.alarm(MAX_SECONDS)
    sys.modules["snakemake.shell"].sp = Processes(requests)  # snakemake.shell is a class
    sys.path[0] = folder
    sys.argv = ["snakemake", *arguments]
    try:
        snakemake.cli.main()
    finally:
        requests.close()
        os.waitpid(starter, 0)


class Processes:
    """The module `subprocess` for Snakemake, which starts Python scripts in forks."""

    def __init__(self, requests):
        self.requests = requests

    def __getattr__(self, name):
        return getattr(subprocess, name)

    def Popen(self, command, *, env, **options):
        words = shlex.split(command.rpartition(";")[2])  # after: set -euo pipefail
        if len(words) == 2 and words[0] == sys.executable and ".snakemake/scripts/" in words[1]:
            return Job(self.requests, words[1], env)
        return subprocess.Popen(command, env=env, **options)


class Job:
    """A script in a fork, with the part of the interface of `Popen` that Snakemake uses."""

    def __init__(self, requests, script, environment):
        ours, theirs = socket.socketpair()
        with theirs:
            message = json.dumps([script, str(Path.cwd()), environment]).encode()
            socket.send_fds(requests, [message], [theirs.fileno()])
        self.replies = ours.makefile()
        ours.close()
        self.pid = int(self.replies.readline())

    def wait(self):
        with self.replies:
            return int(self.replies.readline())

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)

    def terminate(self):
        os.kill(self.pid, signal.SIGTERM)


def start_jobs(requests):
    """Start a job for each request until the run ends, then wait for all jobs."""
    count = 0
    while True:
        message, files, *_ = socket.recv_fds(requests, MAX_REQUEST, 1)
        if not message:
            break
        count += 1
        if os.fork() == 0:
            end_after(watch_job, *json.loads(message), files[0])
        os.close(files[0])
    for _ in range(count):
        os.wait()


def watch_job(script, folder, environment, reply):
    """Start a job, and write its process number and its exit status."""
    number = os.fork()
    if number == 0:
        os.close(reply)
        end_after(run_script, script, folder, environment)
    os.write(reply, f"{number}\n".encode())
    ended = os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)
    status = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
    os.write(reply, f"{status}\n".encode())
    os.read(reply, 1)  # until `wait` has returned: the process must be there for psutil
    os.waitpid(number, 0)


def run_script(script, folder, environment):
    """Become a job."""
    os.chdir(folder)  # that of Snakemake, which may have changed it
    set_environment(environment)
    sys.path[0] = str(Path(script).parent)
    sys.argv = [script]
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    serve()
