"""
Layouts of hosts that the lab has not: a snap, and an engine 29 with containerd's image store.

No part of these is recorded. The snap's paths and flags are those that its package is documented to use; what engine 29 prints follows
moby's API types (``DriverStatus`` with ``driver-type``, ``Containerd``) and its release notes: the image store is the
default of fresh installations, the storage driver then called ``overlayfs``. Real ones in the lab: 20.10 (this machine), 26.1 (virtual
machine), rootless 20.10.
"""

import json
from typing import Any

import pytest

from auditor.check import NotApplicable
from auditor.collect.bundle import Bundle, Section
from auditor.facts.daemon import DaemonConfig
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.engine import Engine
from auditor.facts.storage import Storage
from checks.daemon.drift import _shown
from checks.daemon.storage import aufs_storage_driver, devicemapper_storage_driver

COMMON = "/var/snap/docker/common"
SNAP_CONFIG = "/var/snap/docker/2963/config/daemon.json"
SNAP = f"""socket /var/run/docker.sock
pid 1201 socket
uid 0
exe /snap/docker/2963/bin/dockerd
cwd /var/snap/docker/2963
started 1795477133
unit snap.docker.dockerd.service
argument dockerd
argument --group
argument root
argument --exec-root=/run/snap.docker
argument --data-root={COMMON}/var-lib-docker
argument --pidfile=/run/snap.docker/docker.pid
argument --config-file={SNAP_CONFIG}
environment readable
variable HOME=/root/snap/docker/2963
"""
UNIT = "Id=snap.docker.dockerd.service\nFragmentPath=/etc/systemd/system/snap.docker.dockerd.service\n"
FRESH_29: dict[str, Any] = {
    "ServerVersion": "29.1.0",
    "OSType": "linux",
    "Driver": "overlayfs",
    "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]],
    "Containerd": {"Address": "/run/containerd/containerd.sock", "Namespaces": {"Containers": "moby"}},
    "LoggingDriver": "json-file",
    "CgroupVersion": "2",
    "DockerRootDir": "/var/lib/docker",
    "DefaultRuntime": "runc",
    "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"],
    "Plugins": {"Authorization": None},
    "RegistryConfig": {"InsecureRegistryCIDRs": ["::1/128", "127.0.0.0/8"], "IndexConfigs": {"docker.io": {"Secure": True}}},
    "FirewallBackend": {"Driver": "iptables"},
    "DiscoveredDevices": None,
    "Swarm": {"LocalNodeState": "inactive"},
}  # fmt: skip


def bundle(process: str, path: str, file: str, info: dict[str, Any], systemd: str = "") -> Bundle:
    version = {"Server": {"Components": [{"Name": "Engine"}], "Version": info["ServerVersion"]}}
    texts = {
        "daemon": process,
        "daemon-config": f"{path}\n{file}",
        "engine-version": json.dumps(version),
        "engine-info": json.dumps(info),
        "systemd": systemd,
        "mounts": "mount 254:0 ext4 /\nmount 254:1 xfs /var/lib/docker\n",
    }
    return Bundle({name: Section(text.encode()) for name, text in texts.items()})


def test_a_snaps_files_are_found_at_the_snaps_places() -> None:
    info = {**FRESH_29, "ServerVersion": "28.1.1", "DockerRootDir": f"{COMMON}/var-lib-docker"}
    paths = DaemonPaths.parse(bundle(SNAP, SNAP_CONFIG, '{"log-level": "error"}', info, UNIT))
    assert (paths.config_file, paths.data_root) == (SNAP_CONFIG, f"{COMMON}/var-lib-docker")
    assert paths.service == ("/etc/systemd/system/snap.docker.dockerd.service",)
    assert (paths.group, paths.sockets) == ("root", ("/run/docker.sock",))
    assert "/run/snap.docker/containerd/containerd.sock" in paths.containerd_sockets
    assert paths.programs("runc")[0] == "/snap/docker/2963/bin/runc"


def test_a_fresh_engine_29_is_read_whole_and_its_layers_are_containerds() -> None:
    process = "socket /run/docker.sock\npid 8 socket\nuid 0\nstarted 1795477133\nargument dockerd\nargument -H\nargument fd://\n"
    host = bundle(process, "/etc/docker/daemon.json", "{}", FRESH_29)
    engine, config = Engine.parse(host), DaemonConfig.parse(host)
    assert (engine.version_tuple, engine.storage_driver, engine.insecure_registries) == (
        (29, 1, 0),
        "overlayfs",
        (),
    )
    assert Storage.parse(host).folders == ("/var/lib/docker", "/var/lib/containerd")
    assert [key for key, running, configured, _ in _shown(engine, config) if running != configured] == []


def test_controls_on_storage_drivers_that_engine_29_has_not_do_not_apply() -> None:
    for rule in (aufs_storage_driver, devicemapper_storage_driver):
        with pytest.raises(NotApplicable, match="any more"):
            list(rule(Engine(version="29.1.0", storage_driver="overlayfs")))
