"""The Linux collector against real engines, under the shells that hosts have, and against hosts that do not play along."""

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auditor.collect.bundle import Bundle, Status, load
from auditor.host import Host
from auditor.transports.base import Deadline
from auditor.transports.docker_api import DockerApi
from tests.lab.certificates import Authority
from tests.lab.engine import PROGRAMS, Engine, engine
from tests.lab.fake_engine import LISTS, fake_engine
from tests.lab.need import need, need_root
from tests.lab.volume_plugin import volume_plugin

pytestmark = pytest.mark.lab
SCRIPT = Path(__file__).parents[2] / "auditor/collect/linux.sh"
NONCE = "0123456789abcdef0123456789abcdef"
SHELLS = {
    "dash": ["dash"],
    "busybox": ["busybox", "sh"],
    "bash": ["bash", "--posix"],
}


def collect(*arguments: str, interpreter: Sequence[str] = ("sh",), **environment: str) -> bytes:
    """What the collector prints; it must end well and say nothing on standard error."""
    done = subprocess.run(
        [*interpreter, str(SCRIPT), *arguments],
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def collect_from(running: Engine, *arguments: str, interpreter: Sequence[str] = ("sh",)) -> Bundle:
    return load(collect("-s", str(running.socket), *arguments, interpreter=interpreter))


def containers(bundle: Bundle) -> dict[str, dict[str, object]]:
    lines = bundle.text("containers").splitlines()
    return {each["Name"]: each for each in (json.loads(line) for line in lines if line.startswith("{"))}


@pytest.fixture
def clean_engine(lab_engine: Engine) -> Iterator[Engine]:
    """The shared engine without containers, before and after."""
    yield lab_engine
    if made := lab_engine.docker("ps", "--all", "--quiet").split():
        lab_engine.docker("rm", "--force", *made)


# ---- shells and arguments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_brings_the_same_sections_with_the_same_statuses(
    clean_engine: Engine, shell: str
) -> None:
    need(SHELLS[shell][0])
    clean_engine.run("ordinary")
    bundle = collect_from(clean_engine, interpreter=SHELLS[shell])
    assert bundle.complete
    statuses = {name: section.status for name, section in bundle.sections.items()}
    expected = {name: section.status for name, section in collect_from(clean_engine).sections.items()}
    assert statuses == expected
    assert set(statuses.values()) <= {Status.OK, Status.ABSENT}
    assert set(containers(bundle)) == {"/ordinary"}


def test_busyboxs_own_applets_are_tools_enough(clean_engine: Engine, tmp_path: Path) -> None:
    tools = only_busybox(tmp_path / "bin")
    (tools / "docker").symlink_to(shutil.which("docker") or "")
    clean_engine.run("ordinary")
    bundle = load(collect("-s", str(clean_engine.socket), interpreter=[str(tools / "sh")], PATH=str(tools)))
    assert set(containers(bundle)) == {"/ordinary"}
    assert "no docker client" not in str(bundle.sections)
    statuses = {name: section.status for name, section in bundle.sections.items()}
    assert set(statuses.values()) <= {Status.OK, Status.ABSENT}
    assert bundle.text("processes") != ""


def only_busybox(folder: Path) -> Path:
    """A folder of links to busybox, one for each of its applets: a PATH without any other program."""
    need("busybox")
    busybox = Path(shutil.which("busybox") or "").resolve()
    folder.mkdir(parents=True)
    shutil.copy(busybox, folder / "busybox")
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split()
    for applet in applets:
        if applet != "busybox":
            (folder / applet).symlink_to("busybox")
    return folder


def test_by_hand_without_options_it_asks_the_engine_of_docker_host(clean_engine: Engine) -> None:
    by_hand = load(collect(DOCKER_HOST=f"unix://{clean_engine.socket}"))
    assert by_hand.complete
    assert f"socket {clean_engine.socket}" in by_hand.text("daemon")


def test_two_runs_by_hand_are_framed_by_different_words(clean_engine: Engine) -> None:
    first, second = (collect("-s", str(clean_engine.socket), "host").splitlines()[0] for _ in range(2))
    assert re.fullmatch(rb"docker-host-auditor bundle 1 [0-9a-f]{32}", first)
    assert first != second


def test_a_gzipped_reply_is_the_same_bundle(clean_engine: Engine) -> None:
    zipped = collect("-z", "-s", str(clean_engine.socket), "engine-version")
    assert zipped.startswith(b"\x1f\x8b")
    assert load(zipped) == collect_from(clean_engine, "engine-version")


def test_only_the_sections_that_were_asked_for_come_back(clean_engine: Engine) -> None:
    assert set(collect_from(clean_engine, "networks", "host").sections) == {"networks", "host"}


def test_a_section_that_does_not_exist_fails_alone(clean_engine: Engine) -> None:
    bundle = collect_from(clean_engine, "nonsense", "host")
    assert bundle.section("nonsense").status not in {Status.OK, Status.ABSENT}
    assert bundle.section("host").status == Status.OK


# ---- engines and hosts that do not play along ----------------------------------------------------------------------

OF_THE_ENGINE = ("engine-version", "engine-info", "containers", "images", "networks")


def test_an_engine_that_hangs_costs_its_own_sections_and_no_other() -> None:
    need_root(PROGRAMS)
    with engine() as running, running.hanging():
        bundle = collect_from(running, "-t", "2")
    for name in OF_THE_ENGINE:
        assert bundle.section(name).status == Status.TIMEOUT
        assert bundle.section(name).data == b""
    assert f"argument --host=unix://{running.socket}" in bundle.text("daemon").splitlines()
    for name in ("host", "files", "processes", "listeners"):
        assert bundle.section(name).status == Status.OK


def test_an_engine_that_falls_silent_has_told_what_it_told(tmp_path: Path) -> None:
    need("docker")
    with fake_engine(tmp_path / "docker.sock", {"/version": LISTS["/version"]}):
        bundle = load(collect("-t", "2", "-s", str(tmp_path / "docker.sock"), *OF_THE_ENGINE, "volumes"))
    assert json.loads(bundle.text("engine-version"))["Server"]["Version"] == "29.0.0"
    for name in {*OF_THE_ENGINE, "volumes"} - {"engine-version"}:
        assert bundle.section(name).status == Status.TIMEOUT, name
        assert "did not answer" in bundle.section(name).message


@pytest.mark.parametrize("shell", ["dash", "busybox"])
def test_an_engine_that_never_tells_of_a_container_is_left_in_time(tmp_path: Path, shell: str) -> None:
    path = tmp_path / "docker.sock"
    environment, interpreter = {}, SHELLS[shell]
    if shell == "busybox":
        tools = only_busybox(tmp_path / "bin")
        (tools / "docker").symlink_to(shutil.which("docker") or "")
        environment, interpreter = {"PATH": str(tools)}, [str(tools / "sh")]
    with fake_engine(path, LISTS) as asked:
        started = time.monotonic()
        said = collect(
            "-t", "2", "-s", str(path), "containers", "networks", interpreter=interpreter, **environment
        )
        seconds = time.monotonic() - started
        left = subprocess.run(["pgrep", "-f", str(path)], capture_output=True, text=True, check=False).stdout
    bundle = load(said)
    assert f"/containers/{'1a' * 32}/json" in asked
    assert bundle.text("containers").split() == ["listed", "1a" * 32]  # which is a gap
    assert bundle.section("networks").status == Status.OK
    assert (left, seconds < 30) == ("", True)


def test_an_engine_that_hangs_up_after_each_answer_is_asked_again(tmp_path: Path) -> None:
    need("docker")
    path = tmp_path / "docker.sock"
    sections = ("engine-version", "engine-info", "networks", "volumes", "swarm")
    with fake_engine(path, LISTS, hangs_up=True):
        bundle = load(collect("-t", "5", "-s", str(path), *sections))
    assert {name: bundle.section(name).why for name in sections} == dict.fromkeys(sections, "")


def test_a_client_that_cannot_carry_a_conversation_is_said_to_be_too_old(
    clean_engine: Engine, tmp_path: Path
) -> None:
    old = tmp_path / "docker"
    old.write_text("#!/bin/sh\necho 'Usage: docker COMMAND'\n")
    old.chmod(0o755)
    bundle = load(
        collect("-s", str(clean_engine.socket), "networks", PATH=f"{tmp_path}:{os.environ['PATH']}")
    )
    assert bundle.section("networks").status not in {Status.OK, Status.ABSENT}
    assert "docker system dial-stdio, which clients have since 18.09" in bundle.section("networks").why


def test_a_socket_that_nobody_listens_on_is_no_absent_engine(tmp_path: Path) -> None:
    need("docker")
    path = tmp_path / "docker.sock"
    with socket.socket(socket.AF_UNIX) as abandoned:
        abandoned.bind(str(path))
    bundle = load(collect("-s", str(path), *OF_THE_ENGINE))
    for name in OF_THE_ENGINE:
        assert bundle.section(name).status not in {Status.OK, Status.ABSENT, Status.DENIED}
        assert "does not answer" in bundle.section(name).why


def test_a_host_without_the_docker_client_says_that_this_is_what_is_missing(
    clean_engine: Engine, tmp_path: Path
) -> None:
    tools = only_busybox(tmp_path / "bin")
    bundle = load(collect("-s", str(clean_engine.socket), interpreter=[str(tools / "sh")], PATH=str(tools)))
    for name in OF_THE_ENGINE:
        assert bundle.section(name).status not in {Status.OK, Status.ABSENT}
        assert "no docker client" in bundle.section(name).why
    assert bundle.section("daemon").status == Status.OK
    assert bundle.section("files").status == Status.OK


def test_a_machine_without_any_docker_has_none(tmp_path: Path) -> None:
    need_root(["unshare", "busybox"])
    root = tmp_path / "root"
    only_busybox(root / "bin")
    for folder in ("proc", "dev"):
        (root / folder).mkdir()
    (root / "linux.sh").write_bytes(SCRIPT.read_bytes())
    inside = f"mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev && exec chroot {root} /bin/sh /linux.sh -n {NONCE}"
    done = subprocess.run(
        ["unshare", "--mount", "--pid", "--fork", "sh", "-c", inside],
        env={"PATH": f"{os.environ['PATH']}:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    bundle = load(done.stdout)
    for name in (*OF_THE_ENGINE, "daemon", "daemon-config", "systemd", "listeners"):
        assert bundle.section(name).status == Status.ABSENT, name
    assert bundle.section("host").status == Status.OK


# ---- what must never leave the host --------------------------------------------------------------------------------


def test_no_value_of_a_containers_environment_leaves_the_host(clean_engine: Engine) -> None:
    secrets = {
        "TOKEN": "value-one",
        "lower": "value-two",
        "LINES": "value\nthree",
        "EQUALS": "value=four",
        "QUOTE": '"value-five',
    }
    options = [word for name, value in secrets.items() for word in ("--env", f"{name}={value}")]
    clean_engine.create("secretive", *options, "--label", "owner=value-six", command=["sleep", "value-seven"])
    raw = collect("-s", str(clean_engine.socket))
    for value in ("value-one", "value-two", "three", "four", "value-five", "value-six", "value-seven"):
        assert value.encode() not in raw
    config = containers(load(raw))["/secretive"]["Config"]
    assert isinstance(config, dict)
    assert set(secrets) <= set(config["Env"])


DAEMON_JSON = """{
  "log-driver": "json-file",
  "log-opts": {"splunk-token": "lab-secret-1", "SPLUNK-TOKEN": "lab-secret-2", "splunk-url": "https://user:lab-secret-3@logs.example"},
  "proxies": {"http-proxy": "http://user:lab-secret-4@proxy.example:3128", "https-proxy": "http://user:lab@secret-5@proxy.example"},
  "x-password":
      "lab-secret-6",
  "registry-secret" : "lab\\"secret-7",
  "labels": ["apikey=open"]
}"""


def test_no_option_or_label_of_a_volume_or_network_leaves_the_host_whatever_a_plugin_calls_it() -> None:
    need_root(PROGRAMS)
    secret = "hunter2hunter2"
    with volume_plugin("lab-named", "/srv"), engine() as running:
        options = [f"--opt=o=username=u,password={secret}", f"--opt=key={secret}", f"--label=l={secret}"]
        running.docker(
            "volume", "create", *options[:1], "--opt=type=tmpfs", "--opt=device=tmpfs", options[2], "plain"
        )
        for name in ("--format={{.|json}}", "--help", "two words", "*", 'a"b', "-"):
            running.docker("volume", "create", "--driver=lab-named", *options[1:], "--", name)
        running.docker("network", "create", f"--label=l={secret}", f"--opt=com.x.password={secret}", "named")
        bundle = collect_from(running, "volumes", "networks")
        running.docker("network", "rm", "named")
    assert secret.encode() not in bundle.dump()
    lines = [line for line in bundle.text("volumes").split("\n") if line.startswith("{")]
    told = {volume["Name"]: volume["Mountpoint"] for volume in map(json.loads, lines)}
    assert bundle.section("volumes").status == Status.OK
    assert told.pop("plain").endswith("/volumes/plain/_data")
    assert told == dict.fromkeys(("--format={{.|json}}", "--help", "two words", "*", "-"), "/srv") | {
        'a"b': ""
    }


@pytest.mark.parametrize("proxy", ["bob:hunter2@127.0.0.1:3128", "http://bob:hun/ter2@127.0.0.1:3128"])
def test_a_proxys_password_is_blanked_with_and_without_a_scheme(
    monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    need_root(PROGRAMS)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy)
    with engine() as running:
        bundle = collect_from(running, "engine-info", "daemon")
        over_api = DockerApi().collect(
            Host("e", "docker", path=running.socket), ["engine-info"], Deadline(60)
        )
    for told in (bundle, over_api):
        assert b"ter2" not in told.dump()
        assert "***@127.0.0.1:3128" in told.text("engine-info")
    assert "variable HTTP_PROXY=***@127.0.0.1:3128" in bundle.text("daemon").split("\n")


def test_passwords_in_daemon_json_are_blanked_and_the_rest_stays_json(tmp_path: Path) -> None:
    """The daemon need not like the file: one that does not start is audited too."""
    need_root(PROGRAMS)
    with engine() as running:
        running.config_file.write_text(DAEMON_JSON)
        raw = collect("-s", str(running.socket))
    assert b"secret-" not in raw
    path, _, content = load(raw).text("daemon-config").partition("\n")
    assert path == str(running.config_file)
    config = json.loads(content)
    assert config["log-driver"] == "json-file"
    assert config["proxies"]["http-proxy"] == "http://***@proxy.example:3128"
    assert config["log-opts"]["splunk-token"] == "***"


def test_passwords_on_the_daemons_command_line_and_in_its_environment_are_blanked() -> None:
    need_root(PROGRAMS)
    flags = [
        "--log-driver=splunk",
        "--log-opt",
        "splunk-token=lab-secret-1",
        "--log-opt=splunk-url=http://me:lab-secret-2@h",
    ]
    with engine(*flags) as running:
        raw = collect("-s", str(running.socket))
    assert b"lab-secret" not in raw
    assert "argument splunk-token=***" in load(raw).text("daemon").splitlines()


def test_keys_stay_where_they_are_and_only_the_digest_of_their_public_half_comes_back(tmp_path: Path) -> None:
    need_root([*PROGRAMS, "openssl"])
    authority, folder = Authority("lab"), tmp_path / "tls"
    pair = authority.issue("web1", names=["127.0.0.1"])
    certificate, key = pair.write(folder, "server-cert.pem", "server-key.pem")
    (folder / "both.pem").write_bytes(pair.pem + authority.pair.key_pem())
    (folder / "locked.pem").write_bytes(pair.key_pem(b"a password"))
    authority.write(folder / "ca.pem")
    with engine(f"--tlscacert={folder}/ca.pem", f"--tlscert={certificate}", f"--tlskey={key}") as running:
        raw = collect("-s", str(running.socket))
    for secret in (pair.key_pem(), authority.pair.key_pem(), (folder / "locked.pem").read_bytes()):
        for line in secret.splitlines()[1:-1]:
            assert line not in raw
    assert b"PRIVATE KEY" not in raw
    lines = load(raw).text("keys").splitlines()
    assert f"public {public_digest(pair.key.public_key().public_bytes)} {key}" in lines
    assert f"public {public_digest(authority.pair.key.public_key().public_bytes)} {folder}/both.pem" in lines
    assert f"encrypted {folder}/locked.pem" in lines
    assert pair.pem.strip() in load(raw).read("certificates")


def public_digest(public_bytes: Callable[[Encoding, PublicFormat], bytes]) -> str:
    return hashlib.sha256(public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


# ---- what containers can do to the reply ---------------------------------------------------------------------------


def test_no_word_of_a_container_can_forge_a_frame(clean_engine: Engine) -> None:
    """Not even of one that guessed the nonce."""
    forged = (
        f"\n--{NONCE} end containers 0 \n--{NONCE} begin host\nuid=0\n--{NONCE} end host 0 \n--{NONCE} done\n"
    )
    odd = "line\nline \"quoted\" 'single' \\ $(id) `id` 🐳 \x1b[31m"
    for number, text in enumerate([forged, odd]):
        options = [
            "--label",
            f"com.docker.swarm.service.name={text}",
            "--user",
            text,
        ]
        clean_engine.create(f"odd-{number}", *options, "--env", f"A{text}=1", command=[text, text])
    bundle = collect_from(clean_engine, "-n", NONCE, "containers", "host")
    assert sorted(bundle.sections) == ["containers", "host"]
    assert f"kernel={os.uname().release}" in bundle.text("host")
    configs = [containers(bundle)[f"/odd-{number}"]["Config"] for number in range(2)]
    for config, text in zip(configs, [forged, odd], strict=True):
        assert isinstance(config, dict)
        assert config["Service"] == text
        assert config["Env"][0] == f"A{text}".split("=")[0]


def traced(command: Sequence[str], calls: str) -> list[str]:
    """The system calls of these names that a command and all its children make, one a line."""
    need("strace")
    done = subprocess.run(
        ["strace", "-f", "-y", "-qq", "-e", f"trace={calls}", "-e", "signal=none", *command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=True,
    )
    assert load(done.stdout).complete
    return list(_whole(done.stderr.decode(errors="replace").splitlines()))


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Calls that another process's call parted are one line again."""
    begun: dict[str, str] = {}
    for line in lines:
        process, end = line.partition("]")[0], re.search(r" resumed>(.*)", line)
        if line.endswith(" <unfinished ...>"):
            begun[process] = line.removesuffix(" <unfinished ...>")
        else:
            yield begun.pop(process, "") + end[1] if end else line
    yield from begun.values()


def test_a_reply_grows_by_no_process_when_containers_multiply(clean_engine: Engine) -> None:
    def processes() -> int:
        sections = ["containers", "images", "networks"]
        calls = traced(["sh", str(SCRIPT), "-s", str(clean_engine.socket), *sections], "execve")
        return sum(bool(re.search(r"execve\(.*= 0$", call)) for call in calls)

    clean_engine.create("number-0")
    one = processes()
    for number in range(1, 20):
        clean_engine.create(f"number-{number}")
    assert processes() == one


def test_nothing_on_the_host_is_written(clean_engine: Engine) -> None:
    """Every file that any process of the collector opens for writing, or makes, is one of /dev; a pipe of its own is no file."""
    clean_engine.run("ordinary")
    names = "open openat creat mkdir mkdirat unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat"
    names += " mknod mknodat chmod fchmodat chown fchownat lchown truncate"
    calls = traced(["sh", str(SCRIPT), "-s", str(clean_engine.socket)], names.replace(" ", ","))
    assert len(calls) > 100
    changing = [
        line
        for line in calls
        if not re.search(r"\) += -1 E|\?\?\?\(", line)  # ???( is a process that ended
        and ("open" not in line or re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)", line))
        and '"/dev/' not in line
        and not re.search(r"= \d+<pipe:\[\d+\]>$", line)
    ]
    assert changing == []
