"""Linux capabilities: their names, what Docker gives by default, and what a container ends up with."""

from functools import lru_cache

# In the kernel's order: a capability's place is its bit in CapEff.
ALL = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT",
    "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE",
    "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ",
    "PERFMON", "BPF", "CHECKPOINT_RESTORE",
)  # fmt: skip
DEFAULT = frozenset(
    {
        "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP",
        "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
    }
)  # fmt: skip


def plain(name: str) -> str:
    """``cap_net_raw`` -> ``NET_RAW``: Docker takes either case, with and without the prefix."""
    return name.upper().removeprefix("CAP_")


def effective(add: tuple[str, ...], drop: tuple[str, ...], *, privileged: bool) -> frozenset[str]:
    """What a container gets, as dockerd works it out: an added capability wins over a dropped one."""
    added, dropped = {plain(name) for name in add}, {plain(name) for name in drop}
    if privileged:
        return frozenset(ALL)
    if "ALL" in added:
        return frozenset(ALL) - dropped
    if "ALL" in dropped:
        return frozenset(added)
    return DEFAULT - dropped | added


@lru_cache(maxsize=256)
def names(mask: int) -> frozenset[str]:
    """The capabilities of a bit mask, as in ``CapEff``; bits newer than this table are left out."""
    return frozenset(name for bit, name in enumerate(ALL) if mask >> bit & 1)
