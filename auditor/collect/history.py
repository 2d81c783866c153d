"""
What may leave a host of an image's history: known words of commands, paths, names of secrets. Never a value.

The collector does the same on the host (``reduce_history`` in linux.sh); this is for transports without a shell there.
A test holds the two against each other.
"""

import re

_KEYWORDS = frozenset(
    b"ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR".split()
)
_KNOWN = frozenset(
    b"""
    ; | ! { sudo env exec if then do else time sh bash ash dash apt apt-get aptitude apk yum dnf microdnf tdnf zypper pip pip3
    npm gem rpm dpkg curl wget chmod find update upgrade dist-upgrade full-upgrade install reinstall build-dep add makecache
    check-update refresh ref in up dup patch groupinstall localinstall distro-sync remove purge clean fix -y -k -U -u --update
    --update-cache --insecure --upgrade --no-cache --no-install-recommends --allow-unauthenticated --force-yes --nogpgcheck
    --no-gpg-checks --no-gpg-check --nosignature --force-bad-verify --allow-untrusted --trusted-host --no-check-certificate
    """.split()
)
_SHELL = re.compile(rb"(/[^ ]*/)?(ba|da|a|z)?sh( -[a-z]+( pipefail)?)* -[a-z]*c ")
_NOT_RUN = re.compile(b"(" + _SHELL.pattern + rb")?#\(nop\) ")
_MODE = re.compile(rb"[0-7]+|[ugoa]*[-+=][rwxXst]+")
_HIDDEN = (
    r"[a-z0-9_.-]*(password|passwd|passphrase|secret|token|credentials?"
    r"|(api|access|secret|private|auth|encryption)[-_]?key|[-_]pass|[-_]pwd)[0-9]*"
)
_SECRET_NAME = re.compile(_HIDDEN)
# Only from where a word begins: a long one would be read again from each of its letters.
_ASSIGNED = re.compile(rb"(?<![a-z0-9_.-])" + _HIDDEN.encode() + rb'("?: *|=| +)')
_NO_SECRET = re.compile(rb"[-$<%*]|/run/secrets/|(true|false|yes|no|on|off|none|null|0|1)?\Z")
_SECRET_FILE = re.compile(
    rb"id_(rsa|dsa|ecdsa|ed25519)|.+\.(key|p12|pfx|jks|kdbx)"
    rb"|\.env|\.npmrc|\.pypirc|\.netrc|\.git-credentials|\.dockercfg|\.pgpass|\.htpasswd"
)
_KINDS = (
    (b"credentials-in-an-address", re.compile(rb'[a-z]://[^ /"@:]+:[^ /"@$]+@')),
    (b"authorization-header", re.compile(rb"authorization: *(bearer|basic) +[^ $]")),
    (b"private-key", re.compile(rb"-----begin [a-z ]*private key")),
)
_TOKENS = (
    (b"aws-access-key", re.compile(rb"AKIA[0-9A-Z]{8}")),
    (b"github-token", re.compile(rb"gh[pousr]_[0-9A-Za-z]{8}")),
)


def names_secret(name: str) -> bool:
    """Whether a variable of this name is there to hold a secret: ``DB_PASSWORD`` is, ``PASSWORD_FILE`` is not."""
    return bool(_SECRET_NAME.fullmatch(name.lower()))


def reduce_instruction(created_by: str) -> str:
    """
    One entry of a history, as the engine tells it, in the collector's form: ``KEYWORD<tab>words<tab>secrets``.

    ``_`` stands for words left out, ``=`` for an assignment; secrets are told by name or kind, with commas between.
    """
    text = created_by.encode("utf-8", "replace")
    text = re.sub(rb"[\x00-\x08\x0b-\x0c\x0e-\x1f]", b"?", text).replace(b"\r", b"\n").replace(b"\t", b" ")
    text = re.sub(rb" *# buildkit *\Z", b"", text)
    if not_run := _NOT_RUN.match(text):
        text = text[not_run.end() :].lstrip(b" ")
    keyword = re.match(rb"[A-Z]*", text)[0]  # type: ignore[index]  # it matches the empty text too
    if keyword in _KEYWORDS:
        text = text[len(keyword) :]
    else:
        keyword = b"RUN" if text else b"NONE"
    return b"\t".join((keyword, *_told(keyword, text))).decode("utf-8", "replace")


def _told(keyword: bytes, text: bytes) -> tuple[bytes, bytes]:
    if keyword in (b"ADD", b"COPY"):
        return _files(text)
    return _commands(text) if keyword == b"RUN" else b"", _secrets(text)


def _commands(text: bytes) -> bytes:
    text = text.lstrip(b" ")
    shell = _SHELL.search(text)
    if shell and (shell.start() == 0 or re.match(rb"\|[0-9]+ ", text)):
        text = text[shell.end() :]
    text = re.sub(rb"'[^']*'", b"_", re.sub(rb'"[^"]*"', b"_", text.replace(b"\\\n", b" ")))
    text = re.sub(rb"[;&\n()`]", b" ; ", text.replace(b"||", b" ; ")).replace(b"|", b" | ")
    out: list[bytes] = []
    for word in filter(None, text.split(b" ")):
        kept = _known(word, out[-1] if out else b"")
        if not out or kept != out[-1] or kept not in (b"_", b";"):
            out.append(kept)
    return b" ".join(out)


def _known(word: bytes, before: bytes) -> bytes:
    if re.match(rb"[A-Za-z_][A-Za-z0-9_]*=", word):
        return b"="
    if before == b"chmod" and _MODE.fullmatch(word):
        return word[:6]
    word = re.sub(rb"\A/(usr/)?(local/)?s?bin/", b"", word).partition(b"=")[0]
    return word if word in _KNOWN else b"_"


def _files(text: bytes) -> tuple[bytes, bytes]:
    out, found = list[bytes](), dict[bytes, None]()
    for path in filter(None, text.partition(b"\n")[0].split(b" ")):
        if path.startswith(b"--"):
            path = path.partition(b"=")[0]  # noqa: PLW2901  it reads better than a name for each step
        elif b"://" in path:
            path = path.partition(b"://")[0] + b"://"  # noqa: PLW2901  likewise
        out.append(path if re.fullmatch(rb"[A-Za-z0-9_./*:@+-]+", path) else b"_")
        if _SECRET_FILE.fullmatch(base := out[-1].rpartition(b"/")[2]):
            found[base] = None
    return b" ".join(out), b",".join(found)


def _secrets(text: bytes) -> bytes:
    low = text.lower()
    found = {kind: None for kind, pattern in _KINDS if pattern.search(low)}
    found |= {kind: None for kind, pattern in _TOKENS if pattern.search(text)}
    at = 0
    while match := _ASSIGNED.search(low, at):
        at = match.end()
        bare = match[0].endswith(b" ") and not match[0].rstrip(b" ").endswith(b":")
        value = re.split(rb"[\"' \n;&|)]", re.sub(rb"\A[\"']", b"", low[at:]), maxsplit=1)[0]
        if (bare and not match[0].startswith(b"--")) or _NO_SECRET.match(value):
            continue
        name = re.sub(rb"[^A-Za-z0-9_.-]", b"", text[match.start() : match.end()]).lstrip(b"-.")
        found[name[:64]] = None
    return b",".join(found)
