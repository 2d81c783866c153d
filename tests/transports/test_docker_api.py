"""An engine's API against a real dockerd: unix socket, plain TCP, mutual TLS."""

import http.server
import json
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from auditor.collect.bundle import Bundle, Status
from auditor.errors import BadReply, DeadlineExceeded, HostError, HostKeyRejected, LoginRefused, Unreachable
from auditor.host import Host, Timeouts
from auditor.transports.base import Deadline, open_transport
from auditor.transports.docker_connect import address
from tests.lab import engine, liar
from tests.lab.certificates import CLIENT, Authority
from tests.lab.engine import Engine
from tests.lab.need import need_root
from tests.lab.volume_plugin import volume_plugin
from tests.lab.windows_machine import SAMPLES

pytestmark = pytest.mark.lab

FROM_THE_ENGINE = ("engine-info", "containers", "images", "image-history", "networks", "volumes", "swarm")
SHORT = Timeouts(connect=2, auth=2, total=5)


def collect(host: Host, *sections: str) -> Bundle:
    return open_transport(host).collect(host, sections or ("engine-version",), Deadline(host.timeouts.total))


def rows(bundle: Bundle, section: str) -> dict[str, Any]:
    """A section's JSON lines by identifier."""
    lines = [json.loads(line) for line in bundle.text(section).splitlines() if line.startswith("{")]
    return {line.get("Id", line.get("ID", line.get("Name", ""))): line for line in lines}


def lacking(wanted: Any, given: Any, path: str = "") -> list[str]:
    """What ``wanted`` has, with a value, and ``given`` has not or otherwise."""
    if isinstance(wanted, dict) and isinstance(given, dict):
        return [each for key in wanted for each in lacking(wanted[key], given.get(key), f"{path}/{key}")]
    return [] if wanted == given or not wanted else [f"{path}: {wanted!r}, not {given!r}"]


def test_each_section_is_what_the_collector_brings_from_the_same_engine(lab_engine: Engine) -> None:
    name = "docker-api-shape"
    lab_engine.run(
        name,
        "--env",
        "PASSWORD=hunter2",
        "--label",
        "com.docker.swarm.service.name=web",
        "--cap-add",
        "SYS_ADMIN",
        f"--mount=type=volume,source={name},target=/h,volume-driver=local,volume-opt=type=none,volume-opt=o=bind,volume-opt=device=/etc",
    )
    change = "ENV API_KEY=hunter2 DEBUG=true"
    lab_engine.docker("commit", "--change", change, "--change", "CMD curl --token=hunter2", name, f"{name}:1")
    try:
        over_api = collect(Host("e", "docker", path=lab_engine.socket), *FROM_THE_ENGINE)
        by_shell = collect(Host("e", "local", path=lab_engine.socket), *FROM_THE_ENGINE)
    finally:
        lab_engine.docker("rm", "--force", name)
        lab_engine.docker("volume", "rm", name)
        lab_engine.docker("image", "rm", f"{name}:1")
    assert rows(over_api, "volumes")[name]["Device"] == "/etc"
    for section in ("containers", "images", "networks", "volumes"):
        assert lacking(rows(by_shell, section), rows(over_api, section)) == []
        assert set(rows(by_shell, section)) == set(rows(over_api, section))
    differs = {
        line.split("/")[2].partition(":")[0]
        for line in lacking(rows(by_shell, "engine-info"), rows(over_api, "engine-info"))
    }
    assert differs <= {"ClientInfo", "SystemTime", "NGoroutines", "NFd", "NEventsListener"}
    listed = [
        line for line in over_api.text("containers").splitlines() if line.startswith(("listed", "gone"))
    ]
    assert listed == [
        line for line in by_shell.text("containers").splitlines() if line.startswith(("listed", "gone"))
    ]
    for section in ("image-history", "swarm"):
        assert over_api.text(section) == by_shell.text(section)
    assert b"hunter2" not in over_api.dump()


def test_where_a_plugin_has_a_volume_is_asked_for(tmp_path: Path) -> None:
    need_root(engine.PROGRAMS)
    with volume_plugin("lab-api-plugin", "/etc"), engine.engine() as running:
        running.docker("volume", "create", "--driver=lab-api-plugin", "of-a-plugin")
        over_api = collect(Host("e", "docker", path=running.socket), "volumes")
    assert rows(over_api, "volumes")["of-a-plugin"]["Mountpoint"] == "/etc"


def test_a_manager_tells_its_services_and_the_names_of_its_secrets(tmp_path: Path) -> None:
    need_root(engine.PROGRAMS)
    with engine.engine() as manager:
        manager.docker("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1:23770")
        manager.docker("secret", "create", "web-password", "-", data=b"hunter2")
        options = ("--env", "API_KEY=hunter2", "--env", "DEBUG=true", "--secret", "web-password", "--detach")
        manager.docker("service", "create", "--name", "web", "--replicas", "0", *options, engine.IMAGE)
        over_api = collect(Host("e", "docker", path=manager.socket), "swarm").text("swarm").splitlines()
        by_shell = collect(Host("e", "local", path=manager.socket), "swarm").text("swarm").splitlines()
    told = [line for line in over_api if not line.startswith("denied ")]
    assert told == [line for line in by_shell if not line.startswith("addresses ")]
    assert told[-1] == 'secret "web-password"'


def test_the_version_has_the_servers_answer_below_server(lab_engine: Engine) -> None:
    over_api = json.loads(collect(Host("e", "docker", path=lab_engine.socket)).read("engine-version"))
    by_shell = json.loads(
        collect(Host("e", "local", path=lab_engine.socket), "engine-version").read("engine-version")
    )
    for key in ("Version", "ApiVersion", "MinAPIVersion", "GoVersion", "Os", "KernelVersion"):
        assert over_api["Server"][key] == by_shell["Server"][key]
    assert [part["Name"] for part in over_api["Server"]["Components"]] == [
        part["Name"] for part in by_shell["Server"]["Components"]
    ]


def test_what_only_a_shell_could_tell_says_so(lab_engine: Engine) -> None:
    section = collect(Host("e", "docker", path=lab_engine.socket), "files").section("files")
    assert section.status == Status.NO_SHELL
    assert "shell" in section.why


def test_a_user_who_may_not_use_the_socket_is_told_what_to_be(lab_engine: Engine, tmp_path: Path) -> None:
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
        try:
            collect(Host("e", "docker", path=lab_engine.socket))
        except LoginRefused as error:
            os._exit(0 if "permission denied" in str(error) else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def test_a_socket_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match=r"there is no such socket"):
        collect(Host("e", "docker", path=tmp_path / "docker.sock"))


def test_a_port_that_nobody_listens_on_is_unreachable() -> None:
    with pytest.raises(Unreachable, match=r"tcp://127\.0\.0\.1:1: connection refused"):
        collect(Host("e", "docker", "tcp://127.0.0.1:1"))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Tls"]:
    """A dockerd that wants client certificates on one port, and listens without TLS on none."""
    need_root(engine.PROGRAMS)
    folder = tmp_path_factory.mktemp("tls")
    servers, clients = Authority("servers"), Authority("clients")
    servers.issue("e", names=["127.0.0.9"]).write(folder, "server-cert.pem", "server-key.pem")
    clients.issue("someone", usages=(CLIENT,)).write(folder / "client")
    servers.write(folder / "client/ca.pem")
    flags = (
        "--tlsverify",
        f"--tlscacert={clients.write(folder / 'clients.pem')}",
        f"--tlscert={folder}/server-cert.pem",
        f"--tlskey={folder}/server-key.pem",
    )
    port = free_port()
    with engine.engine(*flags, hosts=(f"tcp://127.0.0.9:{port}",)):
        yield Tls(port, folder / "client", clients)


class Tls:
    def __init__(self, port: int, folder: Path, clients: Authority) -> None:
        self.port, self.folder, self.clients = port, folder, clients
        self.host = Host("e", "docker", "127.0.0.9", port, tls_dir=folder, timeouts=SHORT)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.9", 0))
        port: int = sock.getsockname()[1]
        return port


def test_with_the_right_certificates_an_engine_answers_over_mutual_tls(
    tls: "Tls", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    bundle = collect(tls.host, "engine-version", "containers")
    assert bundle.complete
    assert not any(section.status for section in bundle.sections.values())
    assert "tls-strict" not in bundle.sections


def test_without_tls_the_engine_says_that_it_wants_it(tls: "Tls") -> None:
    with pytest.raises(LoginRefused, match=r"wants TLS .*set tls_dir"):
        collect(replace(tls.host, tls_dir=None))


def test_without_a_client_certificate_the_engine_refuses(tls: "Tls", tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes((tls.folder / "ca.pem").read_bytes())
    with pytest.raises(HostError, match=r"client certificate"):
        collect(replace(tls.host, tls_dir=tmp_path))


def test_a_client_certificate_of_a_stranger_is_refused(tls: "Tls", tmp_path: Path) -> None:
    Authority("strangers").issue("someone", usages=(CLIENT,)).write(tmp_path)
    (tmp_path / "ca.pem").write_bytes((tls.folder / "ca.pem").read_bytes())
    with pytest.raises(HostError, match=r"client certificate"):
        collect(replace(tls.host, tls_dir=tmp_path))


def test_a_server_that_another_authority_certified_is_not_trusted(tls: "Tls", tmp_path: Path) -> None:
    tls.clients.issue("someone", usages=(CLIENT,)).write(tmp_path)
    Authority("others").write(tmp_path / "ca.pem")
    with pytest.raises(HostKeyRejected, match=r"its certificate is not accepted"):
        collect(replace(tls.host, tls_dir=tmp_path))


def test_a_server_whose_certificate_is_for_another_address_is_not_trusted(tmp_path: Path) -> None:
    need_root(engine.PROGRAMS)
    servers = Authority("servers")
    servers.issue("elsewhere", names=["elsewhere.example"]).write(
        tmp_path, "server-cert.pem", "server-key.pem"
    )
    servers.issue("someone", usages=(CLIENT,)).write(tmp_path)
    servers.write(tmp_path / "ca.pem")
    with serving_tls(tmp_path) as port, pytest.raises(HostKeyRejected, match=r"127\.0\.0\.1"):
        collect(Host("e", "docker", "127.0.0.1", port, tls_dir=tmp_path, timeouts=SHORT))


class _Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'{"ApiVersion":"1.41","Version":"20.10.24"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *arguments: Any) -> None:
        pass


@contextmanager
def serving_tls(folder: Path) -> Iterator[int]:
    """An HTTPS server that answers like an engine; only its certificate matters."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server-cert.pem", folder / "server-key.pem")
    with _Server(("127.0.0.1", 0), _Answers) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def test_a_chain_that_only_the_strict_rules_refuse_is_accepted_and_noted(tmp_path: Path) -> None:
    lax = Authority.version_1("lax")
    lax.issue("e", names=["127.0.0.1"]).write(tmp_path, "server-cert.pem", "server-key.pem")
    lax.write(tmp_path / "ca.pem")
    with serving_tls(tmp_path) as port:
        bundle = collect(Host("e", "docker", "127.0.0.1", port, tls_dir=tmp_path, timeouts=SHORT))
    assert bundle.read("engine-version")
    assert bundle.read("tls-strict")


@pytest.mark.parametrize("missing", ["ca.pem", "key.pem"])
def test_a_folder_without_all_its_files_is_named(tls: "Tls", tmp_path: Path, missing: str) -> None:
    for file in tls.folder.iterdir():
        if file.name != missing:
            (tmp_path / file.name).write_bytes(file.read_bytes())
    with pytest.raises(LoginRefused, match=rf"the certificates in {tmp_path} cannot be used"):
        collect(replace(tls.host, tls_dir=tmp_path))


def test_an_encrypted_key_is_refused_and_nobody_is_asked(tls: "Tls", tmp_path: Path) -> None:
    pair = tls.clients.issue("someone", usages=(CLIENT,))
    pair.write(tmp_path)
    (tmp_path / "key.pem").write_bytes(pair.key_pem(b"geheim"))
    (tmp_path / "ca.pem").write_bytes((tls.folder / "ca.pem").read_bytes())
    with pytest.raises(LoginRefused, match=r"not encrypted"):
        collect(replace(tls.host, tls_dir=tmp_path))


def test_a_plain_engine_where_tls_was_expected_says_so(tls: "Tls") -> None:
    port = free_port()
    with engine.engine(hosts=(f"tcp://127.0.0.9:{port}",)):
        plain = Host("e", "docker", "tcp://127.0.0.9", port, timeouts=SHORT)
        assert collect(plain).complete
        with pytest.raises(Unreachable, match=r"does not speak TLS"):
            collect(replace(plain, tls_dir=tls.folder))


def test_an_engine_that_hangs_is_left_in_time(tmp_path: Path) -> None:
    need_root(engine.PROGRAMS)
    with engine.engine() as running, running.hanging(), pytest.raises((Unreachable, DeadlineExceeded)):
        collect(Host("e", "docker", path=running.socket, timeouts=Timeouts(connect=1, auth=1, total=2)))


def answers(*bodies: bytes, then_hang: bool = False) -> Any:
    """An HTTP server over a bare socket: one body for each request."""

    def behave(connection: socket.socket, over: threading.Event) -> None:
        for body in bodies:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        if then_hang:
            over.wait(20)

    return liar.liar(behave)


VERSION = b'{"ApiVersion":"1.41"}'


def host_of(server: liar.Liar) -> Host:
    return Host("e", "docker", server.address, server.port, timeouts=Timeouts(connect=2, auth=2, total=3))


@pytest.mark.parametrize(
    "body", [b"hello", b"[]", b"{}", b'{"ApiVersion":"../../../etc"}', b"[" * 100_000, b'{"ApiVersion":1}']
)
def test_something_else_than_an_engine_is_recognised(body: bytes) -> None:
    with answers(body) as server, pytest.raises(BadReply):
        collect(host_of(server))


@pytest.mark.parametrize("body", [b"[1]", b"{}", b'[{"Id":"../../secrets"}]', b"null", b'[{"Id":7}]'])
def test_an_engine_that_lies_costs_the_section_and_no_more(body: bytes) -> None:
    with answers(VERSION, body, VERSION) as server:
        bundle = collect(host_of(server), "containers", "engine-info")
    assert bundle.section("containers").status or not rows(bundle, "containers")
    assert bundle.read("engine-info")


def test_an_image_of_windows_tells_which_and_what_it_starts() -> None:
    inspected = json.loads((SAMPLES / "image_docker-java_1.25_windowsImage.json").read_text())
    inspected["Config"]["Entrypoint"] = ["C:\\ServiceMonitor.exe", "w3svc"]
    listed = json.dumps([{"Id": inspected["Id"]}]).encode()
    with answers(VERSION, listed, json.dumps(inspected).encode()) as server:
        image = json.loads(collect(host_of(server), "images").text("images"))
    assert (image["Os"], image["OsVersion"]) == ("windows", "10.0.14393")
    assert image["Entrypoint"] == inspected["Config"]["Entrypoint"]


def test_an_engine_that_stops_answering_gives_what_it_said() -> None:
    with answers(VERSION, VERSION, then_hang=True) as server:
        bundle = collect(host_of(server), "engine-info", "containers")
    assert bundle.read("engine-info")
    assert not bundle.complete or bundle.section("containers").status


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (Host("e", "docker", "10.0.0.1"), "tcp://10.0.0.1:2375"),
        (Host("e", "docker", "tcp://10.0.0.1", tls_dir=Path("x")), "tcp://10.0.0.1:2376"),
        (Host("e", "docker", "tcp://10.0.0.1:99", port=7), "tcp://10.0.0.1:99"),
        (Host("e", "docker", "fe80::1", port=7), "tcp://[fe80::1]:7"),
        (Host("e", "docker", "[fe80::1]:8"), "tcp://[fe80::1]:8"),
        (Host("e", "docker"), "tcp://e:2375"),
        (Host("e", "docker", "unix:///run/d.sock"), "unix:///run/d.sock"),
        (Host("e", "docker", path=Path("/run/d.sock")), "unix:///run/d.sock"),
    ],
)
def test_addresses_are_written_in_every_way_that_docker_takes(given: Host, meant: str) -> None:
    assert address(given) == meant
