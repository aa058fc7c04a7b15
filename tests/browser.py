"""A page in a real browser: headless Chromium, controlled through the pipe of its DevTools."""

import fcntl
import json
import os
import shutil
import subprocess
import time

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",  # reads commands from file descriptor 3 and answers on 4
)
MAX_SECONDS_PER_ANSWER = 60


class Browser:
    """A running Chromium with one page, and in `requested` the addresses that it requested."""

    def __init__(self, program, profile):
        to_browser, self._commands = os.pipe()
        self._answers, from_browser = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (to_browser, from_browser)]
        script = f'exec "$@" 3<&{ends[0]} 4>&{ends[1]}'
        command = ["bash", "-c", script, "browser", program, *OPTIONS, f"--user-data-dir={profile}"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self._process = subprocess.Popen(command, pass_fds=ends, **quiet)
        for end in (to_browser, from_browser, *ends):
            os.close(end)
        self.requested = []
        self._number, self._unread, self._session, self._is_loaded = 0, b"", {}, False
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Network"):
            self._call(f"{domain}.enable")

    def open(self, address):
        """Load a page and everything that it requests."""
        self._is_loaded = False
        self._call("Page.navigate", url=address)
        while not self._is_loaded:
            self._read()

    def evaluate(self, expression):
        """Return the value of a JavaScript expression in the page; a promise is awaited."""
        answer = self._call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"]["value"]

    def close(self):
        """End the browser."""
        self._process.terminate()
        self._process.wait()
        for end in (self._commands, self._answers):
            os.close(end)

    def _call(self, method, **parameters):
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters} | self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _read(self):
        end = time.monotonic() + MAX_SECONDS_PER_ANSWER
        while b"\0" not in self._unread:
            assert time.monotonic() < end, "the browser does not answer"
            part = os.read(self._answers, 1 << 16)
            assert part, "the browser has ended"
            self._unread += part
        message, _, self._unread = self._unread.partition(b"\0")
        answer = json.loads(message)
        if answer.get("method") == "Network.requestWillBeSent":
            self.requested.append(answer["params"]["request"]["url"])
        self._is_loaded |= answer.get("method") == "Page.loadEventFired"
        return answer


def start(profile):
    """Start the browser with an empty folder for its profile, or skip the test."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium on the path: install it (Debian: apt-get install chromium)")
    return Browser(program, profile)
