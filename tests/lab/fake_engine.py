"""A unix socket on which something answers as an engine would, until it does not."""

import json
import re
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

LISTS: dict[str, Any] = {
    "/version": {"Version": "29.0.0", "ApiVersion": "1.44", "MinAPIVersion": "1.24", "Os": "linux"},
    "/containers/json": [{"Id": "1a" * 32}],
    "/images/json": [{"Id": f"sha256:{'2b' * 32}"}],
    "/networks": [{"Name": "bridge", "Driver": "bridge", "Id": "3c" * 32}],
    "/info": {"ServerVersion": "29.0.0", "Swarm": {"LocalNodeState": "inactive"}, "DockerRootDir": "/d"},
    "/volumes": {"Volumes": [], "Warnings": None},
    "/_ping": "OK",
}


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def fake_engine(path: Path, answers: Mapping[str, Any], *, hangs_up: bool = False) -> Iterator[list[str]]:
    """
    Answers to GET by path, without its version; other paths are never answered. Yields the paths that were asked for.

    ``hangs_up`` closes the connection after each answer.
    """
    over, asked = threading.Event(), list[str]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(b"", len(b"OK"))

        def do_GET(self) -> None:
            name = re.sub(r"^/v[0-9.]+(?=/)", "", self.path.partition("?")[0])
            asked.append(name)
            if name not in answers:
                over.wait()
                self.close_connection = True
                return
            told = answers[name]
            body = told.encode() if isinstance(told, str) else json.dumps(told).encode()
            self._answer(body, len(body))

        def _answer(self, body: bytes, length: int) -> None:
            self.send_response(200)
            self.send_header("Api-Version", "1.44")
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = self.close_connection or hangs_up

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    with _Server(str(path), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield asked
        finally:
            over.set()
            server.shutdown()
            serving.join()
