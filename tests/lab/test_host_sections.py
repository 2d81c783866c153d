"""What the collector tells of the host and its files, from real files, groups and access lists."""

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from auditor.collect.bundle import Bundle
from auditor.facts.access import Access
from auditor.facts.access_lists import AccessLists
from auditor.facts.daemon_paths import DaemonPaths
from auditor.facts.files import Files
from auditor.facts.releases import Build
from auditor.facts.storage import Storage
from auditor.policy import Policy
from checks.files.beyond import engine_file_granted_by_access_list, engine_file_replaceable_by_others
from checks.files.engine import modes, owners
from checks.host.access import engine_commanded_by_others
from checks.host.storage import layers_on_a_system_volume
from tests.lab.engine import PROGRAMS, Engine, engine
from tests.lab.need import need_root
from tests.lab.test_collector import SHELLS, collect_from

pytestmark = pytest.mark.lab
BY_ID = {each.id: each for each in (*owners, *modes)}


@dataclass
class Loose:
    """An engine whose files are wrong in one way each."""

    engine: Engine
    bundle: Bundle

    def findings(self, name: str) -> dict[str, str]:
        files, paths = Files.parse(self.bundle), DaemonPaths.parse(self.bundle)
        return {it.subject: it.observed for it in BY_ID[name](files, paths)}


def grant(path: Path, uid: int) -> None:
    """Give a user read and write by an access list, as the kernel keeps it: needs no tool of the host's."""
    entries = [(1, 6, 2**32 - 1), (2, 6, uid), (4, 6, 2**32 - 1), (16, 6, 2**32 - 1), (32, 0, 2**32 - 1)]
    packed = b"".join(struct.pack("<HHI", *entry) for entry in entries)
    os.setxattr(path, "system.posix_acl_access", struct.pack("<I", 2) + packed)


@pytest.fixture(scope="module", params=["dash", "busybox"])
def loose(request: pytest.FixtureRequest) -> Iterator[Loose]:
    need_root([*PROGRAMS, request.param])
    with engine() as running:
        running.config_file.chmod(0o666)
        running.socket.chmod(0o666)
        os.chown(running.socket, 0, 7)
        yield Loose(running, collect_from(running, interpreter=SHELLS[request.param]))


def test_modes_and_owners_are_those_of_this_daemons_own_files(loose: Loose) -> None:
    assert loose.findings("daemon-config-mode") == {str(loose.engine.config_file): "0666"}
    assert loose.findings("daemon-config-owner") == {}
    assert loose.findings("engine-socket-mode") == {str(loose.engine.socket): "0666"}
    [(socket, owner)] = loose.findings("engine-socket-owner").items()
    assert socket == str(loose.engine.socket)
    assert owner.startswith("root:")


def test_a_folder_on_the_way_that_others_may_write_to_is_seen(loose: Loose) -> None:
    folder = loose.engine.config_file.parent
    folder.chmod(0o777)
    try:
        bundle = collect_from(loose.engine)
    finally:
        folder.chmod(0o700)
    found = engine_file_replaceable_by_others(Files.parse(bundle), DaemonPaths.parse(bundle))
    assert str(folder) in [it.subject for it in found]


def test_a_socket_for_everybody_is_told_as_one(loose: Loose) -> None:
    bundle = loose.bundle
    facts = Access.parse(bundle), Files.parse(bundle), DaemonPaths.parse(bundle), Policy()
    assert "everybody" in [it.subject for it in engine_commanded_by_others(*facts)]


def test_layers_lie_on_a_volume_that_is_known_though_the_daemon_mounts_the_folder_on_itself(
    loose: Loose,
) -> None:
    storage = Storage.parse(loose.bundle)
    [root] = storage.folders
    assert storage.volume_of(root).point != root
    list(layers_on_a_system_volume(storage))


def test_the_build_is_known_by_its_version(loose: Loose) -> None:
    assert Build.parse(loose.bundle).version_tuple >= (20, 10)


def test_an_access_list_that_the_mode_hides_is_seen() -> None:
    need_root(PROGRAMS)
    with engine() as running:
        running.socket.chmod(0o660)
        grant(running.socket, 1000)
        bundle = collect_from(running)
    lists = AccessLists.parse(bundle)
    found = engine_file_granted_by_access_list(Files.parse(bundle), DaemonPaths.parse(bundle), lists)
    assert str(running.socket) in [it.subject for it in found]
