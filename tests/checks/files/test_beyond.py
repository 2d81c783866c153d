"""Folders on the way to the engine's files, and access lists, judged."""

import pytest
from msgspec.structs import replace

from auditor.check import Inconclusive, NotApplicable
from auditor.facts.access_lists import AccessLists, Entry
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.files import File, Files
from checks.files.beyond import engine_file_granted_by_access_list, engine_file_replaceable_by_others

PATHS = DaemonPaths()
CONFIG = File(PATHS.config_file)
FOLDER = File("/etc/docker", mode=0o755, kind="folder")
SOCKET = File("/run/docker.sock", gid=999, mode=0o660, kind="socket")
KEY = File("/etc/docker/certs.d/hub/client.key")


@pytest.mark.parametrize(("mode", "uid", "gid"), [(0o757, 0, 0), (0o775, 0, 999), (0o755, 1000, 0)])
def test_a_folder_that_others_may_write_to_is_found(mode: int, uid: int, gid: int) -> None:
    folder = replace(FOLDER, mode=mode, uid=uid, gid=gid)
    [found] = engine_file_replaceable_by_others(Files.of(CONFIG, folder), PATHS)
    assert found.subject == "/etc/docker"


@pytest.mark.parametrize(("mode", "gid"), [(0o755, 0), (0o775, 0), (0o1777, 0)])
def test_a_folder_where_only_root_can_replace_files_passes(mode: int, gid: int) -> None:
    assert not list(
        engine_file_replaceable_by_others(Files.of(CONFIG, replace(FOLDER, mode=mode, gid=gid)), PATHS)
    )


def test_folders_on_the_way_to_what_a_link_leads_to_count() -> None:
    linked = replace(CONFIG, resolved="/srv/daemon.json")
    files = Files.of(linked, FOLDER, File("/srv", mode=0o777, kind="folder"))
    assert [it.subject for it in engine_file_replaceable_by_others(files, PATHS)] == ["/srv"]


def test_a_rootless_engines_user_may_own_the_folders() -> None:
    files = Files.of(CONFIG, replace(FOLDER, uid=1000))
    assert not list(engine_file_replaceable_by_others(files, replace(PATHS, uid=1000)))


@pytest.mark.parametrize(
    "files", [Files.of(), Files.of(CONFIG, denied=PATHS.sockets)], ids=["gone", "denied"]
)
def test_nothing_is_said_of_files_that_are_not_there_or_not_seen(files: Files) -> None:
    with pytest.raises(Inconclusive if files.denied else NotApplicable):
        list(engine_file_replaceable_by_others(files, PATHS))
    with pytest.raises(Inconclusive if files.denied else NotApplicable):
        list(engine_file_granted_by_access_list(files, PATHS, AccessLists()))


def granted(file: File, *entries: Entry) -> list[str]:
    lists = AccessLists({file.resolved: entries})
    return [it.observed for it in engine_file_granted_by_access_list(Files.of(file), PATHS, lists)]


def test_an_access_list_that_lets_somebody_write_is_found() -> None:
    assert granted(SOCKET, Entry("user 1000", "rw"), Entry("group 5", "w")) == ["user 1000: rw, group 5: w"]
    assert granted(SOCKET, Entry("an access list", "")) == ["an access list"]


def test_reading_counts_for_keys_only() -> None:
    assert not granted(CONFIG, Entry("user 1000", "r"))
    assert granted(KEY, Entry("user 1000", "r"))


def test_an_access_list_on_a_folder_above_is_found() -> None:
    lists = AccessLists({"/etc/docker": (Entry("user 1000", "wx"),)})
    [found] = engine_file_granted_by_access_list(Files.of(CONFIG, FOLDER), PATHS, lists)
    assert found.subject == "/etc/docker"


def test_without_a_tool_only_what_the_group_may_write_to_stays_open() -> None:
    """The mode shows the widest grant of a list as the group's, so a file closed to its group grants nothing."""
    assert not list(engine_file_granted_by_access_list(Files.of(CONFIG, FOLDER), PATHS, AccessLists(None)))
    with pytest.raises(Inconclusive, match=r"/run/docker\.sock: the host has no tool"):
        list(engine_file_granted_by_access_list(Files.of(CONFIG, SOCKET), PATHS, AccessLists(None)))
