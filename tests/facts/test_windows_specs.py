"""Credential specs and what a host can do with them, from what the collector prints; samples are of Microsoft, Docker and Amazon."""

import base64
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.collect.bundle import Bundle, Section, load
from auditor.facts.windows_specs import CredentialSpecs, Gmsa, Spec
from auditor.gaps import Gap, Inconclusive

RECORDED = Path(__file__).parents[1] / "recordings/windows/server-2019-gmsa.bundle"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "CmsPlugins",
                    "DomainJoinConfig",
                    "ActiveDirectoryConfig",
                    "HostAccountConfig",
                    "PluginInput",
                    "Sid",
                    "Name",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


def parse(*texts: str, **more: Any) -> tuple[Spec, ...]:
    told = [
        {"source": "file", "name": f"C:\\d\\CredentialSpecs\\{n}.json", "error": None, "base64": base64.b64encode(it.encode()).decode()} | more
        for n, it in enumerate(texts)
    ]  # fmt: skip
    return CredentialSpecs.parse(Bundle({"credential-specs": Section(json.dumps(told).encode())})).specs


def with_input(value: Any) -> Spec:
    (spec,) = parse(json.dumps({"ActiveDirectoryConfig": {"HostAccountConfig": {"PluginInput": value}}}))
    return spec


def test_the_recorded_specs_are_read_whole() -> None:
    bundle = load(RECORDED.read_bytes())
    specs = CredentialSpecs.parse(bundle)
    first = specs.find("file", "webapp01.json")
    assert first == Spec()
    plugin = specs.find("file", "webapp01-ccg.json")
    assert plugin
    assert (plugin.has_host_account, plugin.version, plugin.inputs) == (True, "1", ("PluginInput",))
    registry = specs.find("registry", "webapplication1")
    assert registry
    assert registry.netbios_name == "DEMO"
    gmsa = Gmsa.parse(bundle)
    assert [gmsa.account_of(it).usable for it in (first, registry)] == [True, False]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("contoso.com:gmsaccg:hunter2", ("PluginInput",)),
        ("***:***:***", ("PluginInput",)),
        ("contoso.com:gmsaccg:", ()),
        ("https://vault.example:443/secrets/x", ()),
        ("ObjectId=1;SecretUri=2", ()),
        ({"CredentialArn": "arn:aws:secretsmanager:eu-west-1:1:secret:x"}, ()),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:x", ()),
        ({"Inner": ["x"]}, ()),
        ({"Inner": [{"Password": "x"}]}, ("PluginInput.Inner.Password",)),
        ({"creds": "***:***:***"}, ("PluginInput.creds",)),
        (["a:b:hunter2"], ("PluginInput",)),
        ({"Password": "x"}, ("PluginInput.Password",)),
        ({"Inner": {"Passwd": "x"}}, ("PluginInput.Inner.Passwd",)),
        ({"Password": ""}, ()),
        (None, ()),
        (7, ()),
    ],
)
def test_a_password_is_told_by_where_it_stands_never_itself(value: Any, found: tuple[str, ...]) -> None:
    spec = with_input(value)
    assert spec.inputs == found
    assert "hunter2" not in str(spec)


def test_what_cannot_be_read_is_told_with_why() -> None:
    assert parse("{", error=None)[0].problem.startswith("no JSON")
    assert parse("[]")[0].problem == "no JSON object"
    assert parse("{}", error="denied")[0].unread == "denied"
    assert parse("{}", base64=None)[0].unread == "not told"
    assert parse("{}", base64="§")[0].problem.startswith("no JSON")


def test_a_file_of_any_name_may_be_a_spec_and_one_that_is_no_json_is_none_unless_it_is_called_so() -> None:
    assert [it.short for it in parse("{}", name=r"C:\d\CredentialSpecs\webapp01")] == ["webapp01"]
    assert not parse("read me", name=r"C:\d\CredentialSpecs\README.txt")
    assert parse("read me", name="WebApp", source="registry")
    assert parse("", name=r"C:\d\CredentialSpecs\x", error="denied")


@given(JSON)
def test_no_spec_crashes_the_parser(value: Any) -> None:
    (spec,) = parse(json.dumps(value))
    assert spec.source == "file"


@given(st.binary(max_size=40))
def test_no_reply_crashes_the_parsers(data: bytes) -> None:
    for fact, section in ((CredentialSpecs, "credential-specs"), (Gmsa, "windows-gmsa")):
        with contextlib.suppress(Gap):
            fact.parse(Bundle({section: Section(data)}))


def test_a_section_that_failed_is_a_gap() -> None:
    with pytest.raises(Inconclusive):
        Gmsa.parse(Bundle({"windows-gmsa": Section(b"", 1)}))


def test_failures_and_a_channel_that_does_not_answer_are_told_in_words() -> None:
    told: dict[str, Any] = {"in_domain": True, "registered": [], "accounts": []}
    more = told | {"failures": {"6": 2}, "secure_channel": 1311}
    gmsa = Gmsa.parse(Bundle({"windows-gmsa": Section(json.dumps(more).encode())}))
    assert gmsa.failures == ("Containers-CCG/Admin has event 6 2 times in the week before",)
    assert gmsa.channel == "nltest /sc_query ended with 1311"
    for quiet in (told, told | {"failures": {}, "secure_channel": 0}):
        gmsa = Gmsa.parse(Bundle({"windows-gmsa": Section(json.dumps(quiet).encode())}))
        assert (gmsa.failures, gmsa.channel) == ((), "")
