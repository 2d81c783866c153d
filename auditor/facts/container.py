"""One container, in typed form."""

import posixpath
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

import msgspec

from auditor.facts import capabilities
from auditor.facts.windows_paths import plain_windows_path

LIVE = ("running", "paused")
"""States in which a container has processes."""


def plain_path(path: str) -> str:
    """An absolute path without ``..``, doubled and trailing slashes, below /run where it says /var/run."""
    plain = posixpath.normpath("/" + path.lstrip("/"))
    return plain.removeprefix("/var") if f"{plain}/".startswith("/var/run/") else plain


@lru_cache(maxsize=1024)
def read_address(text: str) -> IPv4Address | IPv6Address:
    """An address as the engine writes it; a fleet's containers have few, and each is asked for often. Raises ValueError."""
    return ip_address(text.strip("[]"))


def is_root(user: str) -> bool:
    """Whether a user, as the engine reads it, is uid 0: ``root``, nothing at all, or any way to write the number."""
    name = user.partition(":")[0]
    return name in ("", "root") or (name.lstrip("+-").isdecimal() and int(name) == 0)


class Mount(msgspec.Struct, frozen=True):
    """
    Something of the host's that a container sees. ``source`` is empty for a tmpfs, and a volume's name while it has no path.

    ``leads_to`` is where the source leads that is a link or has one on its way, else empty; None: not known. ``also`` are
    further names of what it shows, because that is mounted elsewhere too; None: not known.
    """

    source: str
    type: str = "bind"
    destination: str = "/data"
    rw: bool = False
    propagation: str = "rprivate"
    leads_to: str | None = ""
    also: tuple[str, ...] | None = ()

    @property
    def path(self) -> str:
        """The source, plain."""
        return plain_path(self.source)

    @property
    def names(self) -> tuple[str, ...]:
        """The source and what it leads to, plain."""
        return (self.path, plain_path(self.leads_to)) if self.leads_to else (self.path,)

    @property
    def seen_through(self) -> bool:
        """Whether all of its paths are known."""
        return self.leads_to is not None and self.also is not None

    @property
    def paths(self) -> tuple[str, ...]:
        """Every path by which the host itself has what is mounted, or a part of it."""
        return (*self.names, *map(plain_path, self.also or ()))

    def told(self, path: str) -> str:
        """The source and what it leads to, as evidence for one of its paths."""
        told = f"{self.source} -> {self.leads_to}" if self.leads_to else self.source
        return told if path in self.names else f"{told}, mounted at {path} too"

    @property
    def windows_path(self) -> str:
        """The source, plain as Windows has it."""
        return plain_windows_path(self.source)


class Port(msgspec.Struct, frozen=True):
    """A published port. ``first`` and ``last`` are host ports, 0 where the engine picks one; ``address`` may be empty."""

    first: int
    last: int
    address: str = "127.0.0.1"
    inside: str = "80/tcp"

    @property
    def wildcard(self) -> bool:
        """Whether it listens on every address of the host."""
        if not self.address:
            return True
        address = read_address(self.address)
        # The engine takes ::ffff:0.0.0.0 for 0.0.0.0.
        return (getattr(address, "ipv4_mapped", None) or address).is_unspecified

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        ports = f"{self.first}-{self.last}" if self.last > self.first else f"{self.first or 'any'}"
        return f"{host}:{ports}->{self.inside}"


class Ulimit(msgspec.Struct, frozen=True):
    """A resource limit of a container; -1 is unlimited."""

    name: str
    soft: int
    hard: int


class Container(msgspec.Struct, frozen=True):
    """
    One container, in the API's own words. Defaults are those of a hardened one.

    ``memory`` is in bytes, ``nano_cpus`` in billionths of a CPU; 0 is no limit. ``ports`` are those published now, or
    for a container that does not run those it will publish. ``sshd`` tells whether a word of its arguments is ``sshd``.
    ``isolation`` is ``process`` or ``hyperv`` on Windows, empty on Linux and where the engine does not tell.
    ``labels`` are their names; ``secrets`` the variables of its environment that are named for a secret and have a value:
    None where the collector did not ask.
    """

    name: str = "web"
    id: str = "4f" * 32
    status: str = "running"
    pid: int = 4242
    image: str = "registry.example/web:1.4"
    image_id: str = "sha256:" + "1a" * 32
    path: str = "/usr/sbin/nginx"
    sshd: bool = False
    exec_ids: tuple[str, ...] = ()
    user: str = "1000:1000"
    healthcheck: tuple[str, ...] = ("CMD", "/bin/healthy")
    apparmor_profile: str = "docker-default"
    process_label: str = "system_u:system_r:container_t:s0:c1,c2"
    privileged: bool = False
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ("ALL",)
    security_opt: tuple[str, ...] = ("no-new-privileges:true",)
    mounts: tuple[Mount, ...] = ()
    devices: tuple[str, ...] = ()
    device_requests: tuple[str, ...] = ()
    device_cgroup_rules: tuple[str, ...] = ()
    network_mode: str = "app"
    networks: tuple[str, ...] = ("app",)
    pid_mode: str = ""
    ipc_mode: str = "private"
    uts_mode: str = ""
    userns_mode: str = ""
    cgroupns_mode: str = "private"
    cgroup_parent: str = ""
    publish_all_ports: bool = False
    ports: tuple[Port, ...] = ()
    readonly_rootfs: bool = True
    memory: int = 512 * 1024**2
    nano_cpus: int = 1_000_000_000
    cpu_shares: int = 0
    cpu_quota: int = 0
    cpuset_cpus: str = ""
    pids_limit: int | None = 100
    ulimits: tuple[Ulimit, ...] = ()
    restart_policy: str = "on-failure"
    maximum_retry_count: int = 5
    platform: str = "linux"
    isolation: str = ""
    service: str | None = ""
    """The swarm's service that it is a task of; None: not told."""
    cpu_count: int = 0
    cpu_percent: int = 0
    hostname: str = "web"
    system_paths_masked: bool | None = True
    """Whether files of /proc and /sys are hidden from it, and others read-only; None: not told."""
    labels: tuple[str, ...] | None = ()
    secrets: tuple[str, ...] | None = ()

    @property
    def live(self) -> bool:
        """Whether it has processes now."""
        return self.status in LIVE

    @property
    def subject(self) -> str:
        """Its name, and its state when that is not running: what evidence for people calls it."""
        return self.name if self.status == "running" else f"{self.name} ({self.status})"

    @property
    def capabilities(self) -> frozenset[str]:
        """The capabilities it is given, without ``CAP_``."""
        return capabilities.effective(self.cap_add, self.cap_drop, privileged=self.privileged)

    @property
    def root(self) -> bool:
        """Whether its own process is root inside; a user is written ``name``, ``uid`` or ``either:group``."""
        return is_root(self.user)

    def security_options(self, name: str) -> tuple[str, ...]:
        """The values given to a ``--security-opt``, in order; ``name=value``, ``name:value`` and bare ``name`` (empty value)."""
        pairs = (option.partition("=" if "=" in option else ":") for option in self.security_opt)
        return tuple(value for key, _, value in pairs if key == name)
