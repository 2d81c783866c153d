# Puts certificates and configuration in place and restarts the daemon. Whatever happens on the way, or if nobody confirms
# in time, rollback.sh restores what was there.
# Arguments: folder of the new certificates, daemon.json's path, the drop-in's path, seconds to confirm, whether to validate
# Standard input: lines of name, mode, content in base64; the last line is 'end'. Nothing secret is ever an argument.
set -u
umask 077
trap '' HUP PIPE
home=/etc/docker/tls work=$home/.work unit=docker-host-auditor-rollback
new=$1 config=$2 dropin=$3 seconds=$4 validate=$5
made=''

old() {
    rm -rf "$work"
    [ -z "$made" ] || rm -rf "$new"
    printf 'state old\nreason %s\n' "$*"
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

if [ -e "$work/armed" ] && systemctl --quiet is-active "$unit.timer"; then
    printf 'state busy\nreason another installation waits for its proof\n'
    exit 1
fi
if [ -e "$work/pid" ] && kill -0 "$(cat "$work/pid")" 2>/dev/null; then
    printf 'state busy\nreason another installation is under way\n'
    exit 1
fi
rm -rf "$work"
(umask 022 && mkdir -p "$home" "${config%/*}") || old "cannot make $home"
mkdir "$work" && echo $$ > "$work/pid" || old "cannot write below $home"

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

made=yes
(umask 022 && mkdir "$new") && mv "$work/ca.pem" "$work/server-cert.pem" "$work/server-key.pem" "$new/" && chown -R 0:0 "$new" ||
    old "cannot write $new"
if [ "$validate" = yes ]; then
    dockerd --validate --config-file "$work/daemon.json" > "$work/said" 2>&1 || old "dockerd --validate: $(tail -n 1 "$work/said")"
fi
mkdir "$work/backup" || old "cannot write below $home"
[ ! -e "$config" ] || cp -p "$config" "$work/backup/daemon.json" || old "cannot save $config"
[ ! -e "$dropin" ] || cp -p "$dropin" "$work/backup/drop-in" || old "cannot save $dropin"
printf '%s\n' "$config" "$dropin" "$new" > "$work/settings" && : > "$work/armed" && sync || old "cannot write below $home"
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
