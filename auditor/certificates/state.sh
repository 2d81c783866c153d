# Says how the last installation ended, or that it still waits to be confirmed. Changes nothing.
home=/etc/docker/tls
if [ -e "$home/.work/pid" ] && kill -0 "$(cat "$home/.work/pid")" 2>/dev/null; then
    echo 'state busy'
elif [ -e "$home/.work/armed" ] && systemctl --quiet is-active docker-host-auditor-rollback.timer; then
    echo 'state unconfirmed'
elif [ -e "$home/.work" ]; then
    # Armed and no timer: the host was restarted, and puts itself back before it starts the daemon.
    if [ -e "$home/.work/rolling" ] || [ -e "$home/.work/armed" ]; then echo 'state rolling'; elif [ -e "$home/.work/confirmed" ]; then echo 'state new'; else echo 'state old'; fi
else
    cat "$home/last" 2>/dev/null || echo 'state old'
fi
