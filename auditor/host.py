"""A host: one inventory entry, resolved. What a transport needs to get there, and nothing of what it says."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from auditor.policy import Policy

TransportName = Literal["local", "ssh", "docker", "winrm", "bundle"]
Platform = Literal["linux", "windows"]
WinrmAuth = Literal["ntlm", "kerberos", "certificate", "basic"]
WinrmScheme = Literal["https", "http"]


class Secret(Protocol):
    """A secret by reference; it is fetched when it is needed and its repr never shows it."""

    def reveal(self) -> str:
        """
        Fetch it.

        Raises:
            AuditorError: it is not there; the message names the reference, never a value.
        """
        ...


@dataclass(frozen=True)
class Timeouts:
    """Seconds. ``total`` bounds everything done for one host."""

    connect: float = 10.0
    auth: float = 15.0
    total: float = 120.0


@dataclass(frozen=True)
class SshOptions:
    """How to log in by SSH, ssh_config already applied."""

    identity_files: tuple[Path, ...] = ()
    certificate_files: tuple[Path, ...] = ()
    known_hosts: tuple[Path, ...] = ()
    """Files to look host keys up in; empty: the user's and the system's."""
    host_key_alias: str = ""
    host_key: str = ""
    """A pinned key: ``SHA256:…`` fingerprint, or ``ssh-ed25519 AAAA…``. It alone is then accepted."""
    passphrase: Secret | None = None
    password: Secret | None = None
    agent: bool = True
    identities_only: bool = False
    jumps: tuple["Jump", ...] = ()
    """ProxyJump, first hop first."""
    proxy_command: str = ""


@dataclass(frozen=True)
class WinrmOptions:
    """
    How to log in by WinRM; the user and the password are the host's.

    Files that are not named are looked for in the host's ``tls_dir``: ca.pem, cert.pem, key.pem.
    """

    auth: WinrmAuth = "ntlm"
    scheme: WinrmScheme = "https"
    """Plain HTTP goes with NTLM and Kerberos only, which then encrypt every message."""
    ca_file: Path | None = None
    """Certificates to trust, PEM; None: the public authorities. The host's own, where it signed itself, will do."""
    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True)
class Jump:
    """One hop on the way."""

    address: str
    port: int
    user: str
    ssh: SshOptions


@dataclass(frozen=True)
class Host:
    """
    One host and how to reach it.

    ``path`` is the bundle file or the engine's unix socket; ``tls_dir`` holds ca.pem, cert.pem and key.pem for the Docker API.
    """

    name: str
    transport: TransportName = "local"
    address: str = ""
    port: int = 0
    user: str = ""
    platform: Platform = "linux"
    sudo: bool = False
    password: Secret | None = None
    """For WinRM; SSH's is in ``ssh``."""
    groups: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    timeouts: Timeouts = Timeouts()
    ssh: SshOptions = SshOptions()
    winrm: WinrmOptions = WinrmOptions()
    tls_dir: Path | None = None
    path: Path | None = None
    policy: Policy = field(default_factory=Policy)
    source: str = ""
    """Where it was declared: ``inventory.yaml:12``, or ``command line``."""

    @property
    def known_platform(self) -> Platform | None:
        """Its platform, None where only its answer will tell: a bundle's, or an engine's by its API."""
        return None if self.transport in ("docker", "bundle") else self.platform
