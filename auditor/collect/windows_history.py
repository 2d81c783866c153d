"""
What may leave a host of the history of a Windows image: known words of commands, paths, names of secrets. Never a value.

The collector does the same on the host (``reduced-step`` in windows.ps1); this is for transports without a shell there.
A test holds the patterns of the two against each other: each is one that .NET and Python read alike.
"""

import re

STRANGE = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
BUILDKIT = r" *# buildkit *$"
KEYWORD = r"^(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)(?![A-Z])"
BASE = r"^(?:Apply image|Install update) "
CONTINUED = r"[`^]\n"
SHELL = r"(?:cmd(?:\.exe)? +(?:/[a-z:]+ +)+|(?:powershell|pwsh)(?:\.exe)? +(?:-(?:noprofile|nologo|noninteractive|executionpolicy +[a-z]+|command|c) +)+)"
ARGUMENTS = r"^ *\|[0-9]+ "
APART = r"\|\||[;&\n(){}]"
BETWEEN = r"(?:[ \x22',=\[\]]|:(?![\\/]))+"
PLACE = r"^.*\\|\.exe$"
PATH = r"^[A-Za-z0-9_./*:@+\\-]+$"
ENDS = r"[\\/]"
KEY_FILE = (
    r"^(?:id_(?:rsa|dsa|ecdsa|ed25519)|.+\.(?:key|p12|pfx|jks|kdbx)"
    r"|\.env|\.npmrc|\.pypirc|\.netrc|\.git-credentials|\.dockercfg|\.pgpass|\.htpasswd)$"
)
KINDS = {
    "credentials-in-an-address": r"[a-z]://[^ /\x22@:]+:[^ /\x22@$]+@",
    "authorization-header": r"authorization['\x22]? *[:=] *['\x22]?(?:bearer|basic) +[^ $]",
    "private-key": r"-----begin [a-z ]*private key",
    "password-of-an-account": r"(?:^|[^a-z0-9_-])net1?(?:\.exe)? +user +(?:\x22[^\x22]*\x22|[^ ]+) +[^ /*%$]",
    "secure-string-in-clear": r"convertto-securestring [^;|&\n]*['\x22][^'\x22$%]",
    "aws-access-key": r"(?:akia|asia)[0-9a-z]{16}",
    "github-token": r"gh[pousr]_[0-9a-z]{8}",
}
ASSIGNED = (  # only from where a word begins: a long one would be read again from each of its letters
    r"(?<![a-z0-9_./-])[a-z0-9_./-]*(?:password|passwd|passphrase|secret|token|credentials?"
    r"|(?:api|access|account|secret|private|auth|encryption)[-_]?key|[-_]pass|[-_]pwd)[0-9]*"
    r"(?:\x22? *[:=] *| +)(?=['\x22]*([^'\x22 \n;&|)]*))"
)
BARE = r"^(?:[^-/]|/[^ ]*[/.])[^:=]*$"
HARMLESS = r"^(?:[-$<%*(@{\\]|(?:true|false|yes|no|on|off|none|null|0|1)?$)"
NAMELESS = r"^[-./]+|[^A-Za-z0-9_.-]"

_LISTED = """
    ; | if else foreach try catch set setx call start start-process iex invoke-expression iwr invoke-webrequest invoke-restmethod
    curl wget certutil start-bitstransfer get-filehash expand-archive get-authenticodesignature msiexec choco scoop winget
    install-windowsfeature add-windowsfeature uninstall-windowsfeature remove-windowsfeature enable-windowsoptionalfeature
    disable-windowsoptionalfeature add-windowscapability install-package install-module dism net net1 user localgroup administrators
    new-localuser add-localgroupmember icacls reg sc new-service install add update upgrade feature enable disable uninstall remove
    sdk runtime build restore publish -y -name -featurename /featurename /capabilityname /online -online /enable-feature /disable-feature
    /add-capability /all -all -includeallsubfeature -includemanagementtools /add -addnew -asplaintext /grant
    vs_buildtools vs_community vs_professional vs_enterprise vs_installer vs_setup msbuild csc cl nuget dotnet npm node yarn pip go cargo
    rustup mvn gradle cmake ninja make gcc mingw git visualstudio2017buildtools visualstudio2019buildtools visualstudio2022buildtools
    visualcpp-build-tools windows-sdk-10.0 dotnet-sdk golang nodejs python python3 openjdk jdk jdk8 maven rust msys2 strawberryperl
    web-server web-webserver web-common-http web-default-doc web-dir-browsing web-http-errors web-static-content web-asp-net web-asp-net45
    web-mgmt-tools web-mgmt-console web-mgmt-service web-windows-auth web-ftp-server web-dav-publishing net-framework-features
    net-framework-core net-framework-45-aspnet net-framework-45-core net-wcf-services45 net-wcf-http-activation45 fs-smb1 fs-smb1-client
    fs-smb1-server fs-fileserver fs-nfs-service telnet-client telnetclient telnet-server tftp-client tftp powershell-v2 powershell-ise
    microsoftwindowspowershellv2 microsoftwindowspowershellv2root smb1protocol smb1protocol-client smb1protocol-server windows-defender dhcp dns
    print-server print-services print-lpd-service fax rds-rd-server rds-connection-broker rds-licensing rds-gateway rsat
    rsat-ad-powershell rsat-ad-tools ad-domain-services adlds adcs-cert-authority snmp-service snmp smtp-server msmq msmq-server
    msmq-services wins wds simple-tcpip simpletcp remoteaccess routing hyper-v containers
    iis-webserverrole iis-webserver iis-aspnet iis-aspnet45 iis-ftpserver iis-managementservice iis-webdav netfx3 netfx4-aspnet45
    openssh.server openssh.client openssh.server~~~~0.0.1.0 openssh.client~~~~0.0.1.0
"""
WORDS = frozenset(_LISTED.split())


def reduce_windows_instruction(created_by: str) -> str:
    """
    One entry of a history, as the engine tells it, in the collector's form: ``KEYWORD<tab>words<tab>secrets``.

    ``_`` stands for words left out; ``FROM`` for the layers that Microsoft made. Words are in lower case, as Windows reads them.
    """
    text = re.sub(STRANGE, "?", created_by).replace("\r", "\n").replace("\t", " ")
    text = re.sub(BUILDKIT, "", text)
    if "#(nop) " in text:
        text = text.partition("#(nop) ")[2].lstrip(" ")
    if found := re.search(KEYWORD, text):
        keyword, text = found[0], text[found.end() :]
    elif re.search(BASE, text):
        return "FROM\t\t"
    else:
        keyword = "RUN" if text else "NONE"
    if keyword in ("ADD", "COPY"):
        return "\t".join((keyword, *_files(text)))
    return "\t".join((keyword, _commands(_lower(text)) if keyword == "RUN" else "", _secrets(text)))


def _lower(text: str) -> str:
    """In lower case character by character, so that places stay where they are."""
    return "".join(it.lower() if len(it.lower()) == 1 else it for it in text)


def _commands(text: str) -> str:
    text = re.sub(ARGUMENTS, "", re.sub(CONTINUED, " ", text))
    text = re.sub(APART, " ; ", re.sub(SHELL, " ; ", text)).replace("|", " | ")
    out: list[str] = []
    for word in filter(None, re.split(BETWEEN, text)):
        bare = re.sub(PLACE, "", word)
        kept = bare if bare in WORDS else "_"
        if not out or kept != out[-1] or kept not in ("_", ";"):
            out.append(kept)
    return " ".join(out).removeprefix("; ")


def _files(text: str) -> tuple[str, str]:
    out, found = list[str](), dict[str, None]()
    for word in filter(None, text.partition("\n")[0].split(" ")):
        path = word.partition("=")[0] if word.startswith("--") else word
        if "://" in path:
            path = path.partition("://")[0] + "://"
        out.append(path if re.search(PATH, path) else "_")
        base = re.split(ENDS, out[-1])[-1]
        if re.search(KEY_FILE, _lower(base)):
            found[base] = None
    return " ".join(out), ",".join(found)


def _secrets(text: str) -> str:
    low = _lower(text)
    found = {kind: None for kind, pattern in KINDS.items() if re.search(pattern, low)}
    for match in re.finditer(ASSIGNED, low):
        if not re.search(BARE, match[0]) and not re.search(HARMLESS, match[1]):
            name = re.sub(NAMELESS, "", text[match.start() : match.end()])
            found[name[:64]] = None
    return ",".join(found)
