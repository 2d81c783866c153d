"""Whether the kernel's audit system watches what makes up the engine."""

from collections.abc import Callable
from itertools import product, takewhile
from typing import NamedTuple

from auditor.check import Check, Finding, Findings, Inconclusive, Severity, check
from auditor.facts.audit_rules import AuditRules, Rule, lies_below
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.files import File, Files


class _Watched(NamedTuple):
    """What is to be watched: its name, where it is, which accesses count, and why."""

    name: str
    what: str
    paths: Callable[[DaemonPaths, Files], tuple[str, ...]]
    accesses: str
    severity: Severity
    danger: str


# Of what is only ever changed, changes count; of programs, that they are run as well.
_CHANGES, _RUNS = "wa", "wxa"


def _program(name: str) -> _Watched:
    return _Watched(
        name, f"the {name} program", lambda paths, _files: paths.programs(name), _RUNS, Severity.LOW,
        "It runs as root below every container: whoever replaces it has them all, and the host.",
    )  # fmt: skip


_WATCHED = (
    _Watched(
        "engine-program", "the engine's own program", lambda paths, _files: paths.engine_program, _RUNS, Severity.MEDIUM,
        "The engine runs as root. Who starts it, and who replaces it, is what one looks for first after a break-in.",
    ),
    _Watched(
        "containerd-state", "containerd's folder of running containers", lambda _paths, _files: ("/run/containerd",),
        _CHANGES, Severity.LOW, "Sockets and pipes of every running container are made there.",
    ),
    _Watched(
        "data-root", "the engine's data root", lambda paths, _files: (paths.data_root,), _CHANGES, Severity.MEDIUM,
        "Whoever changes a file there changes containers and images without asking the engine.",
    ),
    _Watched(
        "config-folder", "the engine's configuration folder", lambda paths, _files: (paths.config_folder,), _CHANGES,
        Severity.MEDIUM, "Certificates and settings that decide who commands the engine lie there.",
    ),
    _Watched(
        "service-unit", "the unit file of the engine's service", lambda paths, files: paths.unit_files("service", files),
        _CHANGES, Severity.LOW, "Its flags decide where the engine listens, and for whom.",
    ),
    _Watched(
        "containerd-socket", "containerd's socket", lambda paths, _files: paths.containerd_sockets, _CHANGES,
        Severity.LOW, "Whoever opens it commands containers behind the engine's back.",
    ),
    _Watched(
        "engine-socket", "every unix socket of the engine", lambda paths, _files: paths.sockets, _CHANGES,
        Severity.LOW, "Whoever opens it is root on the host.",
    ),
    _Watched(
        "default-file", "the environment file of the engine's service", lambda paths, _files: paths.environment_files,
        _CHANGES, Severity.LOW, "It can hold flags that the engine starts with.",
    ),
    _Watched(
        "daemon-config", "the engine's configuration file", lambda paths, _files: (paths.config_file,), _CHANGES,
        Severity.LOW, "A changed line there is in force after the next restart.",
    ),
    _Watched(
        "containerd-config", "containerd's configuration file", lambda _paths, _files: ("/etc/containerd/config.toml",),
        _CHANGES, Severity.LOW, "It names the programs that run containers, as root.",
    ),
    _Watched(
        "sysconfig-file", "the engine's file below /etc/sysconfig", lambda paths, _files: paths.sysconfig_files,
        _CHANGES, Severity.LOW, "It can hold flags that the engine starts with.",
    ),
    *map(_program, ("containerd", "containerd-shim", "containerd-shim-runc-v1", "containerd-shim-runc-v2", "runc")),
)  # fmt: skip

_TEXT = """
The kernel audits {what}.

{danger} An audit record of it, kept elsewhere, is how such a thing is found and proved.

A rule counts when it is loaded and will be loaded at the next start, covers the path
or a folder above it, covers {accesses_in_words}, holds for every user and every kind of system
call, and no ``never`` rule stands before it.

Remediation:
    Put ``-w PATH -p {accesses} -k docker`` into /etc/audit/rules.d/docker.rules, with the
    path that the finding names, then run ``augenrules --load``.
"""
_WORDS = {_CHANGES: "writing and changes of attributes", _RUNS: "running, writing and changes of attributes"}


def _check(each: _Watched) -> Check[...]:
    words = _TEXT.format(**each._asdict(), accesses_in_words=_WORDS[each.accesses])

    @check(severity=each.severity, name=f"{each.name}-not-audited", text=words)
    def rule(rules: AuditRules, files: Files, paths: DaemonPaths) -> Findings:
        places = each.paths(paths, files)
        unknown = []
        for file in files.present(places):
            problem = _problem(rules, file, each.accesses, files)
            if problem:
                yield Finding(file.resolved, problem, f"audited for {each.accesses}", "audit rules")
            elif rules.unread:
                unknown.append(file.resolved)
        files.explain(places)
        if unknown:
            raise Inconclusive(f"{', '.join(unknown)}: {'; '.join(rules.unread)}")

    return rule


def _problem(rules: AuditRules, file: File, accesses: str, files: Files) -> str:
    """What is wrong with the auditing of a file; empty when nothing is, or when it could not be seen."""
    if not rules.installed:
        return "no audit system: there is neither auditctl nor /etc/audit"
    if not rules.enabled:
        return "auditing is off in the kernel (auditctl -s: enabled 0)"
    if rules.loaded is None:
        return ""
    gap = _gap(rules.loaded, file, accesses, rules, files)
    kept = [source for source, told in rules.on_disk.items() if not _gap(told, file, accesses, rules, files)]
    if gap and kept:
        return f"{gap}: a rule in {kept[0]} is not loaded"
    if not gap and not kept and not rules.unread:
        return "audited now, but by no rule on disk: lost at the next start"
    return gap


def _gap(told: tuple[Rule, ...], file: File, accesses: str, rules: AuditRules, files: Files) -> str:
    """What of a file's accesses these rules leave out; empty when nothing."""
    relevant = [rule for rule in told if _concerns(rule, file, files)]
    missing = sorted(
        {access for access, arch in product(accesses, rules.arches) if not _audited(relevant, access, arch)},
        key=accesses.index,
    )
    if not missing:
        return "; ".join(f"left out by {rule.text}" for rule in _holes(told, file, files))
    partial = [rule.text for rule in relevant if rule.action == "always"]
    never = [
        rule.text
        for rule in relevant
        if rule.action == "never" and not rule.narrowed and rule.permissions & set(missing)
    ]
    if never:
        return f"left out by {never[0]}"
    if partial:
        return f"{''.join(missing)} audited only in part, by {'; '.join(partial)}"
    return "no audit rule"


def _audited(rules: list[Rule], access: str, arch: str) -> bool:
    """The first rule that takes in every such access decides."""
    for rule in rules:
        if access in rule.permissions and arch in rule.arches and not rule.narrowed:
            return rule.action == "always"
    return False


def _concerns(rule: Rule, file: File, files: Files) -> bool:
    if rule.filter not in ("exit", "task") or (rule.filter == "task" and rule.action != "never"):
        return False
    if not rule.path:
        return rule.action == "never" and not rule.narrowed
    own = files.follow(rule.path)
    if own == file.resolved:
        return rule.below or file.kind != "folder" or rule.action == "never"
    return rule.below and lies_below(file.resolved, own)


def _holes(told: tuple[Rule, ...], file: File, files: Files) -> list[Rule]:
    """
    ``never`` rules for a part of what is watched: for some users, or for something below a folder.

    Of two rules the first decides, so only those before the watch itself matter.
    """

    def watches(rule: Rule) -> bool:
        return rule.action == "always" and not rule.narrowed and _concerns(rule, file, files)

    def takes_a_part(rule: Rule) -> bool:
        part = lies_below(files.follow(rule.path), file.resolved)
        return part or bool(rule.narrowed and _concerns(rule, file, files))

    before = takewhile(lambda rule: not watches(rule), told)
    return [rule for rule in before if rule.action == "never" and rule.path and takes_a_part(rule)]


audited: tuple[Check[...], ...] = tuple(map(_check, _WATCHED))
