"""Mounts of Windows containers, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive, Manual, NotApplicable
from auditor.facts.containers import Mount
from auditor.facts.engine import Engine
from auditor.facts.surroundings import Surroundings
from auditor.policy import Policy
from checks.windows.mounts import engine_pipe_mounted, sensitive_windows_mount
from tests.checks.runtime.judging import UNSEEN, WEB, answer, containers, observed
from tests.checks.windows.runtime_hosts import IIS

ENGINE = Engine(os_type="windows", data_root=r"D:\docker")
HERE = Surroundings()


def folders(source: str, *, rw: bool = False, policy: Policy | None = None) -> list[str]:
    mounted = replace(IIS, mounts=(Mount(source, "bind", r"C:\in", rw),), isolation="process")
    return observed(sensitive_windows_mount(containers(mounted), ENGINE, policy or Policy()))


def pipes(source: str, kind: str = "npipe", surroundings: Surroundings = HERE) -> list[str]:
    mounted = replace(IIS, mounts=(Mount(source, kind, r"\\.\pipe\x"),))
    return observed(engine_pipe_mounted(containers(mounted), surroundings, Policy()))


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("C:\\", r"has c:\windows in it"),
        ("c:/Windows/", r"is c:\windows"),
        (r"C:\Program Files", r"is c:\program files"),
        (r"C:\Users", r"is c:\users"),
        (r"C:\ProgramData", r"is c:\programdata"),
        (r"\\?\C:\ProgramData\Docker", r"is c:\programdata\docker"),
        (r"C:\ProgramData\docker\volumes", r"is in c:\programdata\docker"),
        (r"D:\Docker\containers\x", r"is in d:\docker"),
        ("D:\\", r"has d:\docker in it"),
        (r"C:\Windows\System32\config\SAM", r"is in c:\windows\system32\config"),
        (r"C:\Users\build", "is of a user's profile"),
        (r"C:\Users\build\.docker", "is of a user's profile"),
        (r"C:\Users\build\.ssh\id_rsa", "is of a user's profile"),
        (r"\\fileserver\C$\x", "is an administrative share"),
        (r"\\?\UNC\fileserver\admin$", "is an administrative share"),
        (r"\\.\PhysicalDrive0", "is a device or a raw disk"),
        (r"\\?\Volume{0b1c}", "is a device or a raw disk"),
    ],
)
def test_a_sensitive_folder_or_one_above_it_is_found_even_read_only(source: str, why: str) -> None:
    assert folders(source) == [rf"iis: Mounts = {source} (read-only) at C:\in: {why}"]


@pytest.mark.parametrize("source", [r"C:\Windows\Temp", r"C:\PROGRA~1\..\Program Files\x"])
def test_below_a_folder_of_programs_only_a_writable_one_is_found(source: str) -> None:
    assert not folders(source)
    assert len(folders(source, rw=True)) == 1


@pytest.mark.parametrize(
    "source",
    [r"D:\site", r"C:\inetpub", r"C:\ProgramData\shop", r"C:\Users\build\site", r"\\fileserver\site", r"\\.\pipe\x", r"C:\WindowsApps"],
)  # fmt: skip
def test_other_folders_are_not_sensitive(source: str) -> None:
    assert not folders(source, rw=True)


def test_hyper_v_isolation_opens_a_mount_as_the_system_and_rights_are_told() -> None:
    mounted = replace(IIS, mounts=(Mount("C:\\", "bind", r"C:\in", rw=True),))
    (finding,) = answer(sensitive_windows_mount(containers(mounted), ENGINE, Policy()))[0]
    assert "(read-write, as LocalSystem)" in finding.observed


def test_the_policy_allows_a_mount_however_it_is_written() -> None:
    assert not folders(r"C:\Windows", policy=Policy(allowed_mounts=("c:/windows/",)))


def told(source: str, kind: str, policy: Policy | None = None) -> tuple[int, str]:
    """How many findings there are of a writable mount, and what is not known."""
    mounted = replace(IIS, mounts=(Mount(source, kind, r"C:\in", rw=True),))
    found, gap = answer(sensitive_windows_mount(containers(mounted), ENGINE, policy or Policy()))
    return len(found), str(gap or "")


def test_a_volume_is_the_engines_own_or_as_good_as_a_mount_of_where_it_lies() -> None:
    assert told(r"D:\docker\volumes\x\_data", "volume") == (0, "")
    assert told(r"E:\plugin\x", "volume") == (0, "")
    assert told(r"C:\Windows\Temp\x", "volume")[0] == 1
    assert told(r"D:\docker\containers", "volume")[0] == 1
    assert r"iis: a volume at C:\in" in told("", "volume")[1]
    assert told(r"C:\Windows\Temp\x", "something new")[0] == 1
    assert told(r"C:\Windows\Temp\x", "tmpfs") == (0, "")


@pytest.mark.parametrize("kind", ["bind", "volume"])
@pytest.mark.parametrize("source", [r"C:\PROGRA~3\docker", r"D:\DOCKE~10", "//?/E:/BUILD~1.COR/x"])
def test_a_short_name_is_not_known(source: str, kind: str) -> None:
    found, gap = told(source, kind)
    assert not found
    assert source in gap
    assert told(source, kind, Policy(allowed_mounts=(source.lower(),))) == (0, "")
    assert told(source, "npipe") == (0, "")


def test_a_short_name_below_a_sensitive_folder_is_a_finding() -> None:
    assert told(r"C:\Windows\LONGNA~1", "bind")[0] == 1
    assert told(r"D:\a~b", "bind") == (0, "")


@pytest.mark.parametrize(
    "source", [r"\\.\pipe\docker_engine", "//./pipe/Docker_Engine", r"\\.\pipe\containerd-containerd", r"\\.\pipe\dockerDesktopLinuxEngine"]
)  # fmt: skip
@pytest.mark.parametrize("kind", ["npipe", "bind"])
def test_an_engines_pipe_is_found_however_it_is_mounted(source: str, kind: str) -> None:
    assert pipes(source, kind) == [rf"iis: Mounts = {source} at \\.\pipe\x"]


def test_a_pipe_of_another_name_is_the_engines_where_the_daemon_says_so() -> None:
    assert not pipes(r"\\.\pipe\mine")
    assert pipes(r"\\.\pipe\mine", surroundings=replace(HERE, sockets=(r"\\.\pipe\mine",)))


def test_where_the_daemons_pipes_are_unknown_a_person_looks() -> None:
    mounted = replace(IIS, mounts=(Mount(r"\\.\pipe\mine", "npipe"),))
    found, gap = answer(engine_pipe_mounted(containers(mounted), replace(HERE, configured=False), Policy()))
    assert not found
    assert isinstance(gap, Manual)
    assert r"iis: \\.\pipe\mine" in str(gap)


def test_the_policy_allows_a_pipe() -> None:
    mounted = replace(IIS, mounts=(Mount(r"\\.\pipe\docker_engine", "npipe"), Mount(r"D:\x")))
    policy = Policy(allowed_mounts=("//./pipe/docker_engine",))
    assert answer(engine_pipe_mounted(containers(mounted), HERE, policy)) == ([], None)


def test_containers_that_are_not_there_or_not_read_or_of_linux() -> None:
    for said in (
        engine_pipe_mounted(UNSEEN, HERE, Policy()),
        sensitive_windows_mount(UNSEEN, ENGINE, Policy()),
    ):
        assert isinstance(answer(said)[1], Inconclusive)
    for said in (
        engine_pipe_mounted(containers(WEB), HERE, Policy()),
        sensitive_windows_mount(containers(WEB), ENGINE, Policy()),
    ):
        assert isinstance(answer(said)[1], NotApplicable)
