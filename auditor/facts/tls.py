"""
How the daemon uses TLS, by its configuration.

The rules were measured on 20.10.24 and v29 and read in the source for older ones:

* ``tlsverify`` turns TLS on whenever somebody sets it, even to false.
* ``tls`` alone lets any client in up to 19.03, and verifies clients since 20.10.
* TLS turned on in the configuration file only: flags for the certificates' paths are dropped, and without
  ``tlscacert`` in the file the CAs of the operating system may sign clients.
* ``DOCKER_TLS_VERIFY`` in the daemon's environment turns TLS on up to 19.03 and does nothing since.
"""

from typing import ClassVar, Self

import msgspec

from auditor.collect.bundle import Bundle
from auditor.facts.daemon import DaemonConfig, Setting
from auditor.facts.engine import Engine
from auditor.facts.paths import join
from auditor.gaps import Gap

_PATHS = {"tlscacert": "ca.pem", "tlscert": "cert.pem", "tlskey": "key.pem"}
_VERIFIES_BY_ITSELF = (20, 10)
_LOCAL_SYSTEM = r"C:\Windows\System32\config\systemprofile"


class Idle(msgspec.Struct, frozen=True):
    """A TLS setting that does nothing: its name, value, where it was set, and why it does nothing."""

    name: str
    value: str
    source: str
    why: str


class DaemonTls(msgspec.Struct, frozen=True):
    """
    The daemon's TLS mode and files (absolute paths; empty when unset).

    ``verifies_clients`` is None when that depends on the engine's version, which is not known. An empty ``ca``
    while clients are verified means: the operating system's CAs. ``source`` says what decided the mode.
    """

    SECTIONS: ClassVar[tuple[str, ...]] = (*DaemonConfig.SECTIONS, "engine-version", "engine-info")

    enabled: bool = True
    verifies_clients: bool | None = True
    explicit: bool = True
    ca: str = "/etc/docker/tls/ca.pem"
    certificate: str = "/etc/docker/tls/server-cert.pem"
    key: str = "/etc/docker/tls/server-key.pem"
    source: str = "/etc/docker/daemon.json:/tlsverify"
    ca_source: str = "/etc/docker/daemon.json:/tlscacert"
    idle: tuple[Idle, ...] = ()
    uid: int = 0

    @classmethod
    def parse(cls, bundle: Bundle) -> Self:
        return cls.read(bundle.fact(DaemonConfig), _version(bundle))

    @classmethod
    def read(cls, config: DaemonConfig, version: tuple[int, ...]) -> Self:
        """The mode under a configuration; ``version`` is empty when it is not known."""
        tls, verify = _switch(config, "tls"), _switch(config, "tlsverify")
        variable = (config.environment or {}).get("DOCKER_TLS_VERIFY", "")
        obeyed = bool(variable) and bool(version) and version < _VERIFIES_BY_ITSELF
        if obeyed and not verify:
            verify = Setting(value=True, source="DOCKER_TLS_VERIFY in the daemon's environment")
        deciding = verify or tls
        enabled = bool(verify or (tls and tls.value))
        by_flag = any(
            setting and not setting.source.startswith(config.config_path) for setting in (tls, verify)
        )
        # With TLS off the files that somebody meant to use are still worth looking at.
        paths = {key: _path(config, key, by_flag=by_flag or not enabled) for key in _PATHS}
        return cls(
            enabled=enabled,
            verifies_clients=_verifies(verify, version) if enabled else False,
            explicit=bool(verify),
            ca=paths["tlscacert"].value,
            certificate=paths["tlscert"].value,
            key=paths["tlskey"].value,
            source=deciding.source if deciding else "dockerd's default",
            ca_source=paths["tlscacert"].source,
            idle=tuple(_idle(config, enabled=enabled, by_flag=by_flag, variable="" if obeyed else variable)),
            uid=config.uid,
        )


def _version(bundle: Bundle) -> tuple[int, ...]:
    try:
        return bundle.fact(Engine).version_tuple
    except Gap:
        return ()


def _switch(config: DaemonConfig, key: str) -> Setting | None:
    setting = config.settings.get(key)
    return setting if setting and setting.value is not None else None


def _verifies(verify: Setting | None, version: tuple[int, ...]) -> bool | None:
    if verify:
        return bool(verify.value)
    return version >= _VERIFIES_BY_ITSELF if version else None


def _path(config: DaemonConfig, key: str, *, by_flag: bool) -> Setting:
    """The absolute path under ``key``, dockerd's default one, or an empty value."""
    setting = config.settings.get(key)
    if setting and (by_flag or not _is_flag(setting)):
        value = config.resolve(str(setting.value)) if setting.value else ""
        return Setting(value, setting.source)
    if not by_flag:
        return Setting("", "not set")
    environment = config.environment or {}
    # A service of Windows runs as LocalSystem, whose profile is there.
    home = _LOCAL_SYSTEM if config.on_windows else environment.get("HOME") or "/root"
    folder = environment.get("DOCKER_CERT_PATH") or environment.get("DOCKER_CONFIG") or join(home, ".docker")
    return Setting(join(config.resolve(folder), _PATHS[key]), "dockerd's default")


def _is_flag(setting: Setting) -> bool:
    return setting.source.startswith("flag ")


def _idle(config: DaemonConfig, *, enabled: bool, by_flag: bool, variable: str) -> list[Idle]:
    found = []
    if variable:
        why = "dockerd does not read it"
        found.append(Idle("DOCKER_TLS_VERIFY", variable, "environment of the daemon", why))
    for key in _PATHS:
        setting = config.settings.get(key)
        if setting and setting.value and not enabled:
            found.append(Idle(key, str(setting.value), setting.source, "neither tls nor tlsverify is set"))
        elif setting and setting.value and not by_flag and _is_flag(setting):
            why = f"TLS is turned on in {config.config_path}, so dockerd takes the paths from there only"
            found.append(Idle(key, str(setting.value), setting.source, why))
    return found
