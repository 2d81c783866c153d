"""A volume plugin of a test's own: it tells where a volume is only to who asks for that volume, as the protocol allows."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

FOLDER = Path("/run/docker/plugins")


@contextmanager
def volume_plugin(name: str, mountpoint: str) -> Iterator[None]:
    """Every volume of the driver ``name`` is at ``mountpoint``."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.sock"
    path.unlink(missing_ok=True)
    volumes = set[str]()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            body = json.dumps(_reply(volumes, mountpoint, self.path, asked.get("Name", ""))).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            server.shutdown()
            path.unlink(missing_ok=True)


def _reply(volumes: set[str], mountpoint: str, method: str, name: str) -> dict[str, Any]:
    match method.rpartition(".")[2]:
        case "Activate":
            return {"Implements": ["VolumeDriver"]}
        case "Create":
            volumes.add(name)
        case "Remove":
            volumes.discard(name)
        case "List":
            return {"Volumes": [{"Name": each} for each in volumes]}
        case "Get" if name in volumes:
            return {"Volume": {"Name": name, "Mountpoint": mountpoint}}
        case "Get":
            return {"Err": "no such volume"}
        case "Mount" | "Path":
            return {"Mountpoint": mountpoint}
    return {"Err": ""}
