"""What the engine's TCP ports answer to somebody without credentials, seen from the auditing machine."""

from enum import StrEnum
from typing import ClassVar, Self

import msgspec

from auditor import typed
from auditor.collect.bundle import Bundle
from auditor.gaps import Inconclusive, NotApplicable

VERSION = 1


class Verdict(StrEnum):
    """What a port turned out to be."""

    PLAINTEXT = "plaintext"
    NO_CLIENT_AUTH = "tls-no-client-auth"
    ANY_CERTIFICATE = "any-certificate"
    MUTUAL_TLS = "mutual-tls"
    TLS_UNCLEAR = "tls-unclear"
    TLS_BROKEN = "tls-broken"
    OTHER_HTTP = "other-http"
    NOT_TLS = "not-tls"
    REFUSED = "refused"
    TIMED_OUT = "timed-out"
    RESET = "reset"
    UNREACHABLE = "unreachable"
    NOT_PROBED = "not-probed"

    @property
    def reached(self) -> bool:
        """Whether something answered there."""
        return self not in _SILENT

    @property
    def tls(self) -> bool:
        """Whether it speaks TLS."""
        return self in _TLS


_SILENT = {Verdict.REFUSED, Verdict.TIMED_OUT, Verdict.RESET, Verdict.UNREACHABLE, Verdict.NOT_PROBED}
_TLS = {
    Verdict.NO_CLIENT_AUTH,
    Verdict.ANY_CERTIFICATE,
    Verdict.MUTUAL_TLS,
    Verdict.TLS_UNCLEAR,
    Verdict.TLS_BROKEN,
}


class Port(msgspec.Struct, frozen=True):
    """
    One TCP port. ``configured``: the API's by configuration; else only held by the daemon.

    ``chain`` holds the certificates presented, as PEM. ``client_cas`` are the subjects of the CAs that may sign
    clients; None when it asked for no certificate or did so unseen (TLS 1.3 only). ``versions`` maps ``TLS 1.2`` to
    ``offered``, ``refused`` or ``not known``.
    """

    port: int
    verdict: Verdict
    detail: str = ""
    configured: bool = True
    chain: tuple[str, ...] = ()
    client_cas: tuple[str, ...] | None = None
    versions: dict[str, str] = {}


class Probe(msgspec.Struct, frozen=True):
    """The section ``tls-probe``. ``unknown`` says why the ports could not be told, or is empty."""

    version: int
    address: str
    ports: tuple[Port, ...] = ()
    unknown: str = ""


class LivePorts(msgspec.Struct, frozen=True):
    """The ports that were tried, at ``address``."""

    SECTIONS: ClassVar[tuple[str, ...]] = ("tls-probe",)

    address: str = "web1.example"
    ports: tuple[Port, ...] = ()
    unknown: str = ""

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        try:
            probe = typed.decode(bundle.read("tls-probe"), Probe)
        except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
            raise Inconclusive(f"the live probe's result cannot be read: {error}") from error
        if probe.version != VERSION:
            raise Inconclusive(
                f"a live probe's result of version {probe.version}; this auditor reads version {VERSION}"
            )
        return cls(probe.address, probe.ports, probe.unknown)

    def reached(self) -> tuple[Port, ...]:
        """
        The ports that answered.

        Raises:
            NotApplicable: the engine has no TCP port, or none can be reached from the auditing machine.
            Inconclusive: its ports are not known and none answered.
        """
        reached = tuple(port for port in self.ports if port.verdict.reached)
        if not reached and self.unknown:
            raise Inconclusive(self.unknown)
        if not self.ports:
            raise NotApplicable("the engine listens on no TCP port")
        if not reached:
            raise NotApplicable(
                f"not reachable from the auditing machine: {'; '.join(map(_silence, self.ports))}"
            )
        return reached


def _silence(port: Port) -> str:
    return f"port {port.port} {port.verdict}{f' ({port.detail})' if port.detail else ''}"
