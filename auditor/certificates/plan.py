"""What an installation would change on a host: computed from what the host said, shown before anything happens."""

import base64
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import resources
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from auditor.certificates.bundles import Parts
from auditor.certificates.daemonfiles import (
    DROP_IN,
    LINUX_FOLDER,
    drop_in,
    listeners,
    merge,
    plain_listeners,
    read_config,
    start_command,
    tls_keys,
    without_flags,
)
from auditor.certificates.ledger import Certificate
from auditor.certificates.session import Answer, Session
from auditor.errors import AuditorError, BadFile, HostError

_TOLD = {
    "unit", "argv", "path", "config", "drop-in", "version", "validate", "containers", "live-restore", "service", "image", "root",
}  # fmt: skip
"""All that the step ``inspect`` tells; other lines are what a login script prints."""
_VALIDATES = 23  # dockerd learnt --validate then


@dataclass(frozen=True)
class Found:
    """
    What a host says of its daemon. ``config`` and ``drop_in`` are None where there is no such file.

    ``unit`` is systemd's text; on Windows the service's command line, and ``service`` its name, ``root`` our folder.
    """

    unit: str
    arguments: tuple[str, ...]
    path: str
    config: str | None
    drop_in: str | None
    version: str = ""
    validates: bool = False
    containers: int = 0
    live_restore: bool = False
    service: str = ""
    root: str = LINUX_FOLDER

    @property
    def last(self) -> str:
        """The file on the host that says how the last installation ended."""
        return f"{self.root}\\last" if self.service else f"{self.root}/last"


@dataclass(frozen=True)
class Plan:
    """
    What would change. ``folder`` is where the new certificates go; ``new_drop_in`` is empty when none is needed.

    ``nothing``: the host has just this already.
    """

    found: Found
    folder: str
    new_config: str
    new_drop_in: str
    certificate: Certificate
    pieces: Parts
    cautions: tuple[str, ...] = ()
    nothing: bool = False

    @property
    def old_config(self) -> str:
        return self.found.config or ""

    def text(self) -> Iterator[str]:
        """What would change, line by line; never a key."""
        if self.nothing:
            yield "nothing to change: the host has this certificate and trusts these authorities"
            return
        yield from map(_printable, self._changes())

    def _changes(self) -> Iterator[str]:
        for name, mode in (("ca.pem", "0444"), ("server-cert.pem", "0444"), ("server-key.pem", "0400")):
            if self.found.service:
                yield f"new  for SYSTEM and Administrators only  {self.folder}\\{name}"
            else:
                yield f"new  {mode} root {self.folder}/{name}"
        yield from _diff(self.found.path, self.found.config, self.new_config)
        if self.new_drop_in:
            yield from _diff(DROP_IN, self.found.drop_in, self.new_drop_in)
        yield f"then: {f'Restart-Service {self.found.service}' if self.found.service else 'systemctl restart docker'}"

    def words(self, seconds: int) -> list[str]:
        """What the step ``install`` is told besides; after ``seconds`` unconfirmed the host puts itself back."""
        validate = "yes" if self.found.validates else "no"
        return [self.folder, self.found.path, self.found.service or DROP_IN, str(seconds), validate]

    def data(self) -> bytes:
        """What the step ``install`` reads; with it the script by which the host can put itself back."""
        rescue = "install.ps1" if self.found.service else "rollback.sh"
        files = [
            ("ca.pem", "444", self.pieces.trust),
            ("server-cert.pem", "444", self.pieces.certificate),
            ("server-key.pem", "400", self.pieces.key),
            ("daemon.json", "600", self.new_config.encode()),
            (rescue, "600", resources.files("auditor.certificates").joinpath(rescue).read_bytes()),
        ]
        if self.new_drop_in:
            files.append(("drop-in", "600", self.new_drop_in.encode()))
        if self.found.config is not None:
            files.append(("before", "600", self.found.config.encode()))
        lines = [f"{name} {mode} {base64.b64encode(content).decode()}\n" for name, mode, content in files]
        return "".join([*lines, "end\n"]).encode()


def look(session: Session, name: str) -> Found:
    """
    Ask a host.

    Raises:
        HostError: it does not tell.
    """
    answer = session.run("inspect", [DROP_IN])
    words = answer.words
    if answer.status or not words.keys() >= {"end", "path"} or not words.keys() & {"unit", "service"}:
        raise HostError(
            f"{name} cannot be looked at ({_first(answer)}): log in as root, with sudo that asks no password, or as an administrator of Windows"
        )
    read = {word: _decoded(name, words[word]) for word in _TOLD & words.keys()}
    text = {word: value.decode("utf-8", "replace") for word, value in read.items()}
    config = _utf8(text["path"], read["config"]) if "config" in read else None
    if "service" in text:
        return _found_on_windows(text, config)
    return Found(
        unit=text["unit"],
        arguments=tuple(text.get("argv", "").rstrip("\0").split("\0")),
        path=text["path"],
        config=config,
        drop_in=text.get("drop-in"),
        version=text.get("version", "").strip(),
        validates="validate" in text,
        containers=len(text.get("containers", "").split()),
        live_restore=text.get("live-restore", "").strip() == "true",
    )


def _found_on_windows(text: dict[str, str], config: str | None) -> Found:
    version = text.get("version", "")
    major = version.partition(".")[0]
    return Found(
        unit=text["image"],
        arguments=(),
        path=text["path"],
        config=config,
        drop_in=None,
        version=version,
        validates=major.isdigit() and int(major) >= _VALIDATES,
        service=text["service"],
        root=text["root"],
    )


def _first(answer: Answer) -> str:
    said = (answer.complaint or answer.said).decode("utf-8", "replace").strip()
    return said.splitlines()[-1] if said else f"status {answer.status}"


def _decoded(name: str, value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:
        raise HostError(
            f"{name} answered what makes no sense: see that its login scripts print nothing"
        ) from None


def _utf8(path: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise BadFile(path, "is not UTF-8 text: mend it first, nothing was changed") from None


def make_plan(found: Found, certificate: Certificate, pieces: Parts, listen: str) -> Plan:
    """
    Compute what must change so that the daemon serves a certificate on ``listen`` and takes our clients alone.

    Raises:
        AuditorError: the host is not of a kind that we change, or its configuration cannot be used as it is.
    """
    if found.service:
        return _plan_on_windows(found, certificate, pieces, listen)
    command = start_command(found.unit)
    if not command:
        raise AuditorError(
            "the host has no docker.service of systemd that says how dockerd starts: "
            "'auditor certs bundle --for daemon-linux' writes files and steps to do it by hand"
        )
    flags = without_flags(command)[1]
    # Our drop-in of an earlier time repeats what the unit said then; a new package of Docker may say something else.
    below = start_command(found.unit.replace(found.drop_in or "\0", ""))
    bare, _ = without_flags(below or command)
    _refuse_hidden_flags(found.arguments, command)
    content = read_config(found.path, found.config or "")
    hosts = listeners(content.get("hosts", []), flags, listen)
    needed = bare != " ".join(command.split()) or found.drop_in
    new_drop_in = drop_in(bare) if needed else ""
    settled = new_drop_in == (found.drop_in or "")
    folder, new_config = _configured(found, content, hosts, certificate, pieces, settled=settled)
    cautions = tuple(_cautions(found, hosts))
    nothing = settled and new_config == found.config
    return Plan(found, folder, new_config, new_drop_in, certificate, pieces, cautions, nothing)


def _configured(
    found: Found,
    content: dict[str, Any],
    hosts: Sequence[str],
    certificate: Certificate,
    pieces: Parts,
    *,
    settled: bool = True,
) -> tuple[str, str]:
    """
    The folder for the certificates, and daemon.json with it.

    The folder that the daemon has stays only where nothing at all changes (``settled``: besides daemon.json nothing does):
    what is in use must be there when everything is put back. A new one's name follows from what is there, so that a dry
    run names it too.
    """
    separator, path = ("\\", PureWindowsPath) if found.service else ("/", PurePosixPath)
    stem = f"{found.root}{separator}auditor-{certificate.serial[:8]}-{sha256(pieces.trust).hexdigest()[:8]}"
    present = str(path(str(content.get("tlscert", ""))).parent)
    before = sha256(f"{found.config}\0{found.drop_in}".encode()).hexdigest()[:6]
    for folder in (present, f"{stem}-{before}"):
        config = merge(found.config or "", content, tls_keys(folder, hosts, separator))
        if settled and folder.startswith(f"{stem}-") and config == found.config:
            break
    return folder, config


def _plan_on_windows(found: Found, certificate: Certificate, pieces: Parts, listen: str) -> Plan:
    """There are no drop-ins on Windows: a service whose own command line says listeners or TLS is left alone."""
    bare, _ = without_flags(found.unit)
    if bare != " ".join(found.unit.split()):
        raise AuditorError(
            f"the service {found.service} starts dockerd with flags for listeners or TLS, and dockerd takes no setting from both: as an "
            f"administrator there, run sc.exe config {found.service} binPath= '{bare}', and add those listeners to hosts in {found.path}"
        )
    content = read_config(found.path, found.config or "")
    hosts = listeners(content.get("hosts", []) or ["npipe://"], [], listen)
    folder, new_config = _configured(found, content, hosts, certificate, pieces)
    cautions = (
        "restarting the daemon stops its running containers: Windows has no live-restore",
        f"the proof comes from here: Windows' firewall must let TCP port {listen.rpartition(':')[2]} in (New-NetFirewallRule)",
        *(
            f"{host} speaks TLS from then on too: clients without certificates are cut off there"
            for host in plain_listeners(hosts)
        ),
    )
    return Plan(found, folder, new_config, "", certificate, pieces, cautions, new_config == found.config)


def _refuse_hidden_flags(arguments: Sequence[str], command: str) -> None:
    """Flags that dockerd has from an environment file would conflict, and are not ours to take away."""
    visible, running = without_flags(command), without_flags(" ".join(arguments))
    given = [
        word
        for word in arguments
        if word.partition("=")[0] in ("--tls", "--tlsverify", "--tlscacert", "--tlscert", "--tlskey")
    ]
    hidden = [
        *(host for host in running[1] if host not in visible[1]),
        *(word for word in given if word.partition("=")[0] not in command),
    ]
    if hidden:
        raise AuditorError(
            f"dockerd is started with {', '.join(hidden)}, which does not stand in its unit but comes from an environment file "
            "(/etc/default/docker or /etc/sysconfig/docker): take it away there first; daemon.json will say it"
        )


def _cautions(found: Found, hosts: Sequence[str]) -> Iterator[str]:
    if found.containers and not found.live_restore:
        yield f"restarting the daemon stops its {found.containers} running containers: set live-restore to keep them"
    for host in plain_listeners(hosts):
        yield f"{host} speaks TLS from then on too: clients without certificates are cut off there"


def _printable(line: str) -> str:
    """What a host's files hold shall not steer the terminal that it is shown on."""
    return "".join(sign if sign.isprintable() or sign == "\t" else "?" for sign in line)


def _diff(path: str, old: str | None, new: str) -> Iterator[str]:
    before = (old or "").splitlines()
    after = new.splitlines()
    yield from difflib.unified_diff(
        before, after, path if old is not None else "/dev/null", path, lineterm=""
    )
