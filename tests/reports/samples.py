"""Reports to render in tests and benchmarks: three hosts, a fleet, hostile names, nothing at all."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from auditor.results import (
    Attestation,
    AuditReport,
    CertificateSummary,
    CheckText,
    Finding,
    HostReport,
    Outcome,
    Result,
    Severity,
    Waiver,
    summarize,
)

BENCHMARK = "cis-docker-1.8.0"
STARTED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
LOW, MEDIUM, HIGH, CRITICAL = Severity

# id, severity, section, control, title, and what a deviation looks like: subject, observed, expected, source.
_RULES = (
    ("privileged-container", CRITICAL, "runtime", "5.5", "No container runs in privileged mode.",
     ("nginx", "HostConfig.Privileged = true", "false", "GET /containers/nginx/json")),
    ("docker-socket-mounted", CRITICAL, "runtime", "5.32", "No container can reach the engine's socket.",
     ("portainer", "/var/run/docker.sock mounted at /var/run/docker.sock, rw", "no mount of the socket or of a folder above it", "Mounts[0].Source")),
    ("host-network", HIGH, "runtime", "5.10", "Containers have a network of their own.",
     ("node-exporter", "HostConfig.NetworkMode = host", "a bridge or an overlay network", "GET /containers/node-exporter/json")),
    ("host-pid-namespace", HIGH, "runtime", "5.16", "Containers do not see the host's processes.",
     ("node-exporter", "HostConfig.PidMode = host", "empty", "GET /containers/node-exporter/json")),
    ("sensitive-mount", HIGH, "runtime", "5.6", "No container mounts a folder that the host's safety rests on.",
     ("backup", "/etc mounted at /host/etc, rw", "no mount", "Mounts[2].Source")),
    ("memory-unlimited", LOW, "runtime", "5.11", "Every container has a memory limit.",
     ("redis", "HostConfig.Memory = 0", "a limit in bytes", "GET /containers/redis/json")),
    ("root-filesystem-writable", MEDIUM, "runtime", "5.13", "The root file system of every container is read-only.",
     ("api", "HostConfig.ReadonlyRootfs = false", "true", "GET /containers/api/json")),
    ("tcp-without-tls", CRITICAL, "daemon", "2.7", "The engine answers on TCP only to clients with a certificate.",
     ("tcp://0.0.0.0:2375", "plain HTTP answered", "TLS with tlsverify", "/etc/docker/daemon.json:/hosts/1")),
    ("insecure-registry", HIGH, "daemon", "2.5", "Every registry is asked over TLS.",
     ("registry.corp.example:5000", "in insecure-registries", "no entry", "/etc/docker/daemon.json:/insecure-registries/0")),
    ("inter-container-traffic", MEDIUM, "daemon", "2.2", "Containers on the default bridge cannot talk to each other.",
     ("bridge", "com.docker.network.bridge.enable_icc = true", "false", "GET /networks/bridge")),
    ("live-restore-off", LOW, "daemon", "2.15", "Containers survive a restart of the engine.",
     ("dockerd", "live-restore = false (built-in default)", "true", "GET /info")),
    ("userland-proxy-on", LOW, "daemon", "2.16", "Ports are published by the kernel, not by a proxy process.",
     ("dockerd", "userland-proxy = true (built-in default)", "false", "built-in default")),
    ("no-central-logging", MEDIUM, "daemon", "2.13", "Logs leave the host.",
     ("dockerd", "log-driver = json-file", "a driver that sends logs elsewhere", "GET /info")),
    ("image-without-healthcheck", LOW, "images", "4.6", "Every image in use says how to tell whether it is healthy.",
     ("corp/api:2.4.1", "Config.Healthcheck is absent", "a HEALTHCHECK", "GET /images/corp%2Fapi/json")),
    ("image-runs-as-root", MEDIUM, "images", "4.1", "Containers do not run as root.",
     ("legacy-cron", "Config.User is empty", "a user other than root", "GET /containers/legacy-cron/json")),
    ("server-certificate-expires", HIGH, "certificates", "", "The engine's certificate is valid for some time to come.",
     ("CN=web1.corp.example", "expires 2026-03-06, in 4 days", "at least 30 days", "TLS handshake with port 2376")),
    ("key-readable", CRITICAL, "certificates", "3.14", "Only root can read the engine's private key.",
     ("/etc/docker/tls/server-key.pem", "mode 0644, owner root:root", "mode 0400 or stricter", "stat")),
    ("swarm-needlessly-on", LOW, "swarm", "7.1", "Swarm mode is on only where it is wanted.",
     ("swarm", "LocalNodeState = active", "inactive", "GET /info")),
    ("swarm-autolock-off", MEDIUM, "swarm", "7.5", "Managers are locked when they start.",
     ("swarm", "AutoLockManagers = false", "true", "GET /swarm")),
    ("untrusted-docker-user", HIGH, "host", "1.1.2", "Only trusted people can control the engine.",
     ("deploy", "member of group docker", "in trusted_users", "getent group docker")),
)  # fmt: skip
_FILES = ("docker.service", "docker.socket", "daemon.json", "docker.sock", "containerd.sock", "ca.pem", "server-cert.pem", "registry.crt",
          "docker default", "sysconfig docker", "key.json", "config-trust.json", "certs.d")  # fmt: skip
_PATHS = ("/usr/bin/dockerd", "/var/lib/docker", "/etc/docker", "/run/containerd", "/usr/bin/containerd", "/usr/bin/runc",
          "/etc/containerd/config.toml", "/usr/bin/docker", "/lib/systemd/system/docker.service", "/etc/default/docker")  # fmt: skip
_RATIONALE = (
    "Whoever breaks out of such a process holds everything that the host holds: other containers, their "
    "secrets and volumes, and the engine itself. The kernel offers narrower grants for every need that is "
    "commonly answered this way.\n\nAn exception is a decision to write down, with an owner and an end."
)
_REMEDIATION = "Recreate the container without the setting and grant what it needs alone:\n\n    docker run --cap-add NET_BIND_SERVICE …"


Evidence = tuple[str, str, str, str]
Row = tuple[str, Severity, str, str, str, Evidence]


def catalogue(size: int = 118) -> list[Row]:
    """``size`` checks: the written-out ones, then files, audit rules and numbered fillers."""
    rows: list[Row] = list(_RULES)
    for number, name in enumerate(_FILES, 1):
        path = f"/etc/docker/{name.replace(' ', '-')}"
        rows.append((f"{name.replace(' ', '-').replace('.', '-')}-owner", HIGH, "files", f"3.{number * 2 - 1}",
                     f"{name} belongs to root.", (path, "owner 1000:1000", "0:0", "stat")))  # fmt: skip
        rows.append((f"{name.replace(' ', '-').replace('.', '-')}-mode", MEDIUM, "files", f"3.{number * 2}",
                     f"{name} cannot be changed by others.", (path, "mode 0666", "0644 or stricter", "stat")))  # fmt: skip
    for number, path in enumerate(_PATHS, 3):
        rows.append((f"audit-{path.strip('/').replace('/', '-')}", LOW, "host", f"1.1.{number}",
                     f"Changes to {path} are audited.", (path, "no rule", "a rule with permissions wa", "auditctl -l")))  # fmt: skip
    for number in range(max(0, size - len(rows))):
        section = ("operations", "images", "swarm", "runtime")[number % 4]
        rows.append((f"{section}-rule-{number}", tuple(Severity)[number % 4], section, f"6.{number}",
                     f"Rule {number} of the room {section} holds on every host.",
                     (f"subject-{number}", f"value {number}", "another value", "GET /info")))  # fmt: skip
    return rows[:size]


def text_of(size: int = 118) -> dict[str, CheckText]:
    """The catalogue's words."""
    return {
        row[0]: CheckText(row[4], row[1], row[2], _RATIONALE, _REMEDIATION, 1 + (number % 7 == 3))
        for number, row in enumerate(catalogue(size))
    }


_REASONS = {
    Outcome.NOT_APPLICABLE: "swarm mode is off",
    Outcome.MANUAL: "Ask the owner which of these images are still needed: corp/api:2.4.1, corp/api:2.3.0, debian:12",
    Outcome.ERROR: "auditctl -l could not be read: permission denied; let the audit user run it by sudo",
}


def result(
    row: Row,
    outcome: Outcome,
    *,
    subjects: int = 1,
    seed: int = 0,
    waiver: Waiver | None = None,
    attestation: Attestation | None = None,
    reason: str = "",
) -> Result:
    """One result of a row of the catalogue."""
    check, severity, section, control, title, (subject, *evidence) = row
    found = range(subjects) if outcome is Outcome.FAIL else ()
    return Result(
        check,
        title,
        severity,
        section,
        {BENCHMARK: [control]} if control else {},
        outcome,
        reason or _REASONS.get(outcome, ""),
        tuple(
            Finding(f"{subject}-{seed * 7 + number:x}" if number else subject, *evidence) for number in found
        ),
        waiver,
        attestation,
    )


def results_of(seed: int, size: int = 118) -> Iterator[Result]:
    """A plausible mix: about six in ten pass, two in ten fail, some of everything else."""
    for number, row in enumerate(catalogue(size)):
        draw = (seed * 131 + number * number * 37 + number * seed * 11) % 100
        if draw < 18:
            waiver = Waiver("Accepted by the platform board until the move to Kubernetes.", date(2026, 6, 30))
            yield result(
                row, Outcome.FAIL, subjects=1 + draw % 4, seed=seed, waiver=waiver if draw == 7 else None
            )
        elif draw < 22:
            yield result(row, Outcome.ERROR)
        elif draw < 30:
            yield result(row, Outcome.NOT_APPLICABLE)
        elif draw < 34:
            attestation = Attestation("All four are in use.", "Grace", date(2026, 1, 31), date(2026, 7, 31))
            yield result(row, Outcome.MANUAL, attestation=attestation if draw == 31 else None)
        else:
            yield result(row, Outcome.PASS)


def host(seed: int, name: str = "", size: int = 118) -> HostReport:
    """A host with results, and a certificate that expires ``seed`` dependent."""
    name = name or f"node{seed:04}.corp.example"
    days = (4, 21, 90, 397, -3, 1200)[seed % 6]
    return HostReport(
        name=name,
        platform="linux",
        transport="ssh",
        results=tuple(results_of(seed, size)),
        address=f"10.20.{seed // 250}.{seed % 250 + 1}",
        engine=("29.1.3", "28.5.2", "20.10.24")[seed % 3],
        system=("Debian GNU/Linux 12", "Ubuntu 24.04 LTS", "Red Hat Enterprise Linux 9.6")[seed % 3],
        groups=("production", ("web", "data")[seed % 2]),
        collected=STARTED + timedelta(seconds=seed),
        certificates=(
            CertificateSummary(f"CN={name}", "server", "/etc/docker/tls/server-cert.pem",
                               STARTED - timedelta(days=30), STARTED + timedelta(days=days)),
            CertificateSummary("CN=corp Docker CA", "authority", "/etc/docker/tls/ca.pem",
                               datetime(2024, 1, 1, tzinfo=UTC), datetime(2034, 1, 1, tzinfo=UTC)),
        ),
    )  # fmt: skip


def unreachable(name: str, size: int = 118) -> HostReport:
    """A host that could not be audited: every result is an error."""
    why = f"tcp connect to {name}:22: no route to host within 10 s; is the host up, and may this machine reach it?"
    rows = catalogue(size)
    return HostReport(
        name, "linux", "ssh", tuple(result(row, Outcome.ERROR, reason=why) for row in rows), error=why
    )


def report(*hosts: HostReport, size: int = 118, warnings: tuple[str, ...] = ()) -> AuditReport:
    """A report on ``hosts``, summed up."""
    return AuditReport(1, STARTED, "0.1.0", BENCHMARK, hosts, summarize(hosts), text_of(size), warnings)


def three_hosts() -> AuditReport:
    """What a small team sees: two hosts audited, one out of reach, one warning."""
    return report(
        host(1, "web1"),
        host(8, "build-runner-eu-central-1.corp.example"),
        unreachable("db1"),
        warnings=("inventory.yaml:14: group 'edge' has no host",),
    )


def fleet(hosts: int = 1000, checks: int = 118) -> AuditReport:
    """``hosts`` x ``checks`` results; every 40th host is out of reach."""
    return report(
        *(
            host(seed, size=checks) if seed % 40 else unreachable(f"gone{seed:04}", checks)
            for seed in range(1, hosts + 1)
        ),
        size=checks,
    )


def empty() -> AuditReport:
    """A run over no host."""
    return AuditReport(1, STARTED, "0.1.0", BENCHMARK, (), summarize(()), {})


HOSTILE = (
    "</script><script>document.title='owned'</script>",
    "<!--<script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "[bold red]markup[/bold red] [link=file:///]x[/]",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J",
    "invoice\u202egpj.exe",
    "line one\nline two\r\n]]> end",
    "not utf-8: \udcff\udc80, half: \ud83d",
    "quotes \" ' ` & ampersand &amp; {{ 7*7 }} {% raw %}",
    "emoji 🐳 combining é hebrew שלום zero\u200bwidth nul\x00 \ufffe\uffff",
    "x" * 400,
)


def hostile() -> AuditReport:
    """Every hostile text in every place where a host's, a user's or a check's words can stand."""
    rows = catalogue(len(HOSTILE))
    results = tuple(
        Result(row[0], text, row[1], row[2], {BENCHMARK: [row[3]]}, outcome, text,
               (Finding(text, text, text, text),), Waiver(text) if number % 3 == 0 else None,
               Attestation(text, text, STARTED.date(), STARTED.date()), text)
        for number, (row, text) in enumerate(zip(rows, HOSTILE, strict=True))
        for outcome in [Outcome.FAIL if number % 4 else Outcome.MANUAL if number else Outcome.ERROR]
    )  # fmt: skip
    hosts = tuple(
        HostReport(text, "linux", "ssh", results, text, text, text, (text,), STARTED, text if number == 5 else "",
                   (CertificateSummary(text, text, text, STARTED, STARTED + timedelta(days=5)),))
        for number, text in enumerate(HOSTILE)
    )  # fmt: skip
    words = {
        row[0]: CheckText(text, row[1], row[2], text, text) for row, text in zip(rows, HOSTILE, strict=True)
    }
    return AuditReport(1, STARTED, "0.1.0", BENCHMARK, hosts, summarize(hosts), words, HOSTILE)
