# Reads what an installation must know of a host, and changes nothing. Prints lines: a word, and its value in base64.
# Arguments: the drop-in's path
set -u
say() { printf '%s ' "$1"; base64 | tr -d '\n'; echo; }
config=/etc/docker/daemon.json
systemctl cat docker.service 2>/dev/null | say unit
pid=$(systemctl show --property MainPID docker.service 2>/dev/null)
pid=${pid#MainPID=}
if [ "${pid:-0}" != 0 ] && [ -r "/proc/$pid/cmdline" ]; then
    say argv < "/proc/$pid/cmdline"
    wanted=$(tr '\0' '\n' < "/proc/$pid/cmdline" | grep -A 1 '^--config-file' | head -n 2)
    case $wanted in
    --config-file=*) config=${wanted#--config-file=} config=${config%%
*} ;;
    --config-file*) config=${wanted#*
} ;;
    esac
fi
config=$(readlink -f "$config" || echo "$config")
printf %s "$config" | say path
[ ! -e "$config" ] || say config < "$config"
[ ! -e "$1" ] || say drop-in < "$1"
dockerd --version 2>/dev/null | say version
if dockerd --help 2>/dev/null | grep -q -- '--validate'; then echo yes | say validate; fi
docker ps --quiet 2>/dev/null | say containers
docker info --format '{{.LiveRestoreEnabled}}' 2>/dev/null | say live-restore
echo end
