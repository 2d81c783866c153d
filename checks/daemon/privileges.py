"""What the daemon may do, and what it lets containers and clients do."""

from auditor.check import Finding, Findings, Manual, NotApplicable, Severity, check
from auditor.facts.daemon import DaemonConfig
from auditor.facts.engine import TELLS_NO_NEW_PRIVILEGES, Engine
from auditor.facts.listeners import read_host
from auditor.policy import Policy


@check(severity=Severity.LOW)
def daemon_runs_as_root(engine: Engine) -> Findings:
    """
    The daemon runs without root's rights where that is possible.

    A flaw in a rootless daemon, or a container that breaks out of it, gives an
    attacker an ordinary user instead of root. Not every workload can live with
    rootless mode's limits, so whether it is possible is for a person to say.

    Remediation:
        Look whether the host's containers need what rootless mode lacks (ports
        below 1024, some network and storage drivers). If not, install the engine
        with ``dockerd-rootless-setuptool.sh install``.
    """
    if not engine.rootless:
        raise Manual("the daemon runs as root: could these containers run under a rootless daemon?")
    yield from ()


@check(severity=Severity.MEDIUM)
def user_namespace_not_remapped(engine: Engine, config: DaemonConfig) -> Findings:
    """
    Root in a container is an unprivileged user on the host.

    Without user namespaces uid 0 in a container is uid 0 on the host: one flaw
    in the kernel's or the engine's walls, and a container's root owns the machine.

    Remediation:
        Set ``"userns-remap": "default"`` in daemon.json and restart the daemon.
        Images and volumes are kept apart per mapping, so plan for pulling images
        again. Rootless mode has the same effect.
    """
    if "userns" not in engine.security_options and not engine.rootless:
        configured = config.setting("userns-remap")
        if configured.value:
            observed = f"configured as {configured.value!r}, but not in force: the daemon was not restarted"
            yield Finding("daemon", observed, "name=userns in SecurityOptions", configured.source)
        else:
            yield Finding(
                "daemon",
                "no userns in SecurityOptions",
                "userns-remap set, or a rootless daemon",
                "docker info:/SecurityOptions",
            )


@check(severity=Severity.LOW)
def authorization_plugin_missing(engine: Engine, config: DaemonConfig, policy: Policy) -> Findings:
    """
    Requests to the engine are authorised one by one.

    Whoever reaches the engine's API may by default do everything with it. An
    authorization plugin decides for each request, by user and by what is asked.

    On Windows only an engine that listens on TCP is asked for one: who may use its
    pipe is told there by the pipe's own rights.

    Remediation:
        Install an authorization plugin, for instance opa-docker-authz, and name
        it in ``"authorization-plugins"`` in daemon.json.
    """
    wanted = policy.authorization_plugins
    active = engine.authorization_plugins
    configured = config.setting("authorization-plugins")
    if config.on_windows and not wanted and not any(map(read_host, config.setting("hosts").value)):
        raise NotApplicable("the engine listens on no TCP port")
    for plugin in wanted or configured.value:
        if plugin not in active:
            yield Finding(
                "daemon",
                f"active: {', '.join(active) or 'none'}",
                plugin,
                "docker info:/Plugins/Authorization",
            )
    if not wanted and not configured.value and not active:
        yield Finding(
            "daemon",
            "no authorization plugin",
            "an authorization plugin",
            "docker info:/Plugins/Authorization",
        )


@check(severity=Severity.HIGH)
def new_privileges_allowed_by_default(engine: Engine, config: DaemonConfig) -> Findings:
    """
    Containers cannot gain privileges by default.

    Without no-new-privileges a setuid program in an image turns an ordinary
    process of a container into root in it. Set for the daemon, it holds for every
    container that does not ask for the contrary.

    Remediation:
        Set ``"no-new-privileges": true`` in daemon.json and restart the daemon.
    """
    setting = config.setting("no-new-privileges")
    if not setting.value:
        yield Finding("daemon", "no-new-privileges = false", "true", setting.source)
    elif (
        engine.version_tuple >= TELLS_NO_NEW_PRIVILEGES and "no-new-privileges" not in engine.security_options
    ):
        observed = "configured, but not in force: the daemon was not restarted"
        yield Finding("daemon", observed, "name=no-new-privileges in SecurityOptions", setting.source)


@check(severity=Severity.LOW)
def seccomp_profile_not_chosen(engine: Engine) -> Findings:
    """
    A daemon-wide seccomp profile is in place where one is needed.

    The engine's built-in profile blocks the system calls that hardly any program
    needs. A profile made for the host's workloads blocks more; whether that is
    worth its upkeep is for a person to say. No profile at all is a deviation.

    Remediation:
        Run containers under the built-in profile at least: do not start the
        daemon with ``--seccomp-profile=unconfined``. Name a profile of your own
        with ``"seccomp-profile"`` in daemon.json.
    """
    profile = engine.security_options.get("seccomp")
    if profile is None or profile == "unconfined":
        observed = "no seccomp support" if profile is None else "unconfined"
        yield Finding(
            "daemon", observed, "the built-in profile or one of your own", "docker info:/SecurityOptions"
        )
    elif profile in ("default", "builtin", ""):
        raise Manual("the built-in profile is in force: do these workloads call for a stricter one?")


@check(severity=Severity.MEDIUM)
def experimental_features_on(engine: Engine) -> Findings:
    """
    Experimental features are off in production.

    Features under trial may change or vanish with the next release, and have had
    less scrutiny than the rest.

    Remediation:
        Remove ``"experimental": true`` from daemon.json, and ``--experimental``
        from the daemon's command line, and restart the daemon.
    """
    if engine.experimental:
        yield Finding("daemon", "ExperimentalBuild = true", "false", "docker info:/ExperimentalBuild")
