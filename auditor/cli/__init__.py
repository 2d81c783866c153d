"""The command line: the one place that puts engine, checks and reports together."""

import atexit
import gc
import sys


def main() -> None:
    """Run ``auditor`` and exit with its code: 0 clean, 1 findings, 2 a mistake in what it was given, 3 incomplete."""
    # What loading makes stays: looking for garbage in it, at the very end once more, took a fifth of a short run.
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)
    from auditor.cli.app import app  # noqa: PLC0415  --help must not wait for what it does not need
    from auditor.errors import AuditorError  # noqa: PLC0415

    try:
        app(standalone_mode=True)
    except AuditorError as error:
        from reports.visible import visible_lines  # noqa: PLC0415

        sys.stderr.write(f"auditor: {visible_lines(str(error))}\n")  # a name in a file may hold anything
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(141)
