"""Credential specs: named rightly, well-formed, without a password, usable, and used."""

import pytest
from msgspec.structs import replace

from auditor.facts.containers import Container, Containers
from auditor.facts.windows_builds import WindowsVersion
from auditor.facts.windows_host import WindowsHost
from auditor.facts.windows_specs import CredentialSpecs, Gmsa, Spec, Usable
from auditor.testing import Outcome, judge
from checks.windows.gmsa import (
    credential_spec_malformed,
    credential_spec_option_wrong,
    credential_spec_plugin_unknown,
    gmsa_identity_unused,
    gmsa_not_usable,
    password_in_credential_spec,
)

SPECS = CredentialSpecs((Spec(), Spec("registry", "WebApp")))
PLUGIN = "{859E1386-BDB4-49E8-85C7-3070B13920E1}"
WITH_PLUGIN = Spec(has_host_account=True, plugin=PLUGIN)


def given(
    *options: str, user: str = "NT AUTHORITY\\NETWORK SERVICE", hostname: str = "webapp01"
) -> Containers:
    container = Container("app", platform="windows", security_opt=options, user=user, hostname=hostname)
    return Containers((container,))


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("credentialspec=file://webapp01.json", ""),
        ("credentialspec=file://WebApp01.JSON", ""),
        ("credentialspec=registry://webapp", ""),
        ("credentialspec=config://swarm", ""),
        ("credentialspec=file://other.json", "there is no such spec"),
        ("credentialspec=file://app01.json", "there is no such spec"),
        ("credentialspec=file://", "there is no such spec"),
        ("credentialspec=registry://App", "there is no such spec"),
        ("credentialspec=registry://other", "there is no such spec"),
        ("credentialspec=file://C:\\webapp01.json", "a path out of the folder"),
        ("credentialspec=file://../webapp01.json", "a path out of the folder"),
        ("credentialspec=file:///webapp01.json", "a path out of the folder"),
        ('credentialspec=raw://{"a":"secret"}', "the spec itself stands in the option"),
        ("credentialspec:file://webapp01.json", "not a form that the engine reads"),
        ("credentialspec=webapp01.json", "not a form that the engine reads"),
        ("credentialspec=http://x", "not a form that the engine reads"),
    ],
)
def test_a_container_names_its_spec_in_a_form_that_the_engine_reads(option: str, problem: str) -> None:
    judged = judge(credential_spec_option_wrong, given(option), SPECS)
    assert judged.outcome is (Outcome.FAIL if problem else Outcome.PASS)
    assert all(problem in finding.observed for finding in judged.findings)
    assert "secret" not in str(judged)


def test_of_several_specs_the_last_counts_which_is_said() -> None:
    (finding,) = judge(
        credential_spec_option_wrong, given(*["credentialspec=file://webapp01.json"] * 2), SPECS
    ).findings
    assert "2 credential specs" in finding.observed


def test_without_a_spec_in_a_container_the_checks_of_containers_do_not_apply() -> None:
    none = given("other=x")
    assert judge(credential_spec_option_wrong, none, SPECS).outcome is Outcome.NOT_APPLICABLE
    assert judge(gmsa_identity_unused, none, SPECS, WindowsHost()).outcome is Outcome.NOT_APPLICABLE


def test_without_a_spec_on_the_host_the_checks_of_specs_do_not_apply() -> None:
    empty = CredentialSpecs()
    assert judge(credential_spec_malformed, empty).outcome is Outcome.NOT_APPLICABLE
    assert judge(password_in_credential_spec, empty).outcome is Outcome.NOT_APPLICABLE
    assert judge(credential_spec_plugin_unknown, empty, Gmsa()).outcome is Outcome.NOT_APPLICABLE
    assert judge(gmsa_not_usable, empty, Gmsa()).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("spec", "problem"),
    [
        (Spec(plugins=()), "CmsPlugins lacks ActiveDirectory"),
        (Spec(sid="S-1-5-18"), "Sid is no SID of a domain"),
        (Spec(guid="x"), "Guid is no GUID"),
        (
            Spec(account="webapp01$", accounts=(("webapp01$", "contoso.com"), ("webapp01$", "CONTOSO"))),
            "without $",
        ),
        (
            Spec(account="a" * 16, accounts=(("a" * 16, "contoso.com"), ("a" * 16, "contoso"))),
            "1 to 15 characters",
        ),
        (Spec(dns_tree_name=""), "DnsTreeName is missing"),
        (Spec(netbios_name=""), "NetBiosName is missing"),
        (Spec(accounts=()), "GroupManagedServiceAccounts is empty"),
        (Spec(accounts=(("webapp01", "contoso.com"),)), "with the scope CONTOSO"),
        (Spec(accounts=(("webapp01", "contoso.com"), ("other", "CONTOSO"))), "with the scope CONTOSO"),
        (Spec(problem="no JSON"), "no JSON"),
    ],
)
def test_a_spec_has_all_that_windows_asks(spec: Spec, problem: str) -> None:
    (finding,) = judge(credential_spec_malformed, CredentialSpecs((spec,))).findings
    assert problem in finding.observed


def test_a_good_spec_passes() -> None:
    assert judge(credential_spec_malformed, SPECS).outcome is Outcome.PASS
    assert judge(password_in_credential_spec, SPECS).outcome is Outcome.PASS


def test_a_password_is_found_by_where_it_stands_and_an_unread_spec_is_a_gap() -> None:
    (finding,) = judge(
        password_in_credential_spec, CredentialSpecs((Spec(inputs=("PluginInput",)),))
    ).findings
    assert finding.observed == "PluginInput holds a password"
    unread = CredentialSpecs((Spec(unread="denied"),))
    for check in (credential_spec_malformed, password_in_credential_spec):
        assert judge(check, unread) == (Outcome.ERROR, (), f"{Spec().name}: denied")
    for of_host in (credential_spec_plugin_unknown, gmsa_not_usable):
        assert judge(of_host, unread, Gmsa(in_domain=False)).outcome is Outcome.ERROR


def test_of_a_spec_that_is_no_json_only_that_is_known() -> None:
    broken = CredentialSpecs((Spec(problem="no JSON"),))
    assert judge(credential_spec_malformed, broken).outcome is Outcome.FAIL
    assert judge(password_in_credential_spec, broken).outcome is Outcome.ERROR
    for check in (credential_spec_plugin_unknown, gmsa_not_usable):
        assert judge(check, broken, Gmsa(in_domain=False)).outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("spec", "registered", "outcome"),
    [
        (WITH_PLUGIN, True, Outcome.PASS),
        (WITH_PLUGIN, False, Outcome.FAIL),
        (replace(WITH_PLUGIN, plugin="{GDMA0342-266A-4D1P-831J-20990E82944F}"), True, Outcome.FAIL),
        (replace(WITH_PLUGIN, plugin=""), True, Outcome.FAIL),
        (replace(WITH_PLUGIN, version="2"), True, Outcome.FAIL),
        (Spec(), True, Outcome.NOT_APPLICABLE),
    ],
)
def test_a_plugin_is_one_of_the_hosts(spec: Spec, *, registered: bool, outcome: Outcome) -> None:
    gmsa = Gmsa(registered=(PLUGIN.casefold().strip("{}"),) if registered else ())
    assert judge(credential_spec_plugin_unknown, CredentialSpecs((spec,)), gmsa).outcome is outcome


@pytest.mark.parametrize(
    ("gmsa", "outcome"),
    [
        (Gmsa(accounts=(Usable(Spec().name),)), Outcome.PASS),
        (Gmsa(accounts=(Usable(Spec().name, usable=False),)), Outcome.FAIL),
        (Gmsa(accounts=(Usable(Spec().name, None, "no second hop"),)), Outcome.ERROR),
        (Gmsa(), Outcome.ERROR),
        (Gmsa(in_domain=False), Outcome.FAIL),
    ],
)
def test_the_host_can_use_the_account_or_that_is_not_known(gmsa: Gmsa, outcome: Outcome) -> None:
    assert judge(gmsa_not_usable, CredentialSpecs((Spec(),)), gmsa).outcome is outcome


def test_with_a_plugin_the_hosts_own_account_does_not_matter_and_a_person_sees_whether_it_works() -> None:
    judged = judge(gmsa_not_usable, CredentialSpecs((WITH_PLUGIN,)), Gmsa(in_domain=False))
    assert judged.outcome is Outcome.MANUAL
    assert f"{WITH_PLUGIN.name}: does its plugin {PLUGIN} get" in judged.reason


def test_failures_that_windows_wrote_down_are_no_pass_and_stand_beside_what_is_not_known() -> None:
    usable, told = (Usable(Spec().name),), ("event 6 once",)
    good = judge(gmsa_not_usable, CredentialSpecs((Spec(),)), Gmsa(accounts=usable, failures=told))
    assert (good.outcome, "event 6 once" in good.reason) == (Outcome.MANUAL, True)
    untried = Gmsa(failures=told, channel="nltest ended with 1311")
    judged = judge(gmsa_not_usable, CredentialSpecs((Spec(),)), untried)
    assert judged.outcome is Outcome.ERROR
    assert judged.reason.endswith("not tried; nltest ended with 1311; event 6 once")


@pytest.mark.parametrize(
    ("user", "outcome"),
    [
        ("NT AUTHORITY\\SYSTEM", Outcome.PASS),
        ("Network Service", Outcome.PASS),
        ("ContainerUser", Outcome.FAIL),
        ("", Outcome.MANUAL),
        ("ContainerAdministrator", Outcome.MANUAL),
    ],
)
def test_a_container_runs_as_one_that_gets_the_identity(user: str, outcome: Outcome) -> None:
    containers = given("credentialspec=file://webapp01.json", user=user)
    assert judge(gmsa_identity_unused, containers, SPECS, WindowsHost()).outcome is outcome


def test_on_server_2016_a_container_is_called_as_the_account() -> None:
    host = WindowsHost(version=WindowsVersion(14393, 7000))
    named = given("credentialspec=file://webapp01.json", hostname="WEBAPP01")
    assert judge(gmsa_identity_unused, named, SPECS, host).outcome is Outcome.PASS
    other = given("credentialspec=file://webapp01.json", hostname="web")
    (finding,) = judge(gmsa_identity_unused, other, SPECS, host).findings
    assert finding.observed == "Config.Hostname = web, the account is webapp01"
    raw = given("credentialspec=raw://{}", hostname="web")
    assert judge(gmsa_identity_unused, raw, SPECS, host).outcome is Outcome.ERROR
    unread = CredentialSpecs((Spec(unread="denied"),))
    assert judge(gmsa_identity_unused, other, unread, host).outcome is Outcome.ERROR
