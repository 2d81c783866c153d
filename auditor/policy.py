"""What a team expects of its hosts: the parameters that checks judge by."""

from typing import Annotated

import msgspec

Days = Annotated[int, msgspec.Meta(ge=0)]
PortNumber = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """
    Parameters of the checks, set in the inventory for all hosts, a group, or one host.

    A check takes ``policy: Policy`` as it takes any fact.
    """

    engine_port: PortNumber | None = None
    """The one TCP port the engine may listen on; None: any."""
    certificate_warning_days: Days = 30
    certificate_urgent_days: Days = 7
    allowed_registries: tuple[str, ...] = ()
    """Registries (``registry.corp.example``, globs allowed) that images may come from; empty: not judged."""
    trusted_users: tuple[str, ...] = ()
    """Who may control the engine, beside root."""
    allowed_capabilities: tuple[str, ...] = ()
    """Capabilities that containers may have beyond Docker's defaults, without ``CAP_``."""
    allowed_ports: tuple[PortNumber, ...] | None = None
    """Host ports that containers may publish; None: a person decides."""
    allowed_mounts: tuple[str, ...] = ()
    """Host paths that containers may mount though they are sensitive, sockets among them; written in full."""
    allowed_devices: tuple[str, ...] = ()
    """Host devices (``/dev/fuse``), device requests (``nvidia gpu``) and cgroup rules that containers may be given."""
    allowed_cgroup_parents: tuple[str, ...] = ()
    """Control groups that containers may be put under, beside the daemon's own; globs allowed."""
    authorization_plugins: tuple[str, ...] = ()
    """Authorization plugins that must be active; empty: any one."""
    expect_swarm: bool = False
    """Whether the host belongs to a swarm on purpose."""
    windows_update_days: Days = 60
    """How many days after it came out an update of Windows may still be missing, on a host and in an image."""
