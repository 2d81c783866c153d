"""
The recorded Windows hosts: ``python -m tests.lab.windows_fleet`` writes tests/recordings/windows/*.bundle anew.

No Windows machine was at hand. Each host is put together from what real ones printed (tests/recordings/windows/SOURCES.md
tells which parts those are) in the shapes that windows.ps1 prints.
"""

import base64
import copy
import json
import re
from collections.abc import Mapping
from typing import Any

from auditor.collect.bundle import Bundle, Section, Status
from auditor.collect.windows_history import reduce_windows_instruction
from tests.lab.windows_machine import AUDIT, INHERITED_FILE, PROGRAM_FILES, ROOT, Machine, sample


def bundle(machine: Machine) -> Bundle:
    """The bundle of such a host."""
    sections = {
        "host": Section(_host(machine).encode()),
        "windows-host": _json(_windows_host(machine)),
        "engine-version": _json(_version(machine)),
        "engine-info": _json(_info(machine)),
        "daemon": Section(_daemon(machine).encode()),
        "daemon-config": _daemon_config(machine),
        "windows-daemon-config": _daemon_bytes(machine),
        "windows-service": _json(_service(machine)),
        "containers": Section(_containers(machine).encode()),
        "images": Section(_lines(map(_image, machine.images)).encode()),
        "windows-image-history": Section(_history(machine).encode()),
        "networks": Section(_lines(_networks()).encode()),
        "windows-listeners": _json({"engine": [machine.pid], "listeners": [dict(zip(("address", "port", "pid"), each, strict=True)) for each in machine.listeners]}),
        "windows-acl": _json(_rights(machine)),
        "windows-pipes": _json([{"path": path, "configured": path.removeprefix("\\\\.\\pipe\\") in _own_pipes(machine), "sddl": sddl, "error": None} for path, sddl in machine.pipes]),
        "windows-groups": _json(_groups(machine)),
        "windows-volumes": _json(_volumes(machine)),
        "windows-firewall": _json(_firewall(machine)),
        "credential-specs": _json([{"source": source, "name": name, "base64": _b64(text.encode()), "error": None} for source, name, text in machine.specs]),
        "windows-gmsa": _json({"in_domain": machine.domain != "WORKGROUP", "domain": machine.domain, "secure_channel": None, "events": {}, "failures": {}, "events_error": None, "plugins": [], "registered": [], "accounts": [], **machine.gmsa}),
        "certificates": Section(machine.certificates.encode()),
        "keys": Section(machine.keys.encode()),
        "windows-certificates": _json({"leftovers": [_right("leftover", path, INHERITED_FILE, size=1704) for path in machine.leftovers], "store": []}),
        "windows-clients": _json(machine.clients),
        "windows-audit": _json({"culture": "en-US", "text": _audit(machine)}),
        "windows-eventlog": _json({"enabled": True, "max_bytes": 134217728 if machine.audited else 20971520, "mode": 0}),
        "windows-winrm": _json({"unencrypted": "false", "auth": _auth(), "listeners": [_listener("HTTP", 5985), _listener("HTTPS", 5986)], **machine.winrm}),
        "windows-features": _json({"source": "server" if machine.installation.startswith("Server") else "optional", "installed": list(machine.features)}),
    }  # fmt: skip
    return Bundle(sections)


def _host(machine: Machine) -> str:
    build = f"10.0.{machine.build}.{machine.revision}"
    pairs = {
        "kernel": build, "machine": "AMD64", "hostname": machine.name.upper()[:15], "date": "2026-11-20T09:00:00Z",
        "elevated": "True", "sid": "S-1-5-21-1004336348-1177238915-682003330-500", "powershell": f"5.1.{machine.build}.{machine.revision}",
        "bits": "64", "os.ID": "windows", "os.VERSION_ID": build, "os.PRETTY_NAME": f"{machine.product} {machine.release}",
    }  # fmt: skip
    return "".join(f"{name}={value}\n" for name, value in pairs.items())


def _windows_host(machine: Machine) -> dict[str, Any]:
    return {
        "build": machine.build, "revision": machine.revision, "edition": machine.edition, "installation": machine.installation,
        "product": machine.product, "release": machine.release, "release_id": "", "computer": machine.name.upper()[:15],
        "in_domain": machine.domain != "WORKGROUP", "domain": machine.domain, "system_drive": "C:", "culture": "en-US",
        "elevated": True, "reboot_pending": machine.reboot,
    }  # fmt: skip


def _version(machine: Machine) -> dict[str, Any]:
    server = copy.deepcopy(sample("version_docker-java_1.38_lcow.json"))
    server |= {
        "Version": machine.engine_version,
        "ApiVersion": machine.api,
        "Platform": {"Name": machine.platform},
    }
    server["KernelVersion"] = f"10.0 {machine.build}"
    server["Components"][0]["Version"] = machine.engine_version
    return {
        "Client": {"Version": machine.engine_version, "ApiVersion": machine.api, "Os": "windows"},
        "Server": server,
    }


def _info(machine: Machine) -> dict[str, Any]:
    info: dict[str, Any] = copy.deepcopy(sample("info_docker-java_1.38_lcow.json"))
    operating = f"{machine.product} Version {machine.release} (OS Build {machine.build}.{machine.revision})"
    info |= {
        "ServerVersion": machine.engine_version, "Name": machine.name, "OperatingSystem": operating, "Isolation": machine.isolation,
        "Driver": "windowsfilter", "DriverStatus": [["Windows", ""]], "DockerRootDir": machine.data_root, "Debug": False,
        "ExperimentalBuild": False, "KernelVersion": f"10.0 {machine.build}", "SecurityOptions": None, "OSVersion": f"10.0.{machine.build}",
        "Containers": len(machine.containers), "Images": len(machine.images), "SystemTime": "2026-11-20T09:00:00Z",
    }  # fmt: skip
    return info | machine.info


def _daemon(machine: Machine) -> str:
    words = [machine.program, *machine.flags]
    lines = [
        f"socket {machine.pipes[0][0]}", f"pid {machine.pid} service", f"exe {machine.program}", r"cwd C:\Windows\System32",
        "started 1763000000", f"unit {machine.service}", *(f"argument {word}" for word in words), "environment readable",
        *(f"variable {name}={value}" for name, value in machine.environment),
    ]  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def _daemon_config(machine: Machine) -> Section:
    if machine.config is None:
        return Section(f"{machine.config_file}\n".encode(), Status.ABSENT, machine.config_file)
    text = re.sub(r"\r?\n", " ", machine.config.decode("utf-8-sig"))
    return Section(f"{machine.config_file}\n{text}\n".encode())


def _daemon_bytes(machine: Machine) -> Section:
    if machine.config is None:
        return Section(status=Status.ABSENT, message=machine.config_file)
    has_mark = machine.config.startswith(b"\xef\xbb\xbf")
    return _json(
        {
            "path": machine.config_file,
            "encoding": "utf-8",
            "preamble": 3 * has_mark,
            "base64": _b64(machine.config),
        }
    )


def _service(machine: Machine) -> dict[str, Any]:
    program = f'"{machine.program}"' if machine.quoted else machine.program
    path = " ".join([program, *machine.flags])
    from_maker = 0 if machine.platform.startswith("Mirantis") else 2
    service = {
        "name": machine.service, "path": path, "start": "Auto", "state": "Running", "account": machine.account, "pid": machine.pid,
        "failure_actions": _b64(bytes.fromhex("80510100000000000000000003000000140000000100000098 3a0000 01000000983a00000000000000000000")),
        "key_sddl": machine.service_key, "service_sddl": machine.service_rights, "event_source": True,
    }  # fmt: skip
    executable = {
        "path": machine.program, "file_version": machine.engine_version, "product_version": machine.engine_version,
        "company": "Mirantis Inc." if machine.platform.startswith("Mirantis") else "", "signature": from_maker if machine.signature is None else machine.signature, "signer": None,
    }  # fmt: skip
    environment = [
        {"scope": "service", "name": name, "value": value, "userinfo": "://***@" in value}
        for name, value in machine.environment
    ]
    environment += [
        {"scope": "machine", "name": name, "value": None, "userinfo": False}
        for name in ("ComSpec", "Path", "windir")
    ]
    processes = [{"pid": machine.pid, "parent": 640, "path": machine.program}]
    return {
        "engine": machine.service,
        "services": [service],
        "processes": processes,
        "environment": environment,
        "executable": executable,
    }


def _containers(machine: Machine) -> str:
    shaped = [_container(raw) for raw in machine.containers]
    ids = [each["Id"] for each in shaped]
    return "".join(f"listed {it}\n" for it in ids) + _lines(shaped)


_HOST_CONFIG = {
    "DeviceRequests": None,
    "CgroupnsMode": "",
    "DeviceCgroupRules": None,
    "Ulimits": None,
    "PidsLimit": None,
    "NanoCpus": 0,
}


def _container(raw: Mapping[str, Any]) -> dict[str, Any]:
    """What the collector's template keeps of an inspection."""
    config, network = raw["Config"], raw["NetworkSettings"]
    labels = config.get("Labels") or {}
    return {
        **{name: raw.get(name) for name in ("Id", "Name", "Created", "Image", "Path")},
        "Sshd": [False],
        **{name: raw["State"].get(name) for name in ("Status", "Pid")},
        **{name: raw.get(name) for name in ("ExecIDs", "AppArmorProfile", "ProcessLabel", "Mounts")},
        "HostConfig": _HOST_CONFIG | raw["HostConfig"],
        "Platform": raw.get("Platform", "windows"),
        "Config": {
            **{
                name: config.get(name)
                for name in ("Image", "User", "Healthcheck", "ExposedPorts", "Hostname", "Labels")
            },
            "Env": _names_with_value(config.get("Env")),
            "Service": labels.get("com.docker.swarm.service.name", ""),
        },
        "NetworkSettings": {"Ports": network.get("Ports"), "Networks": network.get("Networks")},
    }


def _names_with_value(variables: list[str] | None) -> list[str]:
    pairs = (variable.partition("=") for variable in variables or ())
    trivial = ("", "true", "false", "yes", "no", "on", "off", "none", "0", "1")
    return [*(name for name, _, value in pairs if value.lower() not in trivial), ""]


def _image(raw: Mapping[str, Any]) -> dict[str, Any]:
    config = raw.get("Config") or {}
    return {
        **{
            name: raw.get(name)
            for name in ("Id", "RepoTags", "RepoDigests", "Created", "Os", "OsVersion", "Size")
        },
        "Layers": (raw.get("RootFS") or {}).get("Layers"),
        **{name: config.get(name) for name in ("User", "Healthcheck", "Labels", "Entrypoint")},
        "Env": _names_with_value(config.get("Env")),
    }


def _history(machine: Machine) -> str:
    told = "".join(f"listed {image}\n" for image in sorted(machine.history))
    return told + "".join(
        "".join(
            (
                f"image {image}\n",
                *(f"{reduce_windows_instruction(it['CreatedBy'])}\t{it['Size']}\n" for it in steps),
            )
        )
        for image, steps in sorted(machine.history.items())
    )


def _networks() -> list[dict[str, Any]]:
    nat = {
        "com.docker.network.windowsshim.hnsid": "5BDD0351-2A2B-4B45-8A8E-7A5B2C6D0F11",
        "com.docker.network.windowsshim.networkname": "nat",
    }
    common = {"Scope": "local", "Internal": False, "Ingress": False}
    return [
        {"Id": "0a" * 32, "Name": "nat", "Driver": "nat", "Options": nat, **common},
        {"Id": "0b" * 32, "Name": "none", "Driver": "null", "Options": {}, **common},
    ]


def _right(
    role: str,
    path: str,
    sddl: str | None,
    *,
    folder: bool = False,
    size: int | None = None,
    audit: str | None = None,
) -> dict[str, Any]:
    return {
        "role": role,
        "path": path,
        "exists": sddl is not None,
        "folder": folder,
        "size": size,
        "sddl": sddl,
        "audit": audit,
        "error": None,
    }


def _rights(machine: Machine) -> list[dict[str, Any]]:
    root, folder, file = machine.data_root, machine.root_rights, machine.root_file_rights
    config = file if machine.config is not None else None
    certs = rf"{ROOT}\certs.d"
    has_tls = bool(machine.keys)
    found: list[tuple[str, str, str | None, bool]] = [
        ("executable", machine.program, PROGRAM_FILES, False),
        ("executable-folder", machine.program.rpartition("\\")[0], PROGRAM_FILES, True),
        ("data-root", root, folder, True),
        ("config-folder", rf"{root}\config", folder, True),
        ("volumes-folder", rf"{root}\volumes", folder, True),
        ("containers-folder", rf"{root}\containers", folder, True),
        ("config-file", machine.config_file, config, False),
        ("config-file-folder", rf"{ROOT}\config", folder, True),
        ("tls-ca", rf"{certs}\ca.pem", file if has_tls else None, False),
        ("tls-cert", rf"{certs}\server-cert.pem", file if has_tls else None, False),
        ("tls-key", rf"{certs}\server-key.pem", file if has_tls else None, False),
        ("tls-folder", certs, folder if has_tls else None, True),
        ("program-data", ROOT, folder, True),
        ("registry-certs", certs, folder if has_tls else None, True),
        ("credential-specs", rf"{root}\CredentialSpecs", folder, True),
        *(("credential-spec", name, file, False) for source, name, _ in machine.specs if source == "file"),
        ("credential-spec-key", r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Virtualization\Containers\CredentialSpecs", None, False),
        ("service-key", rf"HKLM:\SYSTEM\CurrentControlSet\Services\{machine.service}", machine.service_key, True),
        ("desktop-version-bin", r"C:\ProgramData\DockerDesktop\version-bin", None, False),
    ]  # fmt: skip
    audited = {"executable", "config-file", "registry-certs", "credential-specs", "service-key"}
    return [
        _right(role, path, machine.rights.get(role, sddl), folder=is_folder, size=None if is_folder or sddl is None else 1024,
               audit=(sddl + AUDIT if machine.audited else sddl) if role in audited and sddl else None)
        for role, path, sddl, is_folder in found
    ]  # fmt: skip


def _groups(machine: Machine) -> list[dict[str, Any]]:
    domain = machine.name.upper()[:15]
    administrator = [
        {
            "sid": "S-1-5-21-1004336348-1177238915-682003330-500",
            "name": "Administrator",
            "class": "User",
            "domain": domain,
        }
    ]
    groups = [
        {
            "name": "Administrators",
            "configured": False,
            "sid": "S-1-5-32-544",
            "members": administrator,
            "error": None,
        }
    ]
    for number, (name, members) in enumerate(machine.groups.items()):
        sid = f"S-1-5-21-1004336348-1177238915-682003330-{1010 + number}"
        people = [
            {"sid": member, "name": f"person{index}", "class": "User", "domain": domain}
            for index, member in enumerate(members)
        ]
        groups.append(
            {"name": name, "configured": name != "docker-users", "sid": sid, "members": people, "error": None}
        )
    if "docker-users" not in machine.groups:
        problem = (
            "IdentityNotMappedException 0x80131500: Some or all identity references could not be translated."
        )
        groups.append(
            {"name": "docker-users", "configured": False, "sid": None, "members": None, "error": problem}
        )
    return groups


def _volumes(machine: Machine) -> dict[str, Any]:
    volumes = [
        {
            "drive": "C:",
            "file_system": "NTFS",
            "size": 136837066752,
            "free": 97710505984,
            "protection": machine.bitlocker,
        }
    ]
    if machine.drive != "C:":
        volumes.append(
            {
                "drive": machine.drive,
                "file_system": "NTFS",
                "size": 549621596160,
                "free": 412316860416,
                "protection": machine.bitlocker,
            }
            | machine.data_volume
        )
    problem = None if machine.bitlocker is not None else "CimException 0x80131500: Invalid namespace"
    return {
        "system_drive": "C:",
        "data_root": machine.data_root,
        "volumes": volumes,
        "bitlocker_error": problem,
        "bitlocker_code": None if problem is None else "InvalidNamespace",
    }


def rule(
    id_: str,
    ports: list[str],
    *,
    protocol: str = "TCP",
    profile: int = 0,
    remote: str = "Any",
    program: str = "Any",
    action: int = 2,
) -> dict[str, Any]:
    """An inbound rule of the firewall that is in force."""
    return {
        "id": id_,
        "action": action,
        "profile": profile,
        "protocol": protocol,
        "ports": ports,
        "remote": [remote],
        "local": ["Any"],
        "program": program,
        "package": "",
        "service": "Any",
        "interfaces": ["Any", "Any"],
    }


def _firewall(machine: Machine) -> dict[str, Any]:
    on = int(machine.firewall_on)
    profiles = [{"name": name, "enabled": on, "inbound": 4} for name in ("Domain", "Private", "Public")]
    usual = (
        rule("WINRM-HTTP-In-TCP", ["5985"], profile=3, program="System"),
        rule("WINRM-HTTPS-In-TCP", ["5986"]),
        rule("CoreNet-DHCP-In", ["68"], protocol="UDP"),
    )
    return {"profiles": profiles, "rules": [*usual, *machine.rules]}


def _audit(machine: Machine) -> str:
    said = "Success" if machine.audited else "No Auditing"
    rows = (("File System", "0CCE921D"), ("Registry", "0CCE921E"), ("Process Creation", "0CCE922B"))
    head = "Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting\r\n"
    return head + "".join(
        f"{machine.name.upper()[:15]},System,{name},{{{guid}-69AE-11D9-BED3-505054503030}},{said},\r\n"
        for name, guid in rows
    )


def _auth() -> dict[str, str]:
    return {
        "Basic": "false",
        "Kerberos": "true",
        "Negotiate": "true",
        "Certificate": "false",
        "CredSSP": "false",
        "CbtHardeningLevel": "Relaxed",
    }


def _listener(transport: str, port: int) -> dict[str, str]:
    thumbprint = "0A1B2C3D4E5F60718293A4B5C6D7E8F901234567" if transport == "HTTPS" else ""
    return {
        "Address": "*",
        "Transport": transport,
        "Port": str(port),
        "Hostname": "",
        "Enabled": "true",
        "URLPrefix": "wsman",
        "CertificateThumbprint": thumbprint,
    }


def _json(value: Any) -> Section:
    return Section(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")


def _own_pipes(machine: Machine) -> set[str]:
    """The pipes that flags and configuration name, and the usual one."""
    told = " ".join(machine.flags) + (machine.config or b"").decode()
    return {"docker_engine", *re.findall(r"npipe:////\./pipe/(\w+)", told)}


def _lines(values: Any) -> str:
    return "".join(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n" for value in values)


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def dump(name: str, recorded: Bundle) -> bytes:
    """The file form, with a nonce that is the same every time."""
    raw = recorded.dump()
    nonce = raw.split(b"\n", 1)[0].rpartition(b" ")[2]
    return raw.replace(nonce, (name.encode().hex() + "0" * 32)[:32].encode())
