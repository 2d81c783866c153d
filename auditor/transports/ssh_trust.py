"""Whether a host is who it should be: known_hosts, a pinned key, or a certificate for its key."""

import base64
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import SSHCertificate, SSHCertificateType

from auditor.errors import HostKeyRejected
from auditor.host import SshOptions
from auditor.transports.base import shortened
from auditor.transports.known_hosts import Entry, default_files, fingerprint, lookup

ALGORITHMS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
_CERTIFICATE = "-cert-v01@openssh.com"


@dataclass(frozen=True)
class Seen:
    """The key a host showed and proved to hold: its type, wire form, and certificate (empty: none)."""

    type: str
    blob: bytes
    certificate: bytes = b""

    def __str__(self) -> str:
        return f"{fingerprint(self.blob)} ({self.type})"


@dataclass(frozen=True)
class Trust:
    """What is known of one host before connecting. ``name`` is how messages call it; ``address`` and ``port`` how known_hosts does."""

    name: str
    address: str
    port: int
    ssh: SshOptions
    entries: tuple[Entry, ...] = field(default=())

    @classmethod
    def of(cls, name: str, address: str, port: int, ssh: SshOptions) -> "Trust":
        """Look the host up, unless its key is pinned."""
        found = () if ssh.host_key else tuple(lookup(ssh.known_hosts, address, port, ssh.host_key_alias))
        return cls(name, address, port, ssh, found)

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Host key algorithms to ask for, those of known keys first, so that a host with several keys shows the known one."""
        if any(entry.marker == "@cert-authority" for entry in self.entries):
            return tuple(name + _CERTIFICATE for name in ALGORITHMS) + self._known_first()
        return self._known_first()

    def _known_first(self) -> tuple[str, ...]:
        pinned = self.ssh.host_key.split()[0] if " " in self.ssh.host_key else ""
        known = {pinned, *(entry.type for entry in self.entries if not entry.marker)}
        return tuple(sorted(ALGORITHMS, key=lambda name: _key_type(name) not in known))

    @property
    def pinned_fingerprint(self) -> bool:
        """Whether the key is pinned without saying its type: each of the host's keys may then be the one."""
        return self.ssh.host_key.startswith("SHA256:")

    def check(self, seen: Seen) -> None:
        """
        Accept the key.

        Raises:
            HostKeyRejected: it is unknown, changed, revoked, not the pinned one, or its certificate does not hold.
        """
        if self.ssh.host_key:
            self._check_pin(seen)
            return
        self._check_revoked(seen.blob, f"host key {seen}")
        if any(not entry.marker and entry.blob == seen.blob for entry in self.entries):
            return
        if seen.certificate:
            self._check_certificate(seen)
            return
        known = [entry for entry in self.entries if not entry.marker]
        raise self._changed(seen, known) if known else self._unknown(seen)

    def _check_pin(self, seen: Seen) -> None:
        pinned = self._pinned()
        if fingerprint(seen.blob) != pinned:
            raise HostKeyRejected(
                f"{self.name} shows host key {seen}, but {pinned} is pinned: find out why it changed before you pin "
                f"another (host_key)"
            )

    def _pinned(self) -> str:
        if self.pinned_fingerprint:
            return self.ssh.host_key.rstrip("=")
        fields = self.ssh.host_key.split()
        try:
            return fingerprint(base64.b64decode(fields[1], validate=True))
        except (IndexError, ValueError) as error:
            raise HostKeyRejected(
                f"{self.name}: host_key is neither a fingerprint (SHA256:…) nor a public key (ssh-ed25519 AAAA…): "
                f"correct it in the inventory"
            ) from error

    def _check_revoked(self, blob: bytes, what: str) -> None:
        for entry in self.entries:
            if entry.marker == "@revoked" and entry.blob == blob:
                raise HostKeyRejected(
                    f"{self.name}: {what} is revoked ({entry.where}): give the host a new key, then list that one"
                )

    def _check_certificate(self, seen: Seen) -> None:
        try:
            certificate = serialization.load_ssh_public_identity(
                (seen.type + _CERTIFICATE).encode() + b" " + base64.b64encode(seen.certificate)
            )
            problem = self._certificate_problem(certificate)
        except (ValueError, UnsupportedAlgorithm, InvalidSignature) as error:
            problem = f"its signature or form is bad ({shortened(str(error)) or type(error).__name__})"
        if problem:
            raise HostKeyRejected(
                f"{self.name}: the certificate of its host key {seen} does not hold: {problem}: "
                f"have the host's certificate issued anew, or list its key in {self._file}"
            )

    def _certificate_problem(self, certificate: object) -> str:
        if not isinstance(certificate, SSHCertificate) or certificate.type is not SSHCertificateType.HOST:
            return "it is none for a host"
        authority = certificate.signature_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        blob = base64.b64decode(authority.split()[1])
        self._check_revoked(blob, "its certificate's authority")
        if not any(entry.marker == "@cert-authority" and entry.blob == blob for entry in self.entries):
            return f"its authority {fingerprint(blob)} is not listed as @cert-authority for this host"
        certificate.verify_cert_signature()
        if not certificate.valid_after <= time.time() < certificate.valid_before:
            return "it has expired or is not valid yet"
        if certificate.critical_options:
            return "it has critical options, which host certificates must not have"
        name = (self.ssh.host_key_alias or self.address).encode()
        if name not in certificate.valid_principals:
            return f"it is not for {name.decode()}"
        return ""

    def _unknown(self, seen: Seen) -> HostKeyRejected:
        return HostKeyRejected(
            f"{self.name} shows host key {seen}, and nothing is known of it: compare it with the host's own "
            f"(there: ssh-keygen -lf /etc/ssh/ssh_host_…_key.pub), then set host_key: {fingerprint(seen.blob)} in the inventory, "
            f"or add this line to {self._file}: {self._line(seen)}"
        )

    def _changed(self, seen: Seen, known: Sequence[Entry]) -> HostKeyRejected:
        expected = ", ".join(f"{fingerprint(entry.blob)} ({entry.where})" for entry in known[:3])
        return HostKeyRejected(
            f"{self.name} shows host key {seen}, but known is {expected}: somebody may be in between, or the host was "
            f"installed anew; if it was, remove the old line (ssh-keygen -R '{self._listed}') and add: {self._line(seen)}"
        )

    @property
    def _listed(self) -> str:
        if self.ssh.host_key_alias:
            return self.ssh.host_key_alias
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"  # noqa: PLR2004  SSH's own port

    def _line(self, seen: Seen) -> str:
        return f"{self._listed} {seen.type} {base64.b64encode(seen.blob).decode()}"

    @property
    def _file(self) -> str:
        return str((self.ssh.known_hosts or default_files())[0])


def _key_type(algorithm: str) -> str:
    return "ssh-rsa" if algorithm.startswith("rsa-") else algorithm
