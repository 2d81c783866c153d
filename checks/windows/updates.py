"""Whether the Windows of a host, and that in its images, is supported and has its updates."""

from datetime import date, timedelta

from auditor.check import Finding, Findings, Inconclusive, Manual, NotApplicable, Severity, check
from auditor.facts.images import Image
from auditor.facts.origin import Origin
from auditor.facts.releases import Build
from auditor.facts.used_images import UsedImages
from auditor.facts.windows_builds import WindowsBuilds, WindowsLine, WindowsVersion
from auditor.facts.windows_host import WindowsHost
from auditor.policy import Policy
from checks.windows.images import windows_images

_SOURCE = "registry CurrentVersion:CurrentBuildNumber, UBR"
_OS_VERSION = "docker image inspect:/OsVersion"
_CREATED = "docker image inspect:/Created"
# Some update comes every month, so an image that is older than this and the days allowed lacks one for certain.
_MONTH = timedelta(days=36)
_FIRST_IMAGES = date(2016, 9, 1)
_SOON = timedelta(days=180)
# The engine's 23.0 and later refuse to start on anything older.
_ENGINES_FLOOR = 17763


@check(severity=Severity.HIGH)
def windows_build_unsupported(host: WindowsHost, builds: WindowsBuilds, origin: Origin) -> Findings:
    """
    The host's Windows is a build that still gets security updates.

    A build whose support has ended stays open to every hole found since, and all its
    containers share its kernel. Updates that are sold beyond that end do not show on the
    host: where they were bought, waive this.

    Remediation:
        Move the containers to a host with a supported Windows Server, and rebuild their
        images on the base of that version.
    """
    today = origin.collected.date()
    line = _line_of(builds, host.version, client=host.client)
    end = _end(line, host.edition, builds)
    what = f"{line.name} ({host.version})"
    if end < today:
        expected = f"supported (by our table of {builds.checked})"
        yield Finding("Windows", f"{what}, supported until {end}", expected, _SOURCE)
    elif end - today <= _SOON:
        raise Manual(f"{what} gets security updates only until {end}: is its replacement planned?")


@check(severity=Severity.HIGH)
def windows_updates_missing(
    host: WindowsHost, builds: WindowsBuilds, origin: Origin, policy: Policy
) -> Findings:
    """
    The host has every update of Windows that came out more than 60 days ago.

    Updates come monthly, and what they repair is public from that day. How long one may
    be missing is the policy's ``windows_update_days``. A host that restarts without
    loading them (hotpatching) counts with the revision it shows.

    Remediation:
        Install the newest cumulative update by Windows Update, WSUS or ``sconfig``, and
        restart the host.
    """
    today = origin.collected.date()
    line = _line_of(builds, host.version, client=host.client)
    if _end(line, host.edition, builds) < today:
        raise NotApplicable(f"{line.name} gets no updates any more")
    days = policy.windows_update_days
    if missed := _missed(line, host.version, today, days):
        yield Finding("Windows", str(host.version), missed, _SOURCE)
    elif why := _why_unknown(line, host.version, builds, today, days):
        raise Inconclusive(f"{host.version}: {why}: update the auditor")


@check(severity=Severity.HIGH)
def windows_too_old_for_engine(host: WindowsHost, build: Build) -> Findings:
    """
    The host's Windows can run an engine that is still maintained.

    Engines from 23.0 on do not start on builds before Windows Server 2019. What runs on
    an older one is 20.10 at best, which its makers gave up in 2023.

    Remediation:
        Move to Windows Server 2019 or later; an update of the engine alone is not
        possible there.
    """
    if host.version.build < _ENGINES_FLOOR:
        observed = f"build {host.version.build}, which runs engines up to 20.10; this one is {build.version}"
        yield Finding("Windows", observed, f"build {_ENGINES_FLOOR} or later", _SOURCE)


@check(severity=Severity.HIGH)
def image_windows_unsupported(used: UsedImages, builds: WindowsBuilds, origin: Origin) -> Findings:
    """
    The Windows in every image in use still gets security updates.

    An image brings its own libraries and programs of Windows. When support of that
    version has ended, no rebuild repairs them any more, even on a supported host.

    Remediation:
        Rebuild on a supported base, such as
        ``mcr.microsoft.com/windows/servercore:ltsc2025``, on a host that can run it.
    """
    today = origin.collected.date()
    unknown = []
    for each in windows_images(used):
        version = WindowsVersion.of(each.image.os_version)
        line = builds.line_of(version.build) if version else None
        if not line or not line.ends:
            unknown.append(f"{each.image.name}: {_untold(each.image, builds)}")
        elif line.ends < today:
            observed = f"{line.name} ({version}), supported until {line.ends}"
            expected = f"supported (by our table of {builds.checked})"
            yield Finding(each.image.name, observed, expected, _OS_VERSION)
    _refuse(unknown)


@check(severity=Severity.HIGH)
def image_windows_updates_missing(
    used: UsedImages, builds: WindowsBuilds, origin: Origin, policy: Policy
) -> Findings:
    """
    The Windows in every image in use has the updates that came out more than 60 days ago.

    Containers get no updates: what is in the image stays as it was on the day of the
    build. Bases are published anew each month. How old one may be is the policy's
    ``windows_update_days``.

    Remediation:
        ``docker build --pull`` each month after the second Tuesday, and recreate the
        containers from the new image.
    """
    today, days = origin.collected.date(), policy.windows_update_days
    judged, unknown = False, []
    for each in windows_images(used):
        version = WindowsVersion.of(each.image.os_version)
        line = builds.line_of(version.build) if version else None
        if line and line.ends and line.ends < today:
            continue
        judged = True
        if not version or not line or version.revision < 0:
            if built := _too_old(each.image, today, days):
                observed = f"Windows {each.image.os_version or 'of no version'}, built on {built}"
                yield Finding(each.image.name, observed, f"updates of the last {days} days", _CREATED)
            else:
                unknown.append(f"{each.image.name}: {_untold(each.image, builds)}")
        elif missed := _missed(line, version, today, days):
            yield Finding(each.image.name, str(version), missed, _OS_VERSION)
        elif why := _why_unknown(line, version, builds, today, days):
            unknown.append(f"{each.image.name} ({version}): {why}")
    _refuse(unknown)
    if not judged:
        raise NotApplicable("the Windows of no image in use gets updates any more")


def _line_of(builds: WindowsBuilds, version: WindowsVersion, *, client: bool) -> WindowsLine:
    """
    The line of a host's build.

    Raises:
        Inconclusive: the table does not have it.
    """
    line = builds.line_of(version.build, client=client)
    if line is None:
        raise Inconclusive(
            f"our table of {builds.checked} does not know build {version.build}: update the auditor"
        )
    return line


def _end(line: WindowsLine, edition: str, builds: WindowsBuilds) -> date:
    end = line.end_for(edition)
    if end is None:
        raise Inconclusive(f"our table of {builds.checked} does not tell how long {line.name} is supported")
    return end


def _missed(line: WindowsLine, version: WindowsVersion, today: date, days: int) -> str:
    """What is expected of a version that lacks an update for too long; empty when none is known for certain."""
    update = line.first_missed(version.revision)
    if update is None or (today - update.released).days <= days:
        return ""
    return f"10.0.{line.build}.{update.revision} or later, out since {update.released}"


def _why_unknown(
    line: WindowsLine, version: WindowsVersion, builds: WindowsBuilds, today: date, days: int
) -> str:
    """Why nobody can say that a version lacks no update for too long; empty when that is certain."""
    if builds.stale(today):
        return f"our table of Windows builds is of {builds.checked}, more than 90 days before this"
    update = line.first_missed(version.revision)
    since = line.unlisted_since(update.released if update else None)
    if since and (since == date.min or (today - since).days > days):
        return f"our table of {builds.checked} does not have every update of {line.name} of the last months"
    return ""


def _too_old(image: Image, today: date, days: int) -> date | None:
    """The day an image was built on, when it is so long ago that it lacks an update whatever its version is."""
    try:
        built = date.fromisoformat(image.created[:10])
    except ValueError:
        return None
    certain = built >= _FIRST_IMAGES and today - built > timedelta(days) + _MONTH
    return built if certain else None


def _untold(image: Image, builds: WindowsBuilds) -> str:
    version = image.os_version or "nothing"
    return f"its Windows is told as {version}, which our table of {builds.checked} cannot judge"


def _refuse(unknown: list[str]) -> None:
    if unknown:
        raise Inconclusive("; ".join(unknown[:5]))
