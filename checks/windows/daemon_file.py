"""The configuration file of a Windows daemon: what stops the daemon there, and what does nothing."""

from auditor.check import Finding, Findings, Inconclusive, NotApplicable, Severity, check
from auditor.facts.daemon import ConfigFile, DaemonFlags
from auditor.facts.engine import Engine
from auditor.facts.windows_daemon_file import WindowsDaemonFile

# The first release that skips a byte order mark (read in the sources of 20.10 and 23.0).
_TAKES_MARKS = (23, 0)
# Keys that a Windows daemon refuses, or takes and does nothing with (dockerd's reference for Windows, and its option structs).
_LINUX_ONLY = frozenset(
    [
        "bip",
        "bip6",
        "bridge-accept-fwmark",
        "cgroup-parent",
        "cpu-rt-period",
        "cpu-rt-runtime",
        "default-cgroupns-mode",
        "default-gateway",
        "default-gateway-v6",
        "default-ipc-mode",
        "default-shm-size",
        "default-ulimits",
        "exec-root",
        "firewall-backend",
        "fixed-cidr-v6",
        "icc",
        "init",
        "init-path",
        "ip",
        "ip-forward",
        "ip-forward-no-drop",
        "ip-masq",
        "ip6tables",
        "iptables",
        "ipv6",
        "live-restore",
        "no-new-privileges",
        "oom-score-adjust",
        "rootless",
        "runtimes",
        "seccomp-profile",
        "selinux-enabled",
        "userland-proxy",
        "userland-proxy-path",
        "userns-remap",
    ]
)
_BOOLEANS = frozenset(["debug", "experimental", "raw-logs", "tls", "tlsverify"])
# What a flag and the file may both have: dockerd merges these.
_MERGED = frozenset(["features", "builder"])


@check(severity=Severity.HIGH)
def windows_daemon_config_encoding(file: WindowsDaemonFile, engine: Engine) -> Findings:
    """
    The daemon's configuration file is encoded as its engine reads it.

    Windows' own programs like to begin a file with a byte order mark. Engines before
    23.0 do not start with such a file, and no engine starts with one that is not
    text in its encoding.

    Remediation:
        Save the file as UTF-8 without a byte order mark:
        ``[IO.File]::WriteAllText($path, $text)`` in PowerShell writes none.
    """
    if not file.decodes:
        yield Finding(file.path, f"bytes that are not {file.encoding}", "UTF-8", file.path)
    elif file.marked and not engine.version_tuple:
        raise Inconclusive("the file begins with a byte order mark, and the engine's version is not known")
    elif file.marked and engine.version_tuple < _TAKES_MARKS:
        yield Finding(
            file.path,
            f"a byte order mark ({file.encoding}), which engine {engine.version} does not read",
            "UTF-8 without a byte order mark",
            file.path,
        )


@check(severity=Severity.HIGH)
def windows_daemon_config_refused(
    file: WindowsDaemonFile, content: ConfigFile, flags: DaemonFlags
) -> Findings:
    """
    The daemon starts again with its configuration file and its command line.

    A switch written as text, or a setting made both in the file and by a flag of the
    service, stops the daemon at its next start. A key that stands twice counts once,
    the last time, and a path with a single backslash is another path.

    Remediation:
        Write switches as ``true``, paths with two backslashes, and each key once.
        Keep a setting either in the file or in the service's command line
        (``sc.exe qc docker`` shows it).
    """
    if file.problem:
        raise Inconclusive(f"{file.path} cannot be read: {file.problem}")
    for key in file.twice:
        yield Finding(file.path, f"{key} stands there twice", "once", f"{file.path}:/{key}")
    for key in file.broken_paths:
        yield Finding(
            file.path, f"{key} has a control character", "two backslashes in a path", f"{file.path}:/{key}"
        )
    for key, value in content.content.items():
        where = f"{file.path}:/{key}"
        if key in _BOOLEANS and not isinstance(value, bool):
            yield Finding(file.path, f"{key} is {type(value).__name__} {value!r}", "true or false", where)
        if key in flags.settings and key not in _MERGED:
            yield Finding(
                file.path,
                f"{key} is set in the file and by {flags.settings[key].source}",
                "one of them",
                where,
            )


@check(severity=Severity.LOW)
def windows_daemon_config_linux_key(content: ConfigFile) -> Findings:
    """
    The daemon's configuration file has no key that only Linux has.

    On Windows such a key does nothing, or the daemon does not start with it. Whoever
    wrote it believes in a protection that is not there.

    Remediation:
        Remove the key from daemon.json.
    """
    if not content.exists:
        raise NotApplicable(f"there is no {content.path}")
    if content.problem:
        raise Inconclusive(f"{content.path} cannot be read: {content.problem}")
    for key in content.content:
        if key in _LINUX_ONLY:
            yield Finding(content.path, f"{key} is for Linux only", "no such key", f"{content.path}:/{key}")
    options = content.content.get("exec-opts")
    for option in options if isinstance(options, list) else ():
        if str(option).startswith("native.cgroupdriver="):
            where = f"{content.path}:/exec-opts"
            yield Finding(content.path, f"exec-opts {option} is for Linux only", "no such option", where)
