"""
What can go wrong, as exceptions.

    AuditorError                 exit code 2: the user's to mend; nothing was done
    ├── UsageError               the command line
    └── BadFile                  a file that was read: path, line, what to do
    HostError                    one host could not be audited; the others go on
    ├── Unreachable              no connection
    ├── HostKeyRejected          the host is not who known_hosts says, or is not known
    ├── LoginRefused             authentication, or sudo
    ├── DeadlineExceeded         the host took longer than it was given
    ├── BadReply                 what came back is no bundle
    └── Interrupted              the run was ended before the host was finished
"""

from pathlib import Path


class AuditorError(Exception):
    """A mistake in what the auditor was given; the message names the next step."""


class UsageError(AuditorError):
    """The command line asks for something that does not exist or does not fit together."""


class BadFile(AuditorError):
    """A file that cannot be used as it is. ``line`` counts from 1; 0 when it is the file as a whole."""

    def __init__(self, path: Path | str, problem: str, *, line: int = 0) -> None:
        self.path, self.problem, self.line = path, problem, line
        super().__init__(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


class HostError(Exception):
    """One host could not be audited. The message says what was tried, what happened and what to do."""


class Unreachable(HostError):
    """No connection could be made."""


class HostKeyRejected(HostError):
    """The host's key is unknown, changed or not the pinned one."""


class LoginRefused(HostError):
    """The host is there but lets us not in, or sudo wants a password."""


class DeadlineExceeded(HostError):
    """The host took longer than its deadline."""


class BadReply(HostError):
    """The host answered something that is not a bundle."""


class Interrupted(HostError):
    """The run was ended before this host was finished."""
