"""The workflow on a hosted Windows machine, as far as it can be tried without one: its inventory and its commands are run here."""

import datetime as dt
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.collect import windows_complete
from tests.lab.certificates import CLIENT, SERVER, Pair
from tests.lab.wsman.login import PASSWORD, credentials
from tests.transports.windows_world import Files, windows

ROOT = Path(__file__).parents[2]
JOB = yaml.safe_load((ROOT / ".github/workflows/windows.yml").read_text())["jobs"]["audit"]
# What Python does not have on Windows.
AS_ON_WINDOWS = """
import os, signal, socket, sys
from pathlib import Path
for name in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[name] = None
for module, names in {
    os: "O_CLOEXEC O_DIRECTORY O_NOFOLLOW chown fchmod fchown geteuid getgid getpgid getuid killpg setsid uname",
    signal: "SIGALRM SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1",
    socket: "AF_UNIX",
}.items():
    for name in names.split():
        delattr(module, name)
kept = {method: getattr(Path, method) for method in ("replace", "unlink")}
def refuse_open_files(method):
    def refusing(self, *arguments, **named):
        if any(os.path.realpath(link) == str(self) for link in Path("/proc/self/fd").iterdir()):
            raise PermissionError(13, "it is being used by another process", str(self))
        return kept[method](self, *arguments, **named)
    return refusing
for method in kept:
    setattr(Path, method, refuse_open_files(method))
from auditor.cli import main
main()
"""


def runs() -> list[str]:
    return [step["run"] for step in JOB["steps"] if "run" in step]


def inventory() -> str:
    """The lines that a step writes as windows.yaml."""
    (listed,) = [
        match for text in runs() for match in re.findall(r"\$inventory = @\((.*?)\n *\)", text, re.DOTALL)
    ]
    return "\n".join(re.findall(r"'(.*)'", listed)) + "\n"


def own_certificate() -> Pair:
    """One as New-SelfSignedCertificate makes it: signed by itself, and said to be neither an authority nor none."""
    key, name = (
        rsa.generate_private_key(65537, 2048),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(365)
    )
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    builder = builder.add_extension(names, critical=False)
    builder = builder.add_extension(x509.ExtendedKeyUsage([CLIENT, SERVER]), critical=False)
    return Pair(builder.sign(key, hashes.SHA256()), key)


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_its_commands_collect_by_its_inventory_where_python_is_that_of_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NTLM_USER_FILE", str(credentials(tmp_path)))
    shown = own_certificate().write(tmp_path, "host.pem", "host-key.pem")
    files = Files(shown[0], shown, shown)
    (words,) = [match for text in runs() for match in re.findall(r"(?m)^auditor (collect .*)$", text)]
    with windows(files, way="ntlm", name="server-2022-kept") as world:
        port = f"    port: {world.host.port}\n"
        (tmp_path / "windows.yaml").write_text(inventory() + port)
        done = subprocess.run(
            [sys.executable, "-c", AS_ON_WINDOWS, *words.split()],
            cwd=tmp_path,
            env={"AUDITOR_PASSWORD": PASSWORD, "PYTHONPATH": str(ROOT), **JOB["env"]},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert windows_complete.main(tmp_path / "bundles") == 0


def test_every_file_that_it_names_is_there() -> None:
    for path in re.findall(r"(?:tests|auditor)[\\/][\w\\/.]+\.(?:py|ps1)", "\n".join(runs())):
        assert (ROOT / path.replace("\\", "/")).is_file(), path
