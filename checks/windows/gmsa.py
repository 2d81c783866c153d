"""Credential specs: how containers name them, whether they are well-formed, and whether the host can use them."""

import ntpath
import re
from collections.abc import Iterator

from auditor.check import Finding, Findings, Inconclusive, Manual, NotApplicable, Severity, check
from auditor.facts.containers import Container, Containers
from auditor.facts.windows_host import WindowsHost
from auditor.facts.windows_specs import CredentialSpecs, Gmsa, Reference, Spec, references
from checks.runtime.evidence import deviation, listing

_SID = re.compile(r"S-1-5-21-\d+-\d+-\d+", re.ASCII)
_GUID = re.compile(r"\{?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?")
_LONGEST_ACCOUNT = 15
_ANY_NAME_SINCE = 17763
_GET_IT = {
    "nt authority\\system", "system", "localsystem", "nt authority\\network service", "network service", "networkservice",
}  # fmt: skip
_NEVER_GET_IT = {"containeruser", "user manager\\containeruser"}


def _given(containers: Containers) -> Iterator[tuple[Container, tuple[Reference, ...]]]:
    """The containers that were given a spec, and how."""
    some = False
    for container in containers.windows:
        if given := references(container):
            some = True
            yield container, given
    if not some:
        raise NotApplicable("no container was given a credential spec")


@check(severity=Severity.MEDIUM)
def credential_spec_option_wrong(containers: Containers, specs: CredentialSpecs) -> Findings:
    r"""
    Containers name one credential spec, by a file or a registry value that is there.

    Of several the engine takes the last without a word. A spec in the option itself
    (``raw://``) is readable by all who may inspect the container, a password for a
    plugin in it included.

    Remediation:
        ``--security-opt "credentialspec=file://NAME.json"`` with the file in the folder
        CredentialSpecs of the engine's data root, or ``credentialspec=registry://NAME``.
    """
    for container, given in _given(containers):
        for reference in given:
            if problem := _wrong(reference, specs):
                yield deviation(
                    container,
                    "HostConfig.SecurityOpt",
                    f"{reference.written}: {problem}",
                    "a spec that is there",
                )
        if len(given) > 1:
            seen = f"{len(given)} credential specs, of which the last counts"
            yield deviation(container, "HostConfig.SecurityOpt", seen, "one")


def _wrong(reference: Reference, specs: CredentialSpecs) -> str:
    name = reference.name.replace("/", "\\")
    if not reference.form:
        return "not a form that the engine reads"
    if reference.form == "raw":
        return "the spec itself stands in the option"
    if reference.form == "config":
        return ""
    leads_out = name.startswith("\\") or ntpath.splitdrive(name)[0] or ".." in name.split("\\")
    if reference.form == "file" and leads_out:
        return "a path out of the folder CredentialSpecs"
    return "" if specs.find(reference.form, reference.name) else "there is no such spec on the host"


@check(severity=Severity.HIGH)
def credential_spec_malformed(specs: CredentialSpecs) -> Findings:
    """
    Credential specs have all that Windows asks of them.

    A container with a wrong spec starts and runs, under no account of the domain: it
    shows when the application cannot log in.

    Remediation:
        Make it anew with ``New-CredentialSpec`` of the module CredentialSpec.
    """
    for spec in _read(specs):
        for problem in [spec.problem] if spec.problem else _faults(spec):
            yield Finding(spec.name, problem, "as New-CredentialSpec writes it", "credential spec")
    _explain(specs)


def _read(specs: CredentialSpecs) -> list[Spec]:
    """The specs that could be read; ``_explain`` says why others could not."""
    if not specs.specs:
        raise NotApplicable("no credential spec on this host")
    return [spec for spec in specs.specs if not spec.unread]


def _explain(specs: CredentialSpecs) -> None:
    """
    To be asked when everything that was read has been judged.

    Raises:
        Inconclusive: what stands in some is not known.
    """
    whys = ((spec.name, spec.unread or spec.problem) for spec in specs.specs)
    if unknown := [f"{name}: {why}" for name, why in whys if why]:
        raise Inconclusive("; ".join(unknown))


def _faults(spec: Spec) -> Iterator[str]:
    if "ActiveDirectory" not in spec.plugins:
        yield "CmsPlugins lacks ActiveDirectory"
    if not _SID.fullmatch(spec.sid):
        yield "DomainJoinConfig.Sid is no SID of a domain"
    if not _GUID.fullmatch(spec.guid):
        yield "DomainJoinConfig.Guid is no GUID"
    if not spec.account or "$" in spec.account or len(spec.account) > _LONGEST_ACCOUNT:
        yield f"DomainJoinConfig.MachineAccountName is not 1 to {_LONGEST_ACCOUNT} characters without $"
    for name, value in (
        ("DnsName", spec.dns_name),
        ("DnsTreeName", spec.dns_tree_name),
        ("NetBiosName", spec.netbios_name),
    ):
        if not value:
            yield f"DomainJoinConfig.{name} is missing"
    if not spec.accounts:
        yield "GroupManagedServiceAccounts is empty"
        return
    scopes = {scope.casefold() for name, scope in spec.accounts if name.casefold() == spec.account.casefold()}
    for wanted in (spec.dns_name, spec.netbios_name):
        if wanted and wanted.casefold() not in scopes:
            yield f"GroupManagedServiceAccounts lacks {spec.account or 'the account'} with the scope {wanted}"


@check(severity=Severity.HIGH)
def password_in_credential_spec(specs: CredentialSpecs) -> Findings:
    """
    No password stands in a credential spec.

    What is handed to a plugin (``PluginInput``) can be a reference to a vault or an
    account with its password. Every user of the host may read specs by default.

    Remediation:
        Use a plugin that takes the password from a vault, write only the reference into
        the spec, and change the password.
    """
    for spec in _read(specs):
        for name in spec.inputs:
            source = "/ActiveDirectoryConfig/HostAccountConfig"
            yield Finding(spec.name, f"{name} holds a password", "a reference", source)
    _explain(specs)


@check(severity=Severity.MEDIUM)
def credential_spec_plugin_unknown(specs: CredentialSpecs, gmsa: Gmsa) -> Findings:
    """
    The plugins that credential specs name are installed on the host.

    A host outside the domain asks a plugin for an account. Where it is missing, or its
    GUID is none, containers run without their identity.

    Remediation:
        Install the vendor's plugin and copy its GUID into ``PluginGUID``; leave
        ``PortableCcgVersion`` at "1".
    """
    with_plugin = [spec for spec in _read(specs) if spec.has_host_account]
    for spec in with_plugin:
        if not _GUID.fullmatch(spec.plugin):
            yield Finding(spec.name, f"PluginGUID = {spec.plugin or 'none'}", "a GUID", "/HostAccountConfig")
        elif not gmsa.has(spec.plugin):
            seen = f"PluginGUID = {spec.plugin}, which is not registered here"
            yield Finding(spec.name, seen, "a plugin of this host", r"HKLM:\SOFTWARE\Classes\CLSID")
        if spec.version != "1":
            yield Finding(
                spec.name, f"PortableCcgVersion = {spec.version or 'none'}", "1", "/HostAccountConfig"
            )
    _explain(specs)
    if not with_plugin:
        raise NotApplicable("no credential spec names a plugin")


@check(severity=Severity.HIGH)
def gmsa_not_usable(specs: CredentialSpecs, gmsa: Gmsa) -> Findings:
    """
    The host can use the accounts of its credential specs.

    It must belong to the domain and be among those that may retrieve the account's
    password. Over the network this can often not be asked: a logon there may not go
    on to the domain's servers. Whether a plugin gets the account, and what became of
    failures that Windows wrote down in the last week, a person sees.

    Remediation:
        Add the host to the group that may use the account
        (``Set-ADServiceAccount -PrincipalsAllowedToRetrieveManagedPassword``), restart it, and try
        ``Test-ADServiceAccount`` on it.
    """
    unknown, asked = [], list(gmsa.failures)
    for spec in _read(specs):
        account = gmsa.account_of(spec)
        if spec.problem:
            continue
        if spec.has_host_account:
            asked.append(f"{spec.name}: does its plugin {spec.plugin} get the account's password?")
        elif not gmsa.in_domain:
            yield Finding(
                spec.name,
                "the host is in no domain, and the spec names no plugin",
                "a domain",
                "windows-gmsa",
            )
        elif account.usable is False:
            yield Finding(spec.name, f"{spec.account} cannot be used here", "usable", "Test-ADServiceAccount")
        elif account.usable is None:
            unknown.append(f"{spec.name}: {account.problem}")
    _explain(specs)
    if unknown:
        raise Inconclusive("; ".join([*unknown, *filter(None, [gmsa.channel]), *gmsa.failures]))
    if asked:
        raise Manual(f"can containers log in as these accounts? {listing(asked)}")


@check(severity=Severity.HIGH)
def gmsa_identity_unused(containers: Containers, specs: CredentialSpecs, host: WindowsHost) -> Findings:
    r"""
    Containers with a credential spec run as an account that gets its identity.

    Only processes of LocalSystem and Network Service, and application pools under them, act
    as the gMSA on the network. Up to Windows Server 2016 the container must also be
    called as the account.

    Remediation:
        ``--user "NT AUTHORITY\NETWORK SERVICE"``, or run the application as a service or an
        application pool of that account; on Server 2016 also ``--hostname ACCOUNT``.
    """
    asked, unknown = [], list[str]()
    for container, given in _given(containers):
        user, reference = container.user.casefold(), given[-1]
        spec = specs.find(reference.form, reference.name) if reference.form in ("file", "registry") else None
        if user in _NEVER_GET_IT:
            yield deviation(container, "Config.User", container.user, "SYSTEM or Network Service")
        elif user not in _GET_IT:
            asked.append(f"{container.subject}: {container.user or 'the default user'}")
        if host.version.build >= _ANY_NAME_SINCE:
            continue
        if spec is None or spec.unread or spec.problem:
            unknown.append(f"{container.subject}: the account of its spec is not known")
        elif container.hostname.casefold() != spec.account.casefold():
            seen = f"{container.hostname}, the account is {spec.account}"
            yield deviation(container, "Config.Hostname", seen, "the account's name")
    if unknown:
        raise Inconclusive("; ".join(unknown))
    if asked:
        raise Manual(f"does a service or application pool in these run as Network Service? {listing(asked)}")
