"""A daemon as the proof sees it: TLS with the files that a daemon.json names, and the engine's API behind it."""

import functools
import http.server
import json
import ssl
import threading
from pathlib import Path


class Daemon:
    """A TLS server that answers as dockerd does, with the files that a daemon.json names."""

    def __init__(
        self, port: int, config: str, files: dict[str, bytes], folder: Path, address: str = "127.0.0.1"
    ) -> None:
        keys = json.loads(config)
        for name in ("tlscacert", "tlscert", "tlskey"):
            (folder / name).write_bytes(files[keys[name]])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "tlscert", folder / "tlskey")
        context.load_verify_locations(folder / "tlscacert")
        context.verify_mode = ssl.CERT_REQUIRED if keys["tlsverify"] else ssl.CERT_NONE
        self.server = http.server.ThreadingHTTPServer((address, port), _Api)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]  # refusals are part of it
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=functools.partial(self.server.serve_forever, 0.02), daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class _Api(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ApiVersion": "1.43"}')

    def log_message(self, *_: object) -> None:
        pass
