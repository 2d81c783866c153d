"""Who can command the engine."""

from collections.abc import Iterator

from auditor.check import Finding, Findings, Inconclusive, Manual, Severity, check
from auditor.facts.access import Access
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.files import File, Files
from auditor.policy import Policy

_GROUP_WRITES, _OTHERS_WRITE = 0o020, 0o002
_SOURCE = "group and user database, sudoers, owner of the socket"


@check(severity=Severity.HIGH)
def engine_commanded_by_others(access: Access, files: Files, paths: DaemonPaths, policy: Policy) -> Findings:
    """
    Only trusted users can command the engine.

    Whoever may use the engine's socket can start a container that writes anywhere on the
    host: membership of its group is root by another name, without a password and without
    a trace in sudo's log.

    Counted are the group that really owns each socket (members by its list and by
    primary group, directory services included), the group the engine is configured for,
    owners of sockets, further users with root's number, and sudo rules that allow all
    commands or the engine's.

    Remediation:
        Take users out of the group (``gpasswd -d USER docker``) and out of sudoers, or name
        them under ``trusted_users`` in the inventory's policy if it is meant so.
    """
    ways: dict[str, list[str]] = {}
    for user, way in _ways(access, files, paths):
        if user not in ("root", *policy.trusted_users) and way not in ways.setdefault(user, []):
            ways[user].append(way)
    ways = {user: told for user, told in ways.items() if told}
    told = {user: "; ".join(each) for user, each in ways.items()}
    if policy.trusted_users or "everybody" in told:
        for user, how in told.items():
            yield Finding(user, how, "not named by policy: no way to the engine", _SOURCE)
    elif told:
        names = ", ".join(f"{user} ({how})" for user, how in told.items())
        raise Manual(
            f"the policy names no trusted_users; beside root the engine is commanded by {names}: are they meant to?"
        )
    denied = [f"{path}: permission denied" for path in paths.sockets if path in files.denied]
    if access.unseen or denied:
        raise Inconclusive(f"there may be more: {'; '.join((*access.unseen, *denied))}")


def _ways(access: Access, files: Files, paths: DaemonPaths) -> Iterator[tuple[str, str]]:
    """Users and how each of them gets at the engine, some of them in several ways."""
    for socket in files.present(paths.sockets):
        # A rootless engine's socket lies in a folder that only its own user may enter.
        if not paths.rootless:
            yield from _by_socket(socket, access)
    if not paths.rootless:
        yield from _members(
            access, paths.group, f"in group {paths.group}, which the engine gives its socket to"
        )
    for grant in access.grants:
        how = f"sudo {grant.command} by {grant.source}"
        if grant.who.startswith("%"):
            name = grant.who.lstrip("%#:")
            yield from _members(access, name, f"{how}, in group {name}", or_else=grant.who)
        else:
            yield ("everybody" if grant.who == "ALL" else grant.who), how
    for user in access.other_roots:
        yield user, "has root's number"


def _by_socket(socket: File, access: Access) -> Iterator[tuple[str, str]]:
    if socket.uid:
        yield socket.owners.partition(":")[0], f"owns {socket.path}"
    if socket.gid and socket.mode & _GROUP_WRITES:
        group = socket.owners.partition(":")[2]
        yield from _members(
            access, socket.gid, f"in group {group} of {socket.path}", or_else=f"group {group}"
        )
    if socket.mode & _OTHERS_WRITE:
        yield "everybody", f"{socket.path} has mode {socket.mode:04o}"


def _members(access: Access, key: str | int, how: str, or_else: str = "") -> Iterator[tuple[str, str]]:
    """The members of a group by name or number; ``or_else`` stands for those of a group that nobody knows."""
    number = int(key) if isinstance(key, str) and key.isdecimal() else key
    group = access.group(key) or access.group(number)
    if group:
        yield from ((member, how) for member in group.members)
    elif or_else:
        yield or_else, f"{how} (its members are not known)"
