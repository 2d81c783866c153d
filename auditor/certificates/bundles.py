"""The layouts in which certificates leave the folder: for docker clients, for pipelines, for daemons."""

import io
import json
import secrets
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from auditor.certificates.authority import read_certificates, trust_ids, trust_pem
from auditor.certificates.daemonfiles import DROP_IN, LINUX_FOLDER, WINDOWS_FOLDER, drop_in, tls_keys
from auditor.certificates.keys import read_key
from auditor.certificates.ledger import Certificate, Delivery, Ledger, now
from auditor.certificates.profile import Purpose
from auditor.certificates.status import other
from auditor.certificates.store import Store, write_all
from auditor.errors import UsageError

CLIENT_LAYOUTS = ("dir", "context", "azure-devops", "pkcs12")
DAEMON_LAYOUTS = ("daemon-linux", "daemon-windows")
_NEED_URL = ("context", "azure-devops")
_KEY = b"-----BEGIN PRIVATE KEY-----"


@dataclass(frozen=True)
class Parts:
    """What a bundle is made of, in PEM; ``key`` is empty where it never was here. ``url`` is the daemon's."""

    name: str
    trust: bytes
    certificate: bytes
    key: bytes
    url: str = ""


@dataclass(frozen=True)
class File:
    """One file of a bundle: its path within (empty: the bundle is this file), content and mode."""

    name: str
    content: bytes
    mode: int = 0o600


def parts(store: Store, ledger: Ledger, certificate: Certificate, url: str = "") -> Parts:
    """The pieces of a certificate, with what its bearer trusts."""
    text = (store.folder / certificate.file).read_bytes()
    chain, mark, key = text.partition(_KEY)
    return Parts(
        certificate.name, trust_pem(store, ledger, other(certificate.purpose)), chain, mark + key, url
    )


def find(ledger: Ledger, layout: str, name: str) -> Certificate:
    """
    The certificate that a layout is for.

    Raises:
        UsageError: there is none of that name.
    """
    purpose = Purpose.SERVER if layout in DAEMON_LAYOUTS else Purpose.CLIENT
    if not (found := ledger.find(purpose, name)):
        known = (
            ", ".join(each.name for each in ledger.current(purpose))
            or f"none: 'auditor certs {purpose} {name}'"
        )
        raise UsageError(f"there is no {purpose} certificate {name} (there are: {known})")
    return found


def write(
    store: Store, layout: str, certificate: Certificate, output: Path, url: str, *, replace: bool
) -> list[Path]:
    """
    Write a bundle, and note the delivery; the files written.

    Raises:
        UsageError: something is missing for this layout, or a file exists.
    """
    ledger = store.load()
    pieces = parts(store, ledger, certificate, _url(url, layout))
    if not pieces.key and layout not in ("dir", *DAEMON_LAYOUTS):
        raise UsageError(
            f"the key of {certificate.label} never was here (it was signed from a request): only a folder can be written"
        )
    files = _LAYOUTS[layout](store, certificate, pieces)
    written = [
        (output / each.name if each.name and layout != "pkcs12" else _beside(output, each.name), each)
        for each in files
    ]
    write_all([(path, each.content, each.mode) for path, each in written], replace=replace)
    _note(store, certificate, str(output.absolute()))
    return [path for path, _ in written]


def _beside(output: Path, suffix: str) -> Path:
    return output.with_name(output.name + suffix)


def _note(store: Store, certificate: Certificate, place: str) -> None:
    with store.locked():
        ledger = store.load()
        trust = trust_ids(ledger, other(certificate.purpose))
        last = ledger.deliveries.get(certificate.label)
        if last and last.proved and (last.serial, last.trust) == (certificate.serial, trust):
            return  # a daemon was proved to serve just this: that is watched on the wire, and a folder is not
        store.commit(ledger.with_delivery(certificate, Delivery(place, now(), certificate.serial, trust)))


def _url(url: str, layout: str) -> str:
    if layout not in _NEED_URL:
        return url
    if not url.startswith("tcp://"):
        raise UsageError(f"{layout} says where the daemon is: --host tcp://HOST:2376 (tcp, not https)")
    return url


def _directory(_store: Store, _certificate: Certificate, pieces: Parts) -> list[File]:
    """As DOCKER_CERT_PATH wants it."""
    files = [File("ca.pem", pieces.trust), File("cert.pem", pieces.certificate)]
    return [*files, File("key.pem", pieces.key)] if pieces.key else files


def _context(_store: Store, _certificate: Certificate, pieces: Parts) -> list[File]:
    """As ``docker context import`` wants it."""
    meta = {
        "Name": pieces.name,
        "Metadata": {},
        "Endpoints": {"docker": {"Host": pieces.url, "SkipTLSVerify": False}},
    }
    content = [("meta.json", json.dumps(meta).encode())]
    content += [
        (f"tls/docker/{name}", pem)
        for name, pem in (("ca.pem", pieces.trust), ("cert.pem", pieces.certificate), ("key.pem", pieces.key))
    ]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in content:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o600
            archive.addfile(entry, io.BytesIO(data))
    return [File("", buffer.getvalue())]


def _azure_devops(_store: Store, _certificate: Certificate, pieces: Parts) -> list[File]:
    """The body that makes a Docker Host service connection by Azure DevOps' REST interface."""
    given = {"cacert": pieces.trust.decode(), "cert": pieces.certificate.decode(), "key": pieces.key.decode()}
    body = {
        "name": pieces.name,
        "type": "dockerhost",
        "url": pieces.url,
        "authorization": {"scheme": "Certificate", "parameters": given},
    }
    return [File("", json.dumps(body, indent=2).encode() + b"\n")]


def _pkcs12(store: Store, certificate: Certificate, pieces: Parts) -> list[File]:
    """For Windows and Java; its random password in a file of its own, to go another way."""
    path = store.folder / certificate.file
    own, *chain = read_certificates(path)
    ledger = store.load()
    roots = [
        each
        for authority in ledger.trusted(other(certificate.purpose))
        for each in read_certificates(store.folder / authority.file)
    ]
    password = secrets.token_urlsafe(18)
    content = serialize_key_and_certificates(
        pieces.name.encode(),
        read_key(path),
        own,
        [*chain, *roots],
        BestAvailableEncryption(password.encode()),
    )
    return [File("", content), File(".password", password.encode() + b"\n")]


def _daemon_files(pieces: Parts) -> list[File]:
    files = [File("ca.pem", pieces.trust, 0o444), File("server-cert.pem", pieces.certificate, 0o444)]
    return [*files, File("server-key.pem", pieces.key, 0o400)] if pieces.key else files


def _daemon_linux(_store: Store, _certificate: Certificate, pieces: Parts) -> list[File]:
    keys = tls_keys(LINUX_FOLDER, ["fd://", "tcp://0.0.0.0:2376"])
    command = "/usr/bin/dockerd --containerd=/run/containerd/containerd.sock"
    return [
        *_daemon_files(pieces),
        File("daemon.json", json.dumps(keys, indent=2).encode() + b"\n"),
        File(Path(DROP_IN).name, drop_in(command).encode()),
        File("README.txt", _LINUX_STEPS.encode()),
    ]


def _daemon_windows(_store: Store, _certificate: Certificate, pieces: Parts) -> list[File]:
    keys = tls_keys(WINDOWS_FOLDER, ["npipe://", "tcp://0.0.0.0:2376"], "\\")
    return [
        *_daemon_files(pieces),
        File("daemon.json", json.dumps(keys, indent=2).encode() + b"\n"),
        File("README.txt", _WINDOWS_STEPS.encode()),
    ]


_LAYOUTS: dict[str, Callable[[Store, Certificate, Parts], list[File]]] = {
    "dir": _directory,
    "context": _context,
    "azure-devops": _azure_devops,
    "pkcs12": _pkcs12,
    "daemon-linux": _daemon_linux,
    "daemon-windows": _daemon_windows,
}

_LINUX_STEPS = f"""On the host, as root ('auditor certs install HOST' does all of this by itself, proves it, and puts it back when it fails):

1. install -d -m 0755 {LINUX_FOLDER}
   install -m 0444 ca.pem server-cert.pem {LINUX_FOLDER}/
   install -m 0400 server-key.pem {LINUX_FOLDER}/
2. Add the keys of this daemon.json to /etc/docker/daemon.json. Keep the keys that are there.
3. systemctl cat docker: if ExecStart has -H, --host or --tls flags, dockerd does not start with hosts in daemon.json too.
   Take the line, leave those flags out, put it into {Path(DROP_IN).name}, and that file to {Path(DROP_IN).parent}/.
   Without systemd's docker.socket write unix:///var/run/docker.sock in the place of fd://.
4. dockerd --validate --config-file /etc/docker/daemon.json (Docker 23 and newer)
5. systemctl daemon-reload && systemctl restart docker
6. From elsewhere: auditor certs show tcp://HOST:2376. Then delete this folder: it holds the private key.
"""

_WINDOWS_STEPS = rf"""On the host, in a PowerShell of an administrator (written to Docker's documentation, not yet tried by us on Windows):

1. New-Item -ItemType Directory -Force {WINDOWS_FOLDER}
   icacls {WINDOWS_FOLDER} /inheritance:r /grant:r '*S-1-5-18:(OI)(CI)F' '*S-1-5-32-544:(OI)(CI)F'
   Copy-Item ca.pem, server-cert.pem, server-key.pem {WINDOWS_FOLDER}
2. Add the keys of this daemon.json to C:\ProgramData\docker\config\daemon.json. Keep the keys that are there, and write the
   host's own address in the place of 0.0.0.0; save as UTF-8 without a byte order mark, and not by ConvertTo-Json without -Depth 100, which cuts off what lies deep.
3. (Get-CimInstance Win32_Service -Filter "Name='docker'").PathName: if it has -H or --host, dockerd does not start with hosts in
   daemon.json too. Run sc.exe config docker binPath= '...' with the same line without them.
4. New-NetFirewallRule -DisplayName 'Docker API, mutual TLS' -Direction Inbound -Protocol TCP -LocalPort 2376 -RemoteAddress CLIENTS -Action Allow
5. Restart-Service docker
6. From elsewhere: auditor certs show tcp://HOST:2376. Then delete this folder: it holds the private key.
"""
