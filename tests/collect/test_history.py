"""What leaves a host of an image's history: the collector's awk and our Python say the same, and neither says a value."""

import json
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.collect.history import names_secret, reduce_instruction
from tests.collect.answers import AWKS, PING, answer, in_chunks, on_host

IMAGE = "sha256:" + "1a" * 32

# As engines of several ages tell them, and what is left.
CASES = {
    "": "NONE\t\t",
    "/bin/sh -c #(nop)  ENV API_KEY=hunter2 PLAIN=a b c": "ENV\t\tAPI_KEY",
    "ENV API_KEY=hunter2": "ENV\t\tAPI_KEY",
    "ENV DB_PASSWORD_FILE=/run/x TOKENIZERS_PARALLELISM=hunter2 GPG_KEY=hunter2": "ENV\t\t",
    "ENV MYSQL_ALLOW_EMPTY_PASSWORD=yes PASSWORD= TOKEN=$OTHER": "ENV\t\t",
    "/bin/sh -c #(nop)  ARG TOKEN=hunter2": "ARG\t\tTOKEN",
    "ARG TOKEN": "ARG\t\t",
    "|1 TOKEN=hunter2 /bin/sh -c apt-get update && true": "RUN\tapt-get update ; _\tTOKEN",
    "RUN |2 A=1 TOKEN=hunter2 /bin/bash -o pipefail -c apt-get update # buildkit": "RUN\tapt-get update\tTOKEN",
    "RUN /bin/sh -c set -eux; apt-get update; apt-get install -y --no-install-recommends nginx ; # buildkit": (
        "RUN\t_ ; apt-get update ; apt-get install -y --no-install-recommends _ ;\t"
    ),
    "/bin/sh -c apk --no-cache add \\\n  nginx": "RUN\tapk --no-cache add _\t",
    "RUN /bin/sh -c apt-get update\napt-get install -y x\n # buildkit": (
        "RUN\tapt-get update ; apt-get install -y _ ;\t"
    ),
    'RUN /bin/sh -c echo "apt-get update; hunter2" || true': "RUN\t_ ; _\t",
    "RUN /bin/sh -c curl -fsSL https://x.example | sudo sh": "RUN\tcurl _ | sudo sh\t",
    "RUN /bin/sh -c DEBIAN_FRONTEND=hunter2 /usr/bin/apt-get update": "RUN\t= apt-get update\t",
    "RUN /bin/sh -c chmod u+s /bin/x && chmod 4755 hunter2": "RUN\tchmod u+s _ ; chmod 4755 _\t",
    "RUN /bin/sh -c pip install --trusted-host=hunter2 x": "RUN\tpip install --trusted-host _\t",
    "RUN /bin/sh -c mysql --password hunter2 --token -x": "RUN\t_\tpassword",
    "RUN /bin/sh -c curl https://u:hunter2@x.example": "RUN\tcurl _\tcredentials-in-an-address",
    'RUN /bin/sh -c curl -H "Authorization: Bearer hunter2" x': "RUN\tcurl _\tauthorization-header",
    "RUN /bin/sh -c echo '-----BEGIN RSA PRIVATE KEY-----hunter2' > /k": "RUN\t_\tprivate-key",
    "RUN /bin/sh -c x AKIAIOSFODNN7EXAMPLE ghp_abcdefgh12": "RUN\t_\taws-access-key,github-token",
    'RUN /bin/sh -c echo {"password": "hunter2"} > /x': "RUN\t_\tpassword",
    "RUN /bin/sh -c echo the token is here; echo c2VjcmV0IGh1bnRlcjI=": "RUN\t_ ; _ =\t",
    "/bin/sh -c #(nop) ADD file:8582af in / ": "ADD\tfile:8582af in /\t",
    "ADD --chown=1:1 https://u:hunter2@x.example/f?hunter2 /f # buildkit": "ADD\t--chown https:// /f\t",
    "COPY id_rsa .env app.py /root/ # buildkit": "COPY\tid_rsa .env app.py /root/\tid_rsa,.env",
    "COPY <<EOF /etc/x\nhunter2\nEOF\n": "COPY\t_ /etc/x\t",
    "WORKDIR /hunter2": "WORKDIR\t\t",
    "# debian.sh --arch 'amd64' out/ 'bookworm' '@1'": "RUN\t_\t",
    "RUNNER hunter2": "RUN\t_\t",
    "RUN /bin/sh -c echo \x01\u2028\x7fü apt": "RUN\t_ apt\t",
}


def reduce_on_host(stream: bytes, awk: str = "awk") -> list[str]:
    """What the collector makes of answers of an engine."""
    return on_host("reduce_history", stream, awk).decode("ascii").splitlines()


def go_json(texts: Sequence[str]) -> bytes:
    """A history as Go writes it: newest first, no raw ``<``, ``>`` or ``&``."""
    entries = [{"Comment": "", "Created": 1, "CreatedBy": text, "Id": "x", "Size": 0} for text in texts]
    text = json.dumps(entries, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode("utf-8", "surrogatepass") + b"\n"


LISTED = f"listed {IMAGE}\n".encode()


@pytest.mark.parametrize("created_by", CASES)
def test_of_an_instruction_only_known_words_and_names_are_left(created_by: str) -> None:
    assert reduce_instruction(created_by) == CASES[created_by]


@pytest.mark.parametrize("awk", AWKS)
def test_the_collector_leaves_the_same(awk: str) -> None:
    told = reduce_on_host(LISTED + answer(go_json(list(CASES))) + PING, awk)
    assert told == [f"listed {IMAGE}", f"image {IMAGE}", *CASES.values()]
    assert not [line for line in told if "hunter2" in line]


TYPED = """
RUN ENV ARG ADD COPY |1 |2 /bin/sh -c bash sh #(nop) # buildkit apt-get update install && || ; | chmod u+s 0755 --password --token=
TOKEN= API_KEY="a DB_PASS='b' secret": "x" 'y' https://a:b@c sudo { } $( ` \\ \\\\ _ = key: Authorization: Basic id_rsa /a.key --x=y
password passwords token2= a.token=1 AKIAIOSFODNN7EXAMPLE
"""
WORDS = st.one_of(
    st.sampled_from([*TYPED.split(), "\n", "\\\n", "\t", "\r", ""]),
    st.text(st.characters(codec="utf-8"), max_size=8),
)
TEXTS = st.lists(WORDS, max_size=12).map(" ".join)


@given(st.lists(TEXTS, min_size=1, max_size=30), st.lists(st.integers(0, 10**6), max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_was_typed_both_leave_the_same(texts: list[str], cuts: list[int]) -> None:
    stream = LISTED + in_chunks(go_json(texts), cuts) + PING
    assert reduce_on_host(stream)[2:] == [reduce_instruction(text) for text in texts]


@given(st.text("abcdefghijklmnopqrstuvwxyzABCDEF0123456789+/", min_size=12, max_size=40), TEXTS, TEXTS)
def test_a_value_never_leaves(value: str, before: str, after: str) -> None:
    for name in ("PASSWORD=", "X_TOKEN=", "--secret ", '"apiKey": "'):
        assert value not in reduce_instruction(f"RUN {before} {name}{value} {after}").partition("\t")[2]


def test_answers_are_told_apart_and_a_refusal_says_so() -> None:
    other, third = "sha256:" + "2b" * 32, "sha256:" + "3c" * 32
    gone = answer(b'{"message":"No such image"}\n', "404 Not Found")
    stream = LISTED + f"listed {other}\nlisted {third}\n".encode() + answer(go_json(["USER x"])) + gone
    assert reduce_on_host(stream + answer(b"[]") + PING)[3:] == [
        f"image {IMAGE}",
        "USER\t\t",
        f"refused 404 {other}",
        f"image {third}",
    ]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + go_json(["USER x"]),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + go_json(["USER x"]),
        b"hello",
    ],
)
def test_an_answer_that_ends_early_is_no_answer(broken: bytes) -> None:
    assert reduce_on_host(LISTED + broken) == [f"listed {IMAGE}"]


@pytest.mark.parametrize("body", [b"null\n", b'{"CreatedBy":"USER x"}\n', b"<html>"])
def test_an_answer_of_another_shape_is_refused(body: bytes) -> None:
    assert reduce_on_host(LISTED + answer(body) + PING)[1:] == [f"refused 200 {IMAGE}"]


def test_a_name_tells_a_secret_when_it_ends_like_one() -> None:
    named = ("DB_PASSWORD", "githubToken", "AWS_SECRET_ACCESS_KEY", "MYSQL_PWD", "api-key", "SECRET2")
    others = (
        "PASSWORD_FILE",
        "TOKENIZERS_PARALLELISM",
        "GPG_KEY",
        "PWD",
        "PATH",
        "SECRET_NAME",
        "COMPASS",
        "",
    )
    assert all(map(names_secret, named))
    assert not any(map(names_secret, others))


def test_a_word_of_a_megabyte_is_read_once() -> None:
    assert reduce_instruction("RUN " + "a" * 1_000_000) == "RUN\t_\t"
    told = reduce_on_host(LISTED + answer(go_json(["RUN " + "a" * 200_000])) + PING)
    assert told[2:] == ["RUN\t_\t"]
