"""Logging in on an SSH connection."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import paramiko

from auditor.errors import LoginRefused
from auditor.host import SshOptions
from auditor.transports.base import Deadline, shortened
from auditor.transports.ssh_connect import Connection
from auditor.transports.ssh_keys import Keys


@dataclass
class _Attempts:
    """What was tried, and what the server would take."""

    tried: list[str] = field(default_factory=list)
    accepted: set[str] = field(default_factory=set)


def log_in(connection: Connection, name: str, user: str, ssh: SshOptions, deadline: Deadline) -> None:
    """
    Try keys, then the password, until the server lets us in.

    Raises:
        LoginRefused: it did not; the message tells what was tried.
        DeadlineExceeded: it did not answer.
    """
    keys, attempts = Keys(ssh, deadline), _Attempts()
    doing = f"logging in to {name} as {user}"
    try:
        for candidate in keys:
            attempts.tried.append(candidate.name)
            if _try(
                connection, doing, deadline, attempts, partial(connection.auth_publickey, user, candidate.key)
            ):
                return
            if attempts.accepted and "publickey" not in attempts.accepted:
                break
        if ssh.password is not None:
            attempts.tried.append("the password")
            if _try(
                connection,
                doing,
                deadline,
                attempts,
                partial(connection.auth_password, user, ssh.password.reveal()),
            ):
                return
    finally:
        keys.close()
    raise _refused(connection, doing, attempts, keys)


def _try(
    connection: Connection,
    doing: str,
    deadline: Deadline,
    attempts: _Attempts,
    method: Callable[[], list[str]],
) -> bool:
    """One attempt; True when we are in."""
    connection.auth_timeout = deadline.left(doing)
    try:
        attempts.accepted = set(method())
    except paramiko.BadAuthenticationType as error:
        attempts.accepted = set(error.allowed_types)
    except (paramiko.SSHException, EOFError, OSError) as error:
        if deadline.passed:
            raise deadline.exceeded(doing) from error
        if not connection.is_active():
            raise _closed(connection, doing, attempts) from error
    return connection.is_authenticated()


def _refused(connection: Connection, doing: str, attempts: _Attempts, keys: Keys) -> LoginRefused:
    tried = (
        f"refused {', '.join(attempts.tried)}" if attempts.tried else "there was no key or password to try"
    )
    skipped = f" ({'; '.join(keys.skipped)})" if keys.skipped else ""
    wanted = f"; it takes {', '.join(sorted(attempts.accepted))}" if attempts.accepted else ""
    banner = shortened(getattr(connection.auth_handler, "banner", None) or b"")
    said = f" (it says: {banner})" if banner else ""
    step = (
        "list one of these keys in that user's authorized_keys there, or name another"
        if attempts.tried
        else "name one"
    )
    return LoginRefused(f"{doing}: {tried}{skipped}{wanted}{said}: {step} by identity_files")


def _closed(connection: Connection, doing: str, attempts: _Attempts) -> LoginRefused:
    problem = connection.get_exception()
    said = connection.farewell or shortened(str(problem or "")) or "it closed the connection"
    return LoginRefused(
        f"{doing}: the connection ended after {', '.join(attempts.tried)} ({said}): name the one right key by identity_files "
        f"and set identities_only, if too many were offered (MaxAuthTries)"
    )
