"""A container's inspection as the collector sends it, to be changed by a test."""

import json
from typing import Any

from auditor.collect.bundle import Bundle, Section

ID = "5d" * 32


def hardened() -> dict[str, Any]:
    """What dockerd 20.10 tells of a running, hardened container; only the fields that are read."""
    return {
        "Id": ID,
        "Name": "/web",
        "Image": "sha256:" + "1a" * 32,
        "Path": "/bin/web",
        "Sshd": [False],
        "Status": "running",
        "Pid": 4242,
        "ExecIDs": None,
        "AppArmorProfile": "docker-default",
        "ProcessLabel": "u:r:container_t:s0",
        "Mounts": [],
        "HostConfig": {
            "Binds": None,
            "NetworkMode": "app",
            "PortBindings": {},
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 5},
            "CapAdd": None,
            "CapDrop": ["ALL"],
            "IpcMode": "private",
            "PidMode": "",
            "Privileged": False,
            "PublishAllPorts": False,
            "ReadonlyRootfs": True,
            "MaskedPaths": ["/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware"],
            "ReadonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
            "SecurityOpt": ["no-new-privileges"],
            "UTSMode": "",
            "UsernsMode": "",
            "CpuShares": 512,
            "Memory": 67108864,
            "NanoCpus": 0,
            "CgroupParent": "",
            "CpuQuota": 0,
            "CpusetCpus": "",
            "Devices": [],
            "DeviceCgroupRules": None,
            "DeviceRequests": None,
            "CgroupnsMode": "private",
            "PidsLimit": 100,
            "Ulimits": [],
        },
        "Config": {"Image": "web:1", "User": "1000", "Healthcheck": {"Test": ["CMD", "true"]}},
        "NetworkSettings": {"Ports": {}, "Networks": {"app": {}}},
    }


def sloppy() -> dict[str, Any]:
    """The same with every setting wrong that a check looks at."""
    raw = hardened()
    raw.update(Status="created", Path="/usr/sbin/sshd", AppArmorProfile="unconfined", ProcessLabel="", Pid=0)
    raw["Mounts"] = [
        {"Type": "bind", "Source": "/", "Destination": "/h", "RW": True, "Propagation": "rshared"}
    ]
    raw["HostConfig"].update(
        NetworkMode="bridge",
        PortBindings={"22/tcp": [{"HostIp": "", "HostPort": "22"}]},
        RestartPolicy={"Name": "always", "MaximumRetryCount": 0},
        CapAdd=["SYS_ADMIN"],
        CapDrop=None,
        IpcMode="host",
        PidMode="host",
        Privileged=True,
        PublishAllPorts=True,
        ReadonlyRootfs=False,
        SecurityOpt=["no-new-privileges:false", "seccomp=unconfined"],
        UTSMode="host",
        UsernsMode="host",
        CpuShares=0,
        Memory=0,
        CgroupParent="/mine",
        Devices=[{"PathOnHost": "/dev/sda"}],
        DeviceCgroupRules=["a *:* rwm"],
        DeviceRequests=[{"Driver": "nvidia", "DeviceIDs": None, "Capabilities": [["gpu"]]}],
        CgroupnsMode="host",
        PidsLimit=None,
        Ulimits=[{"Name": "nofile", "Soft": 1, "Hard": -1}],
    )
    raw["Config"].update(User="", Healthcheck=None, ExposedPorts={"22/tcp": {}})
    raw["NetworkSettings"] = {"Ports": {}, "Networks": {"bridge": {}}}
    return raw


def bundle(
    *inspected: Any,
    listed: tuple[str, ...] = (),
    gone: tuple[str, ...] = (),
    version: str = "26.1.5",
    **more: Section,
) -> Bundle:
    """A bundle of an engine with these containers; ``listed`` and ``gone`` beside those inspected. ``more`` are sections, '-' as '_'."""
    lines = (
        [f"listed {one}" for one in listed]
        + [json.dumps(raw) for raw in inspected]
        + [f"gone {one}" for one in gone]
    )
    info = {
        "ServerVersion": version,
        "OSType": "linux",
        "SecurityOptions": ["name=seccomp,profile=builtin"],
        "CgroupVersion": "2",
    }
    sections = {
        "engine-version": Section(b'{"Server": {}}'),
        "engine-info": Section(json.dumps(info).encode()),
        "containers": Section("\n".join(lines).encode("utf-8", "surrogatepass")),
        **{name.replace("_", "-"): section for name, section in more.items()},
    }
    return Bundle(sections)
