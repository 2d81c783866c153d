"""Accounts that Windows containers run as."""

from collections.abc import Iterable

ADMINISTRATORS = frozenset(
    (
        "",
        "containeradministrator",
        "administrator",
        "system",
        "localsystem",
        "local system",
        "s-1-5-18",
        "s-1-5-93-2-1",
    )
)
"""No account named is ContainerAdministrator: the images whose default is another one name it."""
NETWORKED = frozenset(
    ("system", "localsystem", "local system", "s-1-5-18", "network service", "networkservice", "s-1-5-20")
)
"""Those that speak in the network as the container's own account, which a credential spec provides."""
SERVICES = frozenset(
    (
        "containeruser",
        "network service",
        "networkservice",
        "local service",
        "localservice",
        "s-1-5-19",
        "s-1-5-20",
        "s-1-5-93-2-2",
    )
)
"""Those that are no administrator."""
_DOMAINS = ("", ".", "nt authority", "builtin", "user manager")
_MONITORS = ("servicemonitor.exe", "logmonitor.exe")


def account(user: str) -> str:
    r"""``NT AUTHORITY\SYSTEM`` -> ``system``: in lower case, without the domains that every Windows has."""
    domain, _, name = user.strip().lower().replace("/", "\\").rpartition("\\")
    return name if domain in _DOMAINS else f"{domain}\\{name}"


def starts_services(words: Iterable[str]) -> bool:
    """Whether one of the words is a program that starts a Windows service and waits for it."""
    return any(name in word.lower() for word in words for name in _MONITORS)
