"""What a recorded Windows host is made of: what differs from host to host, and the rights that Windows gives."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.collect.bundle import Section, Status

FOLDER = Path(__file__).parents[1] / "recordings" / "windows"
SAMPLES = FOLDER / "samples"
ROOT = r"C:\ProgramData\docker"
ABSENT = Section(
    status=Status.ABSENT, message="no service and no process runs dockerd, and there is no pipe docker_engine"
)

# What a folder below C:\ProgramData gets when somebody makes it before dockerd does, and a file in it.
INHERITED = "O:BAG:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)(A;CIID;DCLCRPCR;;;BU)"
INHERITED_FILE = "O:BAG:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)"
CLOSED = "O:BAG:SYD:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)"
CLOSED_FILE = "O:BAG:SYD:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)"
PROGRAM_FILES = "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464G:SYD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;0x1200a9;;;BU)(A;ID;0x1200a9;;;AC)"
SERVICE_KEY = "O:BAG:SYD:AI(A;CIID;KR;;;BU)(A;CIID;KA;;;BA)(A;CIID;KA;;;SY)(A;CIIOID;KA;;;CO)(A;CIID;KR;;;AC)"
SERVICE = "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)"
PIPE = "O:BAG:SYD:P(A;;FA;;;BA)(A;;FA;;;SY)"
AUDIT = "S:PAI(AU;OICISAFA;DCLCRPDTSDWDWO;;;WD)"


def sample(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text())


@dataclass
class Machine:
    """What differs from host to host. Defaults are those of a fresh Server 2019 with Mirantis Container Runtime."""

    name: str = "Win-Svr2019-VM"
    build: int = 17763
    revision: int = 2803
    product: str = "Windows Server 2019 Datacenter"
    release: str = "1809"
    edition: str = "ServerDatacenter"
    installation: str = "Server"
    domain: str = "WORKGROUP"
    engine_version: str = "20.10.9"
    api: str = "1.41"
    platform: str = "Mirantis Container Runtime"
    program: str = r"C:\Program Files\Docker\dockerd.exe"
    flags: tuple[str, ...] = ("--run-service",)
    quoted: bool = True
    signature: int | None = None
    service: str = "docker"
    account: str = "LocalSystem"
    config: bytes | None = None
    data_root: str = ROOT
    environment: tuple[tuple[str, str], ...] = ()
    service_key: str = SERVICE_KEY
    service_rights: str = SERVICE
    pipes: tuple[tuple[str, str], ...] = (
        (r"\\.\pipe\docker_engine", PIPE),
        (r"\\.\pipe\containerd-containerd", PIPE),
    )
    rights: dict[str, str] = field(default_factory=dict)
    root_rights: str = INHERITED
    root_file_rights: str = INHERITED_FILE
    audited: bool = False
    groups: dict[str, list[str]] = field(default_factory=dict)
    listeners: tuple[tuple[str, int, int], ...] = (
        ("::", 135, 880),
        ("::", 5985, 4),
        ("::", 5986, 4),
    )
    features: tuple[str, ...] = (
        "FileAndStorage-Services",
        "Storage-Services",
        "NET-Framework-45-Core",
        "Containers",
        "Windows-Defender",
        "PowerShell",
        "FS-SMB1",
    )
    firewall_on: bool = True
    rules: tuple[dict[str, Any], ...] = ()
    containers: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    specs: list[tuple[str, str, str]] = field(default_factory=list)
    gmsa: dict[str, Any] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    clients: list[dict[str, Any]] = field(default_factory=list)
    keys: str = ""
    certificates: str = ""
    drive: str = "C:"
    data_volume: dict[str, Any] = field(default_factory=dict)
    bitlocker: int | None = None
    winrm: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    isolation: str = "process"
    reboot: bool = False

    @property
    def config_file(self) -> str:
        return rf"{ROOT}\config\daemon.json"

    @property
    def pid(self) -> int:
        return 2340
