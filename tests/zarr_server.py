"""A web server of a folder on this machine, for remote images."""

import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

POLL_SECONDS = 0.02


class Handler(SimpleHTTPRequestHandler):
    """Serve a folder and note the requests; fail for paths that contain a text."""

    def do_GET(self):
        self.server.requests.append((self.path, self.headers.get("Authorization")))
        if self.server.broken and self.server.broken in self.path:
            self.send_error(500)
        elif (wanted := self.headers.get("Range")) and Path(
            self.translate_path(self.path)
        ).exists():
            self.send_range(wanted)
        else:
            super().do_GET()

    def send_range(self, wanted):
        """Send a part of a file, such as ``bytes=0-99`` or, its end, ``bytes=-100``."""
        content = Path(self.translate_path(self.path)).read_bytes()
        first, last = wanted.removeprefix("bytes=").split("-")
        start = int(first) if first else len(content) - int(last)
        part = content[start : int(last) + 1 if first and last else None]
        self.send_response(206)
        self.send_header("Content-Length", str(len(part)))
        end = start + len(part) - 1
        self.send_header("Content-Range", f"bytes {start}-{end}/{len(content)}")
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *arguments):
        pass


@contextmanager
def serve(folder):
    """Yield the server of a folder, with its `address`, its `requests` and the `broken` text."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        server.requests, server.broken = [], ""
        server.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=[POLL_SECONDS], daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
