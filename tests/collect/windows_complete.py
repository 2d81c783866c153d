"""``python windows_complete.py FOLDER``: print what each section of real Windows bundles came to; fail if one is broken."""

import sys
from pathlib import Path

from auditor.collect.bundle import Bundle, Status, load_file

MAY_BE_ABSENT = (Status.OK, Status.ABSENT)
LINUX_ONLY = "not a section of Windows hosts"


def complaints(bundle: Bundle) -> list[str]:
    """Sections that neither came nor are absent, and an end that is missing."""
    problems = [
        f"{name}: {it.why}"
        for name, it in bundle.sections.items()
        if it.status not in MAY_BE_ABSENT and it.message != LINUX_ONLY
    ]
    return problems if bundle.complete and bundle.sections else [*problems, "the bundle is not complete"]


def main(folder: Path) -> int:
    """0 when nothing is wrong."""
    files = sorted([*folder.glob("*.bundle"), *folder.glob("*.txt")])
    wrong = int(not files)
    for file in files:
        bundle = load_file(file)
        print(f"{file.name}: {len(bundle.sections)} sections")
        for name, section in bundle.sections.items():
            print(f"  {name}: {section.why or f'{len(section.data)} bytes'}")
        for problem in complaints(bundle):
            print(f"::error::{file.name}: {problem}")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
