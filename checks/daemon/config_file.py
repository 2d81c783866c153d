"""The daemon's configuration file itself."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.daemon import ConfigFile

# Every key that some engine from 20.10 to 29 takes (dockerd's reference, and its option structs).
_KEYS = frozenset(
    [
        "allow-direct-routing",
        "allow-nondistributable-artifacts",
        "api-cors-header",
        "authorization-plugins",
        "bip",
        "bip6",
        "bridge",
        "bridge-accept-fwmark",
        "builder",
        "cdi-spec-dirs",
        "cgroup-parent",
        "cluster-advertise",
        "cluster-store",
        "cluster-store-opts",
        "containerd",
        "containerd-namespace",
        "containerd-plugin-namespace",
        "containerd-plugins-namespace",
        "cpu-rt-period",
        "cpu-rt-runtime",
        "data-root",
        "debug",
        "default-address-pools",
        "default-cgroupns-mode",
        "default-gateway",
        "default-gateway-v6",
        "default-ipc-mode",
        "default-network-opts",
        "default-runtime",
        "default-shm-size",
        "default-ulimits",
        "deprecated-key-path",
        "disable-legacy-registry",
        "dns",
        "dns-opts",
        "dns-search",
        "exec-opts",
        "exec-root",
        "experimental",
        "features",
        "firewall-backend",
        "fixed-cidr",
        "fixed-cidr-v6",
        "graph",
        "group",
        "host-gateway-ip",
        "host-gateway-ips",
        "hosts",
        "http-proxy",
        "https-proxy",
        "icc",
        "init",
        "init-path",
        "insecure-registries",
        "ip",
        "ip-forward",
        "ip-forward-no-drop",
        "ip-masq",
        "ip6tables",
        "iptables",
        "ipv6",
        "labels",
        "live-restore",
        "log-driver",
        "log-format",
        "log-level",
        "log-opts",
        "max-concurrent-downloads",
        "max-concurrent-uploads",
        "max-download-attempts",
        "metrics-addr",
        "min-api-version",
        "mtu",
        "network-control-plane-mtu",
        "no-new-privileges",
        "no-proxy",
        "node-generic-resources",
        "nri-opts",
        "oom-score-adjust",
        "pidfile",
        "proxies",
        "raw-logs",
        "registry-mirrors",
        "rootless",
        "runtimes",
        "seccomp-profile",
        "selinux-enabled",
        "shutdown-timeout",
        "storage-driver",
        "storage-opts",
        "swarm-default-advertise-addr",
        "swarm-raft-election-tick",
        "swarm-raft-heartbeat-tick",
        "tls",
        "tlscacert",
        "tlscert",
        "tlskey",
        "tlsverify",
        "userland-proxy",
        "userland-proxy-path",
        "userns-remap",
        "validate",
    ]
)


@check(severity=Severity.HIGH)
def daemon_config_invalid(file: ConfigFile) -> Findings:
    """
    The daemon's configuration file is valid JSON.

    The daemon does not start with a file it cannot read. A running daemon whose
    file is broken runs on settings that nobody can see any more, and is gone after
    the next restart.

    Remediation:
        Mend the file; ``dockerd --validate --config-file FILE`` (23.0 and later)
        tells whether the daemon would take it.
    """
    if not file.exists:
        raise NotApplicable(f"there is no {file.path}")
    if file.problem:
        yield Finding(file.path, file.problem, "a JSON object", file.path)


@check(severity=Severity.MEDIUM)
def daemon_config_unknown_key(file: ConfigFile) -> Findings:
    """
    The daemon's configuration file has only keys that the daemon knows.

    The daemon refuses to start with a key it does not know. Often it is a
    misspelt one, and the setting it was to make is not in force.

    Remediation:
        Correct or remove the key; ``dockerd --validate --config-file FILE`` (23.0
        and later) tells which keys the engine at hand takes.
    """
    if not file.exists:
        raise NotApplicable(f"there is no {file.path}")
    if file.problem:
        raise Inconclusive(f"{file.path} cannot be read: {file.problem}")
    for key in file.content:
        if key not in _KEYS:
            yield Finding(file.path, f"unknown key {key!r}", "a key of dockerd's", f"{file.path}:/{key}")
