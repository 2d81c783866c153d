"""Owner and mode of the daemon's TLS files."""

import pytest
from msgspec.structs import replace

from auditor.check import Check, Finding, Inconclusive, NotApplicable
from auditor.facts.files import File, Files
from auditor.facts.tls import DaemonTls
from checks.files.tls import modes, owners, tls_folder_writable_by_others

TLS = DaemonTls()
PATHS = (TLS.ca, TLS.certificate, TLS.key)
GOOD = Files.of(*(File(path, mode=0o400) for path in PATHS), File("/etc", mode=0o755, kind="folder"))
ALL = [*owners, *modes]


def one(path: str, mode: int = 0o400, uid: int = 0, gid: int = 0) -> Files:
    return Files.of(File(path, mode=mode, uid=uid, gid=gid, owner="UNKNOWN", group="UNKNOWN"))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_roots_own_strict_files_pass(rule: Check[...]) -> None:
    assert not list(rule(GOOD, TLS))


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.id)
def test_what_is_not_there_or_not_seen_is_told_apart(rule: Check[...]) -> None:
    with pytest.raises(NotApplicable, match="not set"):
        list(rule(GOOD, replace(TLS, ca="", certificate="", key="")))
    with pytest.raises(NotApplicable, match="TLS is off"):
        list(rule(Files.of(absent=PATHS), replace(TLS, enabled=False)))
    with pytest.raises(Inconclusive, match="there is no"):
        list(rule(Files.of(absent=PATHS), TLS))
    with pytest.raises(Inconclusive, match="permission denied"):
        list(rule(Files.of(denied=PATHS), TLS))


@pytest.mark.parametrize("rule_and_path", list(zip(modes, PATHS, strict=True)), ids=lambda pair: pair[0].id)
@pytest.mark.parametrize("mode", [0o644, 0o600, 0o4400, 0o401])
def test_a_bit_too_many_is_found(rule_and_path: tuple[Check[...], str], mode: int) -> None:
    rule, path = rule_and_path
    [found] = rule(one(path, mode), TLS)
    assert found.observed == f"{mode:04o}"


def test_the_ca_may_be_read_by_all_and_the_key_by_its_owner_only() -> None:
    ca, certificate, key = modes
    assert not list(ca(one(TLS.ca, 0o444), TLS))
    assert not list(certificate(one(TLS.certificate, 0o440), TLS))
    assert list(key(one(TLS.key, 0o440), TLS))


@pytest.mark.parametrize(("uid", "gid"), [(1000, 0), (0, 999)])
def test_another_owner_or_group_is_found_by_number(uid: int, gid: int) -> None:
    [found] = owners[2](one(TLS.key, uid=uid, gid=gid), TLS)
    assert found.observed == f"{uid}:{gid}"


def test_a_rootless_engine_owns_its_files() -> None:
    rootless = replace(TLS, uid=1000)
    assert not list(owners[2](one(TLS.key, uid=1000, gid=1000), rootless))
    assert not list(owners[2](one(TLS.key), rootless))
    assert list(owners[2](one(TLS.key, uid=1001), rootless))


def folder(mode: int, uid: int = 0, gid: int = 0) -> Files:
    return Files.of(File(TLS.key), File("/etc/docker", mode=mode, uid=uid, gid=gid, kind="folder"))


@pytest.mark.parametrize(("mode", "uid", "gid"), [(0o757, 0, 0), (0o775, 0, 999), (0o755, 1000, 0)])
def test_a_folder_that_others_may_write_to_is_found(mode: int, uid: int, gid: int) -> None:
    [found] = tls_folder_writable_by_others(folder(mode, uid, gid), TLS)
    assert found.subject == "/etc/docker"


@pytest.mark.parametrize(("mode", "gid"), [(0o755, 0), (0o775, 0), (0o1777, 0)])
def test_a_folder_where_only_root_can_replace_files_passes(mode: int, gid: int) -> None:
    assert not list(tls_folder_writable_by_others(folder(mode, gid=gid), TLS))


def test_folders_are_not_judged_without_files() -> None:
    with pytest.raises(NotApplicable):
        list(tls_folder_writable_by_others(Files.of(absent=PATHS), TLS))
    with pytest.raises(Inconclusive):
        list(tls_folder_writable_by_others(Files.of(denied=PATHS), TLS))


def test_folders_of_a_file_that_may_not_be_looked_at_are_no_pass() -> None:
    folder_seen = File("/etc/docker", mode=0o777, kind="folder")
    some = Files.of(File(TLS.ca), denied=(TLS.key,))
    with pytest.raises(Inconclusive, match=TLS.key):
        list(tls_folder_writable_by_others(some, TLS))
    found: list[Finding] = []
    with pytest.raises(Inconclusive):
        found.extend(
            tls_folder_writable_by_others(Files.of(File(TLS.ca), folder_seen, denied=(TLS.key,)), TLS)
        )
    assert [finding.subject for finding in found] == ["/etc/docker"]
