# Says how the last installation ended (a new state with its folder), or that it still waits to be confirmed. Changes nothing.
home=/etc/docker/tls work=/etc/docker/tls/.work
if [ -e "$work/pid" ] && grep -qs docker-host-auditor "/proc/$(cat "$work/pid")/cmdline"; then
    echo 'state busy'
elif [ -e "$work/armed" ] && systemctl --quiet is-active docker-host-auditor-rollback.timer; then
    echo 'state unconfirmed'
elif [ -e "$work/rolling" ] || [ -e "$work/armed" ]; then
    # Armed and no timer: the host was restarted, and puts itself back before it starts the daemon.
    echo 'state rolling'
elif [ -e "$work/confirmed" ]; then
    printf 'state new\nfolder %s\n' "$(sed -n 3p "$work/settings")"
elif [ -e "$work" ]; then
    echo 'state old'
else
    cat "$home/last" 2>/dev/null || echo 'state old'
fi
