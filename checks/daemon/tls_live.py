"""What the engine's TCP ports answer to somebody without credentials."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.live import LivePorts, Port, Verdict
from auditor.facts.tls import DaemonTls
from checks.daemon.tls import MOST_CLIENT_CAS

_OPEN = {Verdict.NO_CLIENT_AUTH, Verdict.ANY_CERTIFICATE}
_SOURCE = "live probe"


def _name(live: LivePorts, port: Port) -> str:
    return f"[{live.address}]:{port.port}" if ":" in live.address else f"{live.address}:{port.port}"


def _settle(live: LivePorts) -> None:
    """After the findings: what could not be told of ports that answered, and of those that are not known."""
    if live.unknown:
        raise Inconclusive(live.unknown)
    unclear = [port for port in live.ports if port.configured and port.verdict in _UNCLEAR]
    if unclear:
        raise Inconclusive(
            "; ".join(f"{_name(live, port)}: {port.verdict}, {port.detail}" for port in unclear)
        )


_UNCLEAR = {Verdict.TLS_UNCLEAR, Verdict.OTHER_HTTP, Verdict.NOT_TLS}


@check(severity=Severity.CRITICAL)
def plaintext_api_answers(live: LivePorts) -> Findings:
    """
    No TCP port of the host answers the Docker API in plain text.

    This is not what a file says but what the port does: the auditor asked for the
    engine's version from outside, without TLS, and would have been given anything
    else as well.

    Remediation:
        Close the port at once (firewall), then remove the ``tcp://`` entry from
        ``hosts`` or set ``tlsverify`` with its certificates, and restart the daemon.
    """
    for port in live.reached():
        if port.verdict is Verdict.PLAINTEXT:
            yield Finding(
                _name(live, port), port.detail, "no answer without TLS and a client certificate", _SOURCE
            )
    _settle(live)


@check(severity=Severity.CRITICAL)
def untrusted_client_answered(live: LivePorts) -> Findings:
    """
    The engine answers no TCP client that it does not know.

    The auditor asked for the engine's version with no certificate, and with one that
    nobody signed. An answer to either means that anybody who reaches the port is root
    on the host.

    Remediation:
        Set ``"tlsverify": true`` and ``tlscacert`` and restart the daemon. When a proxy
        stands before the engine, make it verify clients against your own CA.
    """
    for port in live.reached():
        if port.verdict in _OPEN:
            yield Finding(_name(live, port), port.detail, "a refusal", _SOURCE)
    _settle(live)


@check(severity=Severity.CRITICAL)
def wide_client_ca_announced(live: LivePorts) -> Findings:
    """
    The engine's ports name a handful of client CAs of your own.

    A server that asks for a client certificate names the CAs it takes. None named means
    that it takes every CA of its operating system; a long list is a bundle made for
    the web.

    Remediation:
        Set ``tlscacert`` to a file with the CA that signs your clients only, in the same
        place as ``tlsverify``, and restart the daemon.
    """
    asking = [port for port in live.reached() if port.client_cas is not None and port.configured]
    for port in asking:
        number = len(port.client_cas or ())
        if not number:
            yield Finding(
                _name(live, port),
                "no CA named, as dockerd does when it takes every CA of the operating system",
                "a CA of your own",
                _SOURCE,
            )
        elif number > MOST_CLIENT_CAS:
            yield Finding(_name(live, port), f"{number} CAs named", f"at most {MOST_CLIENT_CAS}", _SOURCE)
    if not asking:
        raise NotApplicable("no port asks for a client certificate where that can be seen")


@check(severity=Severity.HIGH)
def old_tls_version_offered(live: LivePorts) -> Findings:
    """
    The engine's ports speak TLS 1.2 and newer only.

    TLS 1.0 and 1.1 lean on broken hashes. No engine since 18.09 offers them, so
    either the engine or what stands before it is very old.

    Remediation:
        Upgrade the engine; where a proxy answers, set its lowest version to TLS 1.2.
    """
    speaking = [port for port in live.reached() if port.verdict.tls]
    if not speaking:
        raise NotApplicable("no port that can be reached speaks TLS")
    for port in speaking:
        for version in ("TLS 1.0", "TLS 1.1"):
            if port.versions.get(version) == "offered":
                yield Finding(_name(live, port), f"{version} offered", "TLS 1.2 or newer", _SOURCE)
    unseen = [port for port in speaking if not {"TLS 1.0", "TLS 1.1"} <= _told(port)]
    if unseen:
        raise Inconclusive(
            f"{', '.join(_name(live, port) for port in unseen)}: time ran out before old versions were tried"
        )


def _told(port: Port) -> set[str]:
    return {version for version, answer in port.versions.items() if answer != "not known"}


@check(severity=Severity.HIGH)
def ports_differ_from_configuration(live: LivePorts, tls: DaemonTls) -> Findings:
    """
    The engine's ports do what its configuration says.

    Where they differ, the configuration was changed without a restart, something else
    answers on the port, or the setting does not mean what it seems to. Whoever
    reads the configuration then trusts in something that is not there.

    Remediation:
        Find out what answers (``ss -ltnp`` on the host, ``Get-NetTCPConnection -State Listen``
        on Windows), correct the configuration and
        restart the daemon.
    """
    compared = [port for port in live.reached() if port.configured]
    if not compared:
        raise NotApplicable("no configured port can be reached from the auditing machine")
    for port in compared:
        expected = _expected(tls, port)
        if port.verdict not in expected:
            observed = f"{port.verdict}: {port.detail}" if port.detail else port.verdict.value
            yield Finding(_name(live, port), observed, " or ".join(sorted(expected)), tls.source)
        elif (
            port.verdict is Verdict.MUTUAL_TLS
            and port.client_cas is not None
            and bool(tls.ca) != bool(port.client_cas)
        ):
            named = "names client CAs" if port.client_cas else "takes every CA of the operating system"
            yield Finding(_name(live, port), named, tls.ca or "no CA configured", tls.ca_source)


def _expected(tls: DaemonTls, port: Port) -> set[Verdict]:
    if not tls.enabled:
        return {Verdict.PLAINTEXT}
    if tls.verifies_clients is None:
        return {Verdict.MUTUAL_TLS, Verdict.NO_CLIENT_AUTH}
    # What is unclear is told as such by the other checks, and is no difference.
    return {Verdict.MUTUAL_TLS if tls.verifies_clients else Verdict.NO_CLIENT_AUTH} | (
        {port.verdict} & {Verdict.TLS_UNCLEAR}
    )
