"""Answers of an engine over HTTP, and what functions of the collector make of them."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

SCRIPT = (Path(__file__).parents[2] / "auditor/collect/linux.sh").read_text()
AWKS = [awk for awk in ("mawk", "gawk", "original-awk", "busybox awk") if shutil.which(awk.partition(" ")[0])]


def on_host(function: str, stream: bytes, awk: str = "awk") -> bytes:
    """What one of the collector's functions makes of a stream, with an awk of one's choice."""
    parts = r"^http_reader='\n.*?^'\n", rf"^{function}\(\) \{{\n.*?^\}}\n"
    reader, reduce = (re.search(part, SCRIPT, re.MULTILINE | re.DOTALL) for part in parts)
    assert reader
    assert reduce
    replaced = f'awk() {{ command {awk} "$@"; }}'
    script = f"LC_ALL=C; export LC_ALL\n{replaced}\n{reader[0]}{reduce[0]}\n{function}"
    done = subprocess.run(["sh", "-c", script], input=stream, capture_output=True, timeout=60, check=True)
    assert done.stderr == b""
    return done.stdout


def answer(body: bytes, status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status.encode(), len(body), body)


def in_chunks(body: bytes, cuts: Sequence[int]) -> bytes:
    places = sorted({0, len(body), *(cut % len(body) for cut in cuts)})
    chunks = [body[start:end] for start, end in pairwise(places)]
    framed = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


PING = answer(b"OK")
