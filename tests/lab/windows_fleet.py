"""Six recorded Windows hosts: what is particular about each."""

import copy
import json
from collections.abc import Callable
from typing import Any

from tests.lab.windows_hosts import bundle, dump, rule
from tests.lab.windows_machine import (
    CLOSED,
    CLOSED_FILE,
    FOLDER,
    INHERITED_FILE,
    PIPE,
    ROOT,
    SAMPLES,
    SERVICE,
    Machine,
    sample,
)

NANO = sample("container_td19-2_nanoserver1809_ContainerUser.json")[0]
CORE = sample("container_lab1.2_servercore_ltsc2019_2023.json")[0]
LCOW = sample("container_docker-java_1.38_lcow.json")
OLD_IMAGE = sample("image_docker-java_1.25_windowsImage.json")
SERVER_CORE = "mcr.microsoft.com/windows/servercore"
NANO_SERVER = "mcr.microsoft.com/windows/nanoserver"


def changed(
    raw: Any, *, host: dict[str, Any] | None = None, config: dict[str, Any] | None = None, **top: Any
) -> Any:
    """An inspection with some of it replaced."""
    copied = copy.deepcopy(raw) | top
    copied["HostConfig"] |= host or {}
    copied["Config"] |= config or {}
    return copied


def image(
    of: Any,
    tag: str,
    os_version: str,
    *,
    user: str = "",
    created: str = "2026-11-10T18:00:00Z",
    **config: Any,
) -> dict[str, Any]:
    """The image of a container."""
    labels, size = config.pop("labels", None), config.pop("size", 1_480_000_000)
    return {
        "Id": of["Image"], "RepoTags": [tag], "RepoDigests": [f"{tag.rpartition(':')[0]}@{of['Image']}"], "Created": created, "Os": "windows",
        "OsVersion": os_version, "Size": size, "RootFS": {"Type": "layers", "Layers": ["sha256:" + "c1" * 32, "sha256:" + "c2" * 32]},
        "Config": {"User": user, "Env": of["Config"].get("Env"), "Labels": labels, "Entrypoint": None, **config},
    }  # fmt: skip


def step(command: str, size: str = "0") -> dict[str, Any]:
    return {
        "Comment": "",
        "CreatedAt": "2026-11-10T18:00:00Z",
        "CreatedBy": command,
        "CreatedSince": "",
        "ID": "<missing>",
        "Size": size,
    }


def server_2019_default() -> Machine:
    """As the installation script leaves it: nothing configured, everything inherited from C:\\ProgramData."""
    return Machine(
        containers=[NANO, CORE],
        images=[
            image(NANO, f"{NANO_SERVER}:1809", "10.0.17763.914", user="ContainerUser", size=250_000_000),
            image(CORE, f"{SERVER_CORE}:ltsc2019", "10.0.17763.4131"),
        ],
        history={NANO["Image"]: [step("Apply image 1809")], CORE["Image"]: [step("Apply image ltsc2019")]},
    )


KEPT_CONFIG = b"""{
  "hosts": ["npipe:////./pipe/docker_engine", "tcp://10.20.0.15:2376"],
  "tlsverify": true,
  "tlscacert": "C:\\\\ProgramData\\\\docker\\\\certs.d\\\\ca.pem",
  "tlscert": "C:\\\\ProgramData\\\\docker\\\\certs.d\\\\server-cert.pem",
  "tlskey": "C:\\\\ProgramData\\\\docker\\\\certs.d\\\\server-key.pem",
  "data-root": "D:\\\\docker",
  "log-driver": "etwlogs",
  "exec-opts": ["isolation=hyperv"],
  "bridge": "none"
}
"""


def server_2022_kept() -> Machine:
    """Server Core, patched, closed rights, mutual TLS on one address, a container confined, and with an account of the domain."""
    labels = {
        "org.opencontainers.image.source": "https://git.example/web",
        "org.opencontainers.image.revision": "4f1c",
        "org.opencontainers.image.created": "2026-11-10T18:00:00Z",
    }
    kept = changed(
        CORE,
        host={
            "Isolation": "hyperv",
            "Memory": 2147483648,
            "NanoCpus": 2000000000,
            "NetworkMode": "app",
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
            "SecurityOpt": ["credentialspec=file://webapp01.json"],
        },
        config={
            "Image": f"{SERVER_CORE}:ltsc2022@sha256:{'ab' * 32}",
            "User": "NT AUTHORITY\\NETWORK SERVICE",
            "Healthcheck": {"Test": ["CMD", "C:\\\\healthy.exe"]},
            "Labels": labels,
        },
        Name="/web",
        NetworkSettings={"Ports": {}, "Networks": {"app": {"NetworkID": "0c" * 32}}},
    )
    spec = "D:\\docker\\CredentialSpecs\\webapp01.json"
    client = _client("C:\\Users\\admin\\.docker", [], CLOSED_FILE)
    return Machine(
        name="WINC-22-01", domain="contoso.com", build=20348, revision=5761, product="Windows Server 2022 Datacenter", release="21H2", installation="Server Core",
        engine_version="29.8.2", api="1.52", platform="Docker Engine - Community", config=KEPT_CONFIG, data_root="D:\\docker", root_rights=CLOSED,
        root_file_rights=CLOSED_FILE, audited=True, drive="D:", bitlocker=1, isolation="hyperv",
        listeners=(("10.20.0.15", 2376, 2340), ("::", 5986, 4)), features=("Containers", "Hyper-V", "Windows-Defender", "PowerShell"),
        rules=(rule("docker-mtls", ["2376"], profile=1, remote="10.20.0.0/255.255.255.0"),),
        containers=[kept],
        images=[image(kept, f"{SERVER_CORE}:ltsc2022", "10.0.20348.5761", user="ContainerUser", labels=labels, Healthcheck={"Test": ["CMD", "C:\\\\healthy.exe"]})],
        history={kept["Image"]: [step("USER ContainerUser"), step("Apply image ltsc2022-amd64")]},
        keys=f"unknown {ROOT}\\certs.d\\server-key.pem\n",
        certificates="".join(f"file {ROOT}\\certs.d\\{name}\n" + (SAMPLES / f"made_{name}").read_text() for name in ("ca.pem", "server-cert.pem")),
        winrm={"listeners": [{"Address": "*", "Transport": "HTTPS", "Port": "5986", "Hostname": "winc-22-01", "Enabled": "true", "URLPrefix": "wsman", "CertificateThumbprint": "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567"}]},
        info={"LoggingDriver": "etwlogs", "OSVersion": "10.0.20348"}, clients=[client],
        specs=[("file", spec, (SAMPLES / "msdocs_domain_joined_webapp01.json").read_text())],
        gmsa={"secure_channel": 0, "events": {"1": 2}, "accounts": [{"source": "file", "spec": spec, "name": "webapp01", "usable": True, "error": None}]},
    )  # fmt: skip


def server_2016_neglected() -> Machine:
    """An engine open to everybody on a host without updates; its own certificate authority's key lies next to it."""
    secret = "DB_PASSWORD=hunter2"
    open_one = changed(
        CORE,
        host={
            "Binds": ["\\\\.\\pipe\\docker_engine:\\\\.\\pipe\\docker_engine", "C:\\:C:\\host"],
            "RestartPolicy": {"Name": "always", "MaximumRetryCount": 0},
            "PublishAllPorts": True,
            "PortBindings": {"5985/tcp": [{"HostIp": "", "HostPort": "15985"}]},
        },
        config={"Image": "microsoft/windowsservercore", "Env": [secret], "User": ""},
        Name="/legacy",
        NetworkSettings=CORE["NetworkSettings"]
        | {"Ports": {"5985/tcp": [{"HostIp": "0.0.0.0", "HostPort": "15985"}]}},  # noqa: S104  what Windows shows
        Mounts=[
            {
                "Type": "npipe",
                "Source": "\\\\.\\pipe\\docker_engine",
                "Destination": "\\\\.\\pipe\\docker_engine",
                "Mode": "",
                "RW": True,
                "Propagation": "",
            },
            {
                "Type": "bind",
                "Source": "C:\\",
                "Destination": "C:\\host",
                "Mode": "",
                "RW": True,
                "Propagation": "",
            },
        ],
    )
    warning = "[DEPRECATION NOTICE]: API is accessible on http://0.0.0.0:2375 without encryption."
    return Machine(
        name="WIN-5HL01DCA13D", build=14393, revision=693, product="Windows Server 2016 Datacenter Evaluation", release="1607",
        engine_version="17.03.0-ee-1", api="1.26", platform="", flags=("--run-service", "-H", "tcp://0.0.0.0:2375", "-H", "npipe:////./pipe/docker_engine"),
        config=b"\xef\xbb\xbf" + (SAMPLES / "03_msdocs_tls_TRAILING_COMMA_INVALID.json").read_bytes(),
        environment=(("HTTP_PROXY", "http://***@proxy.example:3128/"), ("DOCKER_TLS_VERIFY", "")), account="CONTOSO\\svc-docker",
        service_key="O:BAG:SYD:AI(A;CI;KA;;;BU)(A;CIID;KA;;;BA)(A;CIID;KA;;;SY)", service_rights=SERVICE + "(A;;DC;;;AU)",
        pipes=(("\\\\.\\pipe\\docker_engine", PIPE + "(A;;FA;;;WD)"),), groups={"docker-users": ["S-1-5-11"]}, firewall_on=False,
        listeners=(("0.0.0.0", 2375, 2340), ("0.0.0.0", 3389, 900), ("0.0.0.0", 445, 4)),  # noqa: S104  what Windows shows
        rules=(rule("{0B7C2B59-7A04-4C4E-9E57-0F1C8D6B8C11}", ["2375"]),), features=("Containers", "FS-SMB1", "Web-Server", "PowerShell-V2", "Telnet-Client"),
        containers=[open_one], images=[OLD_IMAGE | {"Id": open_one["Image"], "RepoTags": ["microsoft/windowsservercore:latest"]}],
        history={open_one["Image"]: [step("cmd /S /C net user svc Winter2016 /add"), step("Apply image 10.0.14393.0")]},
        keys=f"unknown {ROOT}\\certs.d\\server-key.pem\n", certificates="file C:\\DockerSSLCARoot\\ca.pem\n",
        leftovers=("C:\\DockerSSLCARoot\\ca-key.pem", "C:\\DockerSSLCARoot\\ca-key-pass.txt"), reboot=True,
        winrm={"unencrypted": "true", "auth": {"Basic": "true", "Kerberos": "true", "Negotiate": "true", "Certificate": "false", "CredSSP": "true", "CbtHardeningLevel": "Relaxed"}},
        info={"Warnings": [warning], "OperatingSystem": "Windows Server 2016 Datacenter Evaluation"},
        clients=[_client("C:\\Users\\build\\.docker", ["registry.example"])],
    )  # fmt: skip


def _client(folder: str, inline: list[str], sddl: str = INHERITED_FILE) -> dict[str, Any]:
    found = {
        "role": "config.json",
        "path": f"{folder}\\config.json",
        "exists": True,
        "folder": False,
        "size": 200,
        "sddl": sddl,
        "audit": None,
        "error": None,
    }
    return {
        "folder": folder,
        "sid": "S-1-5-21-1004336348-1177238915-682003330-1001",
        "files": [found],
        "inline": inline,
        "store": "" if inline else "desktop",
        "error": None,
    }


def desktop() -> Machine:
    """Docker Desktop on a client edition, where the engine belongs to a user's session."""
    return Machine(
        name="DESKTOP-7C1", build=26100, revision=6899, product="Windows 11 Pro", release="24H2", edition="Professional", installation="Client",
        engine_version="28.5.1", api="1.51", platform="Docker Desktop 4.48.0", service="com.docker.service", isolation="hyperv",
        program="C:\\Program Files\\Docker\\Docker\\resources\\dockerd.exe", flags=("-H", "npipe:////./pipe/docker_engine_windows"),
        config=(SAMPLES / "14_for-win-453_hosts_conflict.json").read_bytes(), groups={"docker-users": ["S-1-5-21-1004336348-1177238915-682003330-1001"]},
        pipes=(("\\\\.\\pipe\\docker_engine_windows", PIPE + "(A;;0x12019f;;;S-1-5-21-1004336348-1177238915-682003330-1010)"), ("\\\\.\\pipe\\docker_engine", PIPE)),
        features=("Microsoft-Hyper-V-All", "Containers", "MicrosoftWindowsPowerShellV2"),
        containers=[LCOW],
        images=[], clients=[_client("C:\\Users\\dev\\.docker", [])],
        info={"OperatingSystem": "Windows 11 Pro Version 24H2 (OS Build 26100.6899)"},
        rights={"desktop-version-bin": "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)"},
    )  # fmt: skip


def server_2019_gmsa() -> Machine:
    """Domain-joined, with credential specs: a good one, one with an inline password, one in the registry."""
    folder = f"{ROOT}\\CredentialSpecs"
    inline = (SAMPLES / "msdocs_non_domain_joined_hostaccount_with_inline_password.json").read_text()
    hidden = inline.replace('"contoso.com:gmsaccg:<password>"', '"***:***:***"')
    registry = json.dumps(sample("msdocs_2016_WebApplication1_compact.json"), separators=(",", ":"))
    specs = [
        ("file", f"{folder}\\webapp01.json", (SAMPLES / "msdocs_domain_joined_webapp01.json").read_text()),
        ("file", f"{folder}\\webapp01-ccg.json", hidden),
        ("file", f"{folder}\\musicstore.json", (SAMPLES / "moby_integration-cli_valid.json").read_text()),
        ("registry", "WebApplication1", registry),
    ]
    problem = "ADException 0x80131500: Unable to contact the server. This may be because this server does not exist, it is currently down, or it does not have the Active Directory Web Services running."
    app = changed(
        CORE,
        host={"SecurityOpt": ["credentialspec=file://webapp01.json"]},
        config={"User": "NT AUTHORITY\\NETWORK SERVICE", "Hostname": "webapp01"},
        Name="/webapp",
    )
    raw = changed(NANO, host={"SecurityOpt": ["credentialspec=raw://***"]}, Name="/inline", Id="fe" * 32)
    return Machine(
        name="GMSA-19", domain="contoso.com", revision=8027, root_rights=CLOSED, root_file_rights=CLOSED_FILE, specs=specs, containers=[app, raw],
        images=[image(app, f"{SERVER_CORE}:ltsc2019", "10.0.17763.8027"), image(raw, f"{NANO_SERVER}:1809", "10.0.17763.8027", user="ContainerUser")],
        gmsa={
            "secure_channel": 0, "events": {"1": 4, "6": 1}, "failures": {"6": 1}, "plugins": ["{859E1386-BDB4-49E8-85C7-3070B13920E1}"], "registered": ["{859E1386-BDB4-49E8-85C7-3070B13920E1}"],
            "accounts": [{"source": "file", "spec": f"{folder}\\webapp01.json", "name": "webapp01", "usable": True, "error": None}, {"source": "file", "spec": f"{folder}\\musicstore.json", "name": "MusicStoreAcct", "usable": None, "error": problem}, {"source": "file", "spec": f"{folder}\\webapp01-ccg.json", "name": "webapp01", "usable": True, "error": None}, {"source": "registry", "spec": "WebApplication1", "name": "WebApplication1", "usable": False, "error": None}],
        },
    )  # fmt: skip


OPEN_CONFIG = b"""{
  "hosts": ["npipe:////./pipe/docker_engine", "npipe:////./pipe/build", "tcp://0.0.0.0:2375", "tcp://10.20.0.16:12375"],
  "group": "builders",
  "debug": true,
  "log-level": "debug",
  "insecure-registries": ["registry.example:5000"],
  "data-root": "D:\\\\docker",
  "icc": false,
  "no-hosts": true
}
"""


def server_2022_open() -> Machine:
    """A build server that was set up in a hurry: all that can be said wrongly in a file that can be read, and old images."""
    data = {
        "Type": "volume",
        "Name": "cache",
        "Driver": "corp/cache",
        "Source": "C:\\Windows\\Temp\\cache",
        "Destination": "C:\\cache",
        "Mode": "",
        "RW": True,
        "Propagation": "",
    }
    pipe = {
        "Type": "npipe",
        "Source": "\\\\.\\pipe\\build",
        "Destination": "\\\\.\\pipe\\docker_engine",
        "Mode": "",
        "RW": True,
        "Propagation": "",
    }
    short = {
        "Type": "bind",
        "Source": "C:\\PROGRA~3\\docker",
        "Destination": "C:\\d",
        "Mode": "",
        "RW": False,
        "Propagation": "",
    }
    devices = [
        {
            "PathOnHost": "class/5B45201D-F2F2-4F3B-85BB-30FF1F953599",
            "PathInContainer": "",
            "CgroupPermissions": "",
        }
    ]
    old = changed(
        NANO, host={"Isolation": "process", "Devices": devices, "Memory": 1073741824, "NanoCpus": 1000000000},
        config={"Image": f"{NANO_SERVER}:1809"}, Name="/old", Mounts=[data, pipe, short],
    )  # fmt: skip
    agent = changed(
        CORE, host={"Isolation": "hyperv", "Memory": 1073741824, "NanoCpus": 1000000000}, config={"Image": "corp.example/agent:7"},
        Name="/agent",
    )  # fmt: skip
    swarm = {
        "LocalNodeState": "active", "ControlAvailable": True, "Error": "", "NodeAddr": "10.20.0.16", "Nodes": 2, "Managers": 2,
        "Cluster": {"Spec": {"CAConfig": {"NodeCertExpiry": 31536000000000000}, "EncryptionConfig": {"AutoLockManagers": False}}, "RootRotationInProgress": False, "TLSInfo": {"TrustRoot": (SAMPLES / "made_ca.pem").read_text()}},
    }  # fmt: skip
    open_folder = "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1301bf;;;AU)"
    return Machine(
        name="BUILD-22", build=20348, revision=2402, product="Windows Server 2022 Standard", release="21H2", edition="ServerStandard",
        domain="contoso.com", engine_version="23.0.6", api="1.42", platform="Docker Engine - Community", config=OPEN_CONFIG, data_root="D:\\docker",
        program="C:\\Docker Engine\\dockerd.exe", quoted=False, signature=3, root_rights=CLOSED, root_file_rights=CLOSED_FILE, drive="D:", bitlocker=0,
        data_volume={"file_system": "ReFS", "free": 21984863846},
        rights={"executable": "O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1301bf;;;AU)", "executable-folder": open_folder},
        groups={"builders": ["S-1-5-11"]},
        pipes=(("\\\\.\\pipe\\docker_engine", PIPE), ("\\\\.\\pipe\\build", PIPE + "(A;;FA;;;WD)")),
        listeners=(("0.0.0.0", 2375, 2340), ("10.20.0.16", 12375, 2340), ("::", 135, 880), ("::", 5986, 4)),  # noqa: S104  what Windows shows
        rules=(rule("build-api", ["12375"]), rule("no-remote-desktop", ["3389"], action=4)),
        containers=[old, agent],
        images=[
            image(old, f"{NANO_SERVER}:1809", "10.0.17763.8027", user="ContainerUser", size=250_000_000),
            image(agent, "corp.example/agent:7", "10.0.18363.1556", created="2021-06-08T18:00:00Z"),
        ],
        history={
            old["Image"]: [step("Apply image 1809")],
            agent["Image"]: [
                step("powershell -Command choco install -y git"),
                step("powershell -Command Install-WindowsFeature Web-Server -IncludeAllSubFeature"),
                step("Apply image 1909"),
            ],
        },
        specs=[("file", "D:\\docker\\CredentialSpecs\\agent", "{}")],
        gmsa={"secure_channel": 1311, "accounts": [{"source": "file", "spec": "D:\\docker\\CredentialSpecs\\agent", "name": "", "usable": None, "error": "Test-ADServiceAccount is not installed"}]},
        info={"Swarm": swarm, "OSVersion": "10.0.20348", "SystemTime": "2026-11-20T09:00:00Z"},
    )  # fmt: skip


HOSTS: dict[str, Callable[[], Machine]] = {
    "server-2019-default": server_2019_default,
    "server-2022-kept": server_2022_kept,
    "server-2022-open": server_2022_open,
    "server-2016-neglected": server_2016_neglected,
    "desktop": desktop,
    "server-2019-gmsa": server_2019_gmsa,
}


def main() -> None:
    """Write them all."""
    for name, make in HOSTS.items():
        (FOLDER / f"{name}.bundle").write_bytes(dump(name, bundle(make())))


if __name__ == "__main__":
    main()
