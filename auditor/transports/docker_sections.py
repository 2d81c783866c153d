"""The collector's sections that an engine can tell by itself: the same lines, asked for by GET."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from auditor.collect.history import reduce_instruction
from auditor.collect.windows_history import reduce_windows_instruction
from auditor.errors import BadReply
from auditor.transports.base import shortened
from auditor.transports.docker_connect import Engine, Refusal

_NOT_FOUND = 404
_HISTORIES = 1000
_PLAIN_VALUES = ("", "=", "=true", "=false", "=yes", "=no", "=on", "=off", "=none", "=0", "=1")

_BLANKED = (
    (r'("[^"]*(token|passw|secret|credential|access-?key)[^"]*"\s*:\s*")([^"\\]|\\.)*"', r'\1***"'),
    (r'((token|passw[a-z]*|secret|credential|access-?key)[a-z_-]*=)([^"\\,\s]|\\.)*', r"\1***"),
    (r'("https?Proxy"\s*:\s*")[^"]*@', r"\1***@"),
    (r'(://)[^/"\s]*@', r"\1***@"),
)


def _info(engine: Engine) -> Iterator[str]:
    yield line(engine.get("/info"))


def _containers(engine: Engine) -> Iterator[str]:
    listed = [container["Id"] for container in engine.get("/containers/json", all="1")]
    yield from (f"listed {_id(name)}" for name in listed)
    seen = set()
    for raw in _inspected(engine, "/containers/{}/json", listed):
        seen.add(raw["Id"])
        yield line(_container(raw))
    yield from (f"gone {_id(name)}" for name in listed if name not in seen)


def _images(engine: Engine) -> Iterator[str]:
    for raw in _inspected(engine, "/images/{}/json", _image_ids(engine)):
        config, layers = raw.get("Config") or {}, (raw.get("RootFS") or {}).get("Layers")
        of_windows = (
            {**_some(raw, "OsVersion"), **_some(config, "Entrypoint")} if raw.get("Os") == "windows" else {}
        )
        yield line(
            {
                **_some(raw, "Id", "RepoTags", "RepoDigests", "Created", "Os", "Size"),
                **of_windows,
                "Layers": layers,
                "User": config.get("User", "") if raw.get("Config") else None,
                "Healthcheck": config.get("Healthcheck"),
                "Env": _names_with_value(config.get("Env")),
            }
        )


def _histories(engine: Engine) -> Iterator[str]:
    """What was typed at a build stays out: of each step only what ``reduce_instruction`` leaves."""
    windows = engine.get("/version").get("Os") == "windows"
    reduce = reduce_windows_instruction if windows else reduce_instruction
    listed = _image_ids(engine)[:_HISTORIES]
    yield from (f"listed {name}" for name in listed)
    for name in listed:
        try:
            steps = engine.get(f"/images/{name}/history")
        except Refusal as refusal:
            yield f"refused {refusal.status} {name}"
        else:
            yield f"image {name}"
            yield from (reduce(step["CreatedBy"]) for step in steps)


def _image_ids(engine: Engine) -> list[str]:
    return sorted({_id(image["Id"]) for image in engine.get("/images/json")})


def _swarm(engine: Engine) -> Iterator[str]:
    info = engine.get("/info")
    swarm = info.get("Swarm") or {}
    state = str(swarm.get("LocalNodeState", ""))
    yield f"state {_word(state)}"
    if state == "inactive":
        return
    # The file with the node's addresses is the host's, not the engine's to tell.
    yield f"denied {shortened(str(info.get('DockerRootDir')))}/swarm/docker-state.json"
    if state == "active" and swarm.get("ControlAvailable"):
        yield "manager"
        yield from (f"service {line(_service(raw))}" for raw in engine.get("/services"))
        yield from (f"secret {line(raw['Spec']['Name'])}" for raw in engine.get("/secrets"))


def _service(raw: Any) -> dict[str, Any]:
    container = raw["Spec"]["TaskTemplate"].get("ContainerSpec") or {}
    restart = raw["Spec"]["TaskTemplate"].get("RestartPolicy") or {}
    secrets = [secret["SecretName"] for secret in container.get("Secrets") or ()]
    return {
        "Name": raw["Spec"]["Name"],
        "Env": _names_with_value(container.get("Env")),
        "Secrets": [*secrets, ""],
        "Restart": {
            "Condition": restart.get("Condition") or "any",
            "MaxAttempts": restart.get("MaxAttempts") or 0,
        },
        "Ports": (raw.get("Endpoint") or {}).get("Ports"),
    }


def _names_with_value(variables: Iterable[str] | None) -> list[str]:
    """The name of each NAME=VALUE whose value could be worth hiding, and an empty one, as the collector's template ends."""
    named = [(variable, variable.partition("=")[0]) for variable in variables or ()]
    plain = {(name + value).lower() for _, name in named for value in _PLAIN_VALUES}
    return [*(name for variable, name in named if variable.lower() not in plain), ""]


def _networks(engine: Engine) -> Iterator[str]:
    for raw in engine.get("/networks"):
        yield line(_some(raw, "Id", "Name", "Driver", "Scope", "Internal", "Ingress", "Options"))


def _volumes(engine: Engine) -> Iterator[str]:
    for listed in engine.get("/volumes").get("Volumes") or ():
        raw = listed if listed.get("Driver") == "local" else _of_a_plugin(engine, listed)
        options = raw.get("Options") or {}
        behind = {"Type": options.get("type", ""), "Device": options.get("device", "")}
        yield line({**_some(raw, "Name", "Driver", "Mountpoint"), **behind})


def _of_a_plugin(engine: Engine, listed: Any) -> Any:
    """Where a plugin has a volume is only told for sure when one asks for that volume."""
    try:
        return engine.get(f"/volumes/{quote(str(listed['Name']), safe='')}")
    except Refusal:
        return listed  # it went away, or the plugin does not answer


# What to ask for each section.
ASKED: Mapping[str, Callable[[Engine], Iterator[str]]] = {
    "engine-info": _info,
    "containers": _containers,
    "images": _images,
    "image-history": _histories,
    "swarm": _swarm,
    "networks": _networks,
    "volumes": _volumes,
}


def _inspected(engine: Engine, path: str, names: Iterable[str]) -> Iterator[Any]:
    """Each one's details; what has gone meanwhile is left out."""
    for name in names:
        try:
            yield engine.get(path.format(_id(name)))
        except Refusal as refusal:
            if refusal.status != _NOT_FOUND:
                raise


def _container(raw: Any) -> dict[str, Any]:
    """What the collector's template keeps: of the environment only names, of the arguments only whether one runs sshd."""
    config, network = raw.get("Config") or {}, raw.get("NetworkSettings") or {}
    state = raw.get("State") or {}
    words = [word for argument in raw.get("Args") or () for word in re.split("[ /]", argument)]
    return {
        **_some(raw, "Id", "Name", "Created", "Image", "Path"),
        "Sshd": [*(True for word in words if word == "sshd"), False],
        **_some(state, "Status", "Pid"),
        **_some(raw, "ExecIDs", "AppArmorProfile", "ProcessLabel", "Mounts", "HostConfig"),
        "Config": {
            **_some(config, "Image", "User", "Healthcheck", "ExposedPorts"),
            "Env": [variable.partition("=")[0] for variable in config.get("Env") or ()],
            "Service": (config.get("Labels") or {}).get("com.docker.swarm.service.name", ""),
        },
        "NetworkSettings": _some(network, "Ports", "Networks"),
    }


def _some(raw: Any, *names: str) -> dict[str, Any]:
    return {name: raw.get(name) for name in names}


def _id(name: Any) -> str:
    """An identifier that may stand in a path."""
    if not re.fullmatch(r"(sha256:)?[0-9a-f]{12,64}", str(name)):
        raise BadReply(f"the engine calls an object {shortened(str(name), 80)!r}")
    return str(name)


def _word(text: str) -> str:
    return re.sub(r"[^a-z]", "", text)


def line(value: Any) -> str:
    """JSON on one line, values of password-like keys blanked as the collector does."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for pattern, blanked in _BLANKED:
        text = re.sub(pattern, blanked, text, flags=re.IGNORECASE)
    return text
