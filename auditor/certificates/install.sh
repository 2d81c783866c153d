# Puts certificates and configuration in place and restarts the daemon. Whatever happens on the way, or if nobody confirms
# in time, rollback.sh restores what was there.
# Arguments: folder of the new certificates, daemon.json's path, the drop-in's path, seconds to confirm, whether to validate
# Standard input: lines of name, mode, content in base64; the last line is 'end'. Nothing secret is ever an argument.
set -u
umask 077
trap '' HUP PIPE
home=/etc/docker/tls work=$home/.work unit=docker-host-auditor-rollback
boot=docker-host-auditor-reboot.service wants=/etc/systemd/system/docker.service.wants
new=$1 config=$2 dropin=$3 seconds=$4 validate=$5
mine='' made=''

old() {
    [ -z "$mine" ] || rm -rf "$work" "$wants/$boot" "/etc/systemd/system/$boot"
    [ -z "$made" ] || rm -rf "$new"
    printf 'state old\nreason %s\n' "$*"
    exit 1
}
busy() {
    printf 'state busy\nreason %s\n' "$*"
    exit 1
}
undo() {
    sh "$work/rollback.sh" "$*"
    exit 1
}
place() {
    (umask 022 && mkdir -p "${2%/*}") || return 1
    if [ -e "$2" ]; then cp -p "$2" "$2.new"; else (umask 022 && : > "$2.new"); fi || return 1
    cat "$1" > "$2.new" && sync && mv -f "$2.new" "$2"
}

save() {
    if [ -e "$1" ]; then cp -p "$1" "$work/backup/$2"; else : > "$work/backup/$2.absent"; fi
}
unit_file() {
    cat << END
# Made by 'auditor certs install', and taken away by it: puts the daemon's TLS back if the host restarts before the proof.
[Unit]
Before=docker.service
ConditionPathExists=|$work/armed
ConditionPathExists=|$work/rolling
ConditionPathExists=!/run/$unit
[Service]
Type=oneshot
ExecStart=/bin/sh $work/rollback.sh "the host was restarted before the proof" boot
END
}

stale=''
[ ! -e "$work" ] || stale=yes
if [ -e "$work/armed" ] && systemctl --quiet is-active "$unit.timer"; then busy 'another installation waits for its proof'; fi
if [ -e "$work/pid" ] && grep -qs docker-host-auditor "/proc/$(cat "$work/pid")/cmdline"; then busy 'another installation is under way'; fi
if [ -e "$work/rolling" ]; then
    busy "an earlier installation is being put back; if it takes minutes, run: sh $work/rollback.sh again boot; systemctl restart docker"
fi
if [ -e "$work/armed" ]; then
    sh "$work/rollback.sh" "an earlier installation was cut off: what it changed was put back, install again"
    exit 1
fi
[ -z "$stale" ] || rm -rf "$work"
(umask 022 && mkdir -p "$home" "${config%/*}") || old "cannot make $home"
# With its number in it from the first moment on, and only one of several that come at once gets it.
mkdir "$work.$$" && echo $$ > "$work.$$/pid" || { rm -rf "$work.$$" && old "cannot write below $home"; }
mv -T "$work.$$" "$work" 2>/dev/null || { rm -rf "$work.$$" && busy 'another installation is under way'; }
mine=yes

complete=''
while read -r name mode data; do
    if [ "$name" = end ]; then complete=yes && break; fi
    printf %s "$data" | base64 -d > "$work/$name" && chmod "$mode" "$work/$name" || old "cannot write $name below $home"
done
[ -n "$complete" ] || old "the connection ended before all was here"
if [ -e "$work/before" ]; then
    [ "$(cat "$work/before")" = "$(cat "$config" 2>/dev/null)" ] || old "$config has changed since the plan was made"
elif [ -e "$config" ]; then
    old "$config has come into being since the plan was made"
fi

# What an attempt that was cut off left; a folder that is in use has another name.
grep -qsF "$new" "$config" || rm -rf "$new"
(umask 022 && mkdir "$new") || old "cannot make $new"
made=yes
mv "$work/ca.pem" "$work/server-cert.pem" "$work/server-key.pem" "$new/" && chown -R 0:0 "$new" ||
    old "cannot write $new"
if [ "$validate" = yes ]; then
    dockerd --validate --config-file "$work/daemon.json" > "$work/said" 2>&1 || old "dockerd --validate: $(tail -n 1 "$work/said")"
fi
mkdir "$work/backup" || old "cannot write below $home"
save "$config" daemon.json || old "cannot save $config"
save "$dropin" drop-in || old "cannot save $dropin"
printf '%s\n' "$config" "$dropin" "$new" > "$work/settings" || old "cannot write below $home"
# The timer ends with a reboot; after one, a unit that the daemon waits for puts back. The mark says that there was none.
(umask 022 && mkdir -p "$wants" && unit_file > "/etc/systemd/system/$boot" && ln -sf "../$boot" "$wants/$boot") &&
    : > "/run/$unit" && : > "$work/armed" && sync || old "cannot write below /etc/systemd/system or $home"
systemd-run --quiet --collect --unit="$unit" --on-active="$seconds" --timer-property=AccuracySec=1s \
    /bin/sh "$work/rollback.sh" "nobody confirmed the new state within $seconds seconds" || old "systemd-run failed"

# From here on rollback.sh puts back. The drop-in goes first: with it alone the daemon still starts, as before.
if [ -e "$work/drop-in" ]; then place "$work/drop-in" "$dropin" || undo "cannot write $dropin"; fi
place "$work/daemon.json" "$config" || undo "cannot write $config"
systemctl daemon-reload || undo "systemctl daemon-reload failed"
systemctl reset-failed docker.service docker.socket 2>/dev/null
if ! systemctl restart docker.service; then
    undo "the daemon does not start: $(journalctl --unit docker.service --lines 30 --output cat --no-pager |
        grep -i 'fail\|unable\|error' | grep -v '^docker.service\|Failed to start' | tail -n 1)"
fi
printf 'state unconfirmed\n'
