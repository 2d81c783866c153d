# Puts back what install.sh found, and says so in /etc/docker/tls/last. Whoever takes 'armed' away first decides.
# Arguments: the reason, and 'boot' where the daemon has not been started yet
set -u
trap '' HUP PIPE
home=/etc/docker/tls work=$home/.work
if ! mv "$work/armed" "$work/rolling" 2>/dev/null && ! { [ "${2:-}" = boot ] && [ -e "$work/rolling" ]; }; then
    if [ -e "$work/rolling" ]; then echo 'state rolling'; else cat "$home/last" 2>/dev/null; fi
    exit 0
fi
{ read -r config && read -r dropin && read -r new; } < "$work/settings"
restore() {
    rm -f "$2.new"
    if [ -e "$work/backup/$1.absent" ]; then [ ! -e "$2" ] || rm -f "$2"; elif [ -e "$work/backup/$1" ]; then mv -f "$work/backup/$1" "$2"; fi
}
stuck() {
    # What was saved stays where it is, and so does 'rolling': the next start of the host tries again.
    printf 'state stuck\nreason cannot put back %s: mend that, then: sh %s again boot; systemctl restart docker (%s)\n' \
        "$1" "$work/rollback.sh" "$2" > "$home/last"
    cat "$home/last"
    exit 1
}
restore drop-in "$dropin" || stuck "$dropin" "$1"
restore daemon.json "$config" || stuck "$config" "$1"
units=/etc/systemd/system boot=docker-host-auditor-reboot.service
rm -f "$units/docker.service.wants/$boot" "$units/$boot"
rmdir "${dropin%/*}" "$units/docker.service.wants" 2>/dev/null
systemctl daemon-reload
systemctl reset-failed docker.service docker.socket 2>/dev/null
if [ "${2:-}" = boot ]; then
    daemon='starts as before'
elif systemctl restart docker.service; then
    daemon='runs as before'
else
    daemon='does not run: see journalctl -u docker'
fi
rm -rf "$new"
printf 'state old\nreason %s\ndaemon %s\n' "$1" "$daemon" > "$home/last"
cat "$home/last"
rm -rf "$work" /run/docker-host-auditor-rollback
systemctl stop docker-host-auditor-rollback.timer 2>/dev/null
exit 0
