"""Run Snakemake in forks of one process, which has imported it.

Importing Snakemake takes longer than many of its runs in the tests. Each run still is a process
with its own working directory, environment and output.
"""

import json
import os
import signal
import subprocess
import sys
import traceback

MAX_SECONDS = 1500


class Server:
    """A process that runs Snakemake on request; it ends with the process that started it."""

    def __init__(self, environment):
        self.process = subprocess.Popen(
            [sys.executable, __file__],
            env=environment,
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
    import snakemake.cli  # noqa: F401

    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            run(*json.loads(line))
        _, status = os.waitpid(number, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(arguments, folder, environment, stdout, stderr):
    """Become a run of Snakemake."""
    import snakemake.cli

    signal.alarm(MAX_SECONDS)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    write = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, (path, mode) in enumerate(
        ((os.devnull, os.O_RDONLY), (stdout, write), (stderr, write))
    ):
        os.dup2(os.open(path, mode, 0o644), number)
    sys.stdin = os.fdopen(0)  # not that of the server, which may have read ahead
    sys.path[0] = folder
    sys.argv = ["snakemake", *arguments]
    status = 1
    try:
        snakemake.cli.main()
    except SystemExit as ended:
        status = ended.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve()
