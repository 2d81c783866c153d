"""The keys to log in with: files, their certificates, an agent's. Read and decrypted once for the whole fleet."""

import base64
import copy
import io
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auditor.host import Secret, SshOptions
from auditor.transports.base import Deadline

_DEFAULTS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_READ: dict[tuple[Path, int], paramiko.PKey] = {}
_READING = threading.Lock()


@dataclass(frozen=True)
class Candidate:
    """A key to try, and what messages call it."""

    key: paramiko.PKey
    name: str


@dataclass
class Keys:
    """The candidates in the order to try them; ``skipped`` tells which could not be used and why."""

    ssh: SshOptions
    deadline: Deadline
    skipped: list[str] = field(default_factory=list)
    agent: "_Agent | None" = None

    def __iter__(self) -> Iterator[Candidate]:
        """
        Named keys first, then the agent's, then the default files where none is named.

        A named file that is encrypted, or only a public key, stands for the agent's key of that name.
        """
        named = set()
        for path in self.ssh.identity_files:
            for candidate in self._from_file(path):
                named.add(candidate.key.asbytes())
                yield candidate
        if not self.ssh.identities_only:
            yield from (candidate for candidate in self._from_agent() if candidate.key.asbytes() not in named)
        if not self.ssh.identity_files:
            for path in map(Path, _DEFAULTS):
                if path.expanduser().exists():
                    yield from self._from_file(path)

    def close(self) -> None:
        """Leave the agent."""
        if self.agent:
            self.agent.close()

    def _from_file(self, path: Path) -> Iterator[Candidate]:
        path = path.expanduser()
        key = self._key(path)
        if key:
            yield from self._with_certificates(key, path)
            yield Candidate(key, f"key {path}")

    def _key(self, path: Path) -> paramiko.PKey | None:
        try:
            return read_key(path, self.ssh.passphrase)
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
        except TypeError:
            problem = "is encrypted, and no passphrase is given"
        except (ValueError, UnsupportedAlgorithm):
            problem = "is no private key of a kind we know, or the passphrase is wrong"
        public = _public_blob(path)
        for candidate in self._from_agent():
            if candidate.key.asbytes() == public:
                return candidate.key
        self.skipped.append(f"key {path} {problem}")
        return None

    def _with_certificates(self, key: paramiko.PKey, path: Path) -> Iterator[Candidate]:
        for file in (Path(f"{path}-cert.pub"), *(file.expanduser() for file in self.ssh.certificate_files)):
            with suppress(OSError, ValueError, paramiko.SSHException):
                certified = _copy(key)
                certified.load_certificate(file.read_text())
                if _certifies(certified):
                    yield Candidate(certified, f"certificate {file}")

    def _from_agent(self) -> list[Candidate]:
        if not self.ssh.agent:
            return []
        try:
            self.agent = self.agent or _Agent(self.deadline)
            return [
                Candidate(key, f"agent key {key.comment or key.get_name()}") for key in self.agent.get_keys()
            ]
        except (OSError, paramiko.SSHException) as error:
            self.skipped.append(f"agent: {error}")
            return []


def read_key(path: Path, passphrase: Secret | None) -> paramiko.PKey:
    """
    A private key in any form that OpenSSH or OpenSSL writes.

    Raises:
        OSError: it cannot be read.
        TypeError: it is encrypted and there is no passphrase.
        ValueError, UnsupportedAlgorithm: it is no private key, of another kind, or the passphrase is wrong.
    """
    with _READING:
        known = (path, path.stat().st_mtime_ns)
        if known not in _READ:
            _READ[known] = _decoded(path.read_bytes(), passphrase)
        return _READ[known]


def _decoded(data: bytes, passphrase: Secret | None) -> paramiko.PKey:
    try:
        key = _loaded(data, None)
    except TypeError:
        if passphrase is None:
            raise
        key = _loaded(data, passphrase.reveal().encode())
    kinds: list[tuple[type, type[paramiko.PKey]]] = [
        (ed25519.Ed25519PrivateKey, paramiko.Ed25519Key),
        (ec.EllipticCurvePrivateKey, paramiko.ECDSAKey),
        (rsa.RSAPrivateKey, paramiko.RSAKey),
    ]
    for kind, of_paramiko in kinds:
        if isinstance(key, kind):
            return of_paramiko.from_private_key(io.StringIO(_openssh(key)))
    raise ValueError("another kind of key")


def _loaded(data: bytes, password: bytes | None) -> object:
    if b"BEGIN OPENSSH PRIVATE KEY" in data:
        return serialization.load_ssh_private_key(data, password)
    return serialization.load_pem_private_key(data, password)


def _openssh(key: object) -> str:
    private: ec.EllipticCurvePrivateKey = key  # type: ignore[assignment]  # one of three, alike in this
    form = serialization.PrivateFormat.OpenSSH
    return private.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _copy(key: paramiko.PKey) -> paramiko.PKey:
    """The same key, to put a certificate on; an agent's key is a stand-in that does not copy."""
    return (
        paramiko.AgentKey(key.agent, key.blob, key.comment)
        if isinstance(key, paramiko.AgentKey)
        else copy.copy(key)
    )


def _public_blob(path: Path) -> bytes:
    """The public half that lies beside a private key, or in the file itself."""
    for file in (path, Path(f"{path}.pub")):
        with suppress(OSError, ValueError, IndexError):
            return base64.b64decode(file.read_text().split()[1], validate=True)
    return b""


def _certifies(key: paramiko.PKey) -> bool:
    """Whether the certificate is for this very key."""
    blob = key.public_blob
    if blob is None:
        return False
    identity = serialization.load_ssh_public_identity(
        blob.key_type.encode() + b" " + base64.b64encode(blob.key_blob)
    )
    if not isinstance(identity, serialization.SSHCertificate):
        return False
    line = identity.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return base64.b64decode(line.split()[1]) == key.asbytes()


class _Agent(paramiko.Agent):
    """An agent that must answer in time: some ask a person first."""

    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def _connect(self, conn: object) -> None:
        conn.settimeout(self._deadline.left("asking the SSH agent"))  # type: ignore[attr-defined]  # a socket
        super()._connect(conn)  # type: ignore[misc]  # the stubs leave it out
