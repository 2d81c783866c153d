#!/bin/sh
# docker-host-auditor: the collector for Linux hosts. Read it before you run it; it is meant to be read.
#
# It reads and prints. It writes no file, installs nothing, starts no container, enters no container, and prints no
# private key and no value of a container's environment. Each section below tells what it runs and why.
#
# By hand:  sudo sh linux.sh > web1.bundle      (then, elsewhere: auditor evaluate web1.bundle)
# Usage:    sh linux.sh [-z] [-n NONCE] [-s SOCKET] [-t SECONDS] [SECTION...]
#           -z gzip the reply; -n a random word that frames it; -s the engine's unix socket; -t longest time for one
#           command; no SECTION: all.

# Longest time for one command, in seconds, and largest reply of one section, in bytes.
SECONDS_EACH=30
BYTES_EACH=33554432

# Exit statuses that the auditor understands: there is no such thing here; not allowed to look.
ABSENT=66
DENIED=77

# ---- sections: one function each, named section_NAME, '-' written '_' -------------------------------------------

# The machine: kernel, distribution, date, who runs this, kernel security modules.
section_host() {
    named=$(uname -n -r -m) # always in this order
    kernel=${named#* }
    printf 'uid=%s\nkernel=%s\nmachine=%s\nhostname=%s\ndate=%s\n' \
        "$(id -u)" "${kernel% *}" "${kernel##* }" "${named%% *}" "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
    printf 'lsm=%s\n' "$(first_line /sys/kernel/security/lsm)"
    printf 'apparmor=%s\n' "$(first_line /sys/module/apparmor/parameters/enabled)"
    [ -d /sys/fs/selinux ] && printf 'selinux=%s\n' "$(first_line /sys/fs/selinux/enforce)"
    sed -n 's/^\(ID\|VERSION_ID\|PRETTY_NAME\)=/os.\1=/p' /etc/os-release 2>/dev/null
    true
}

# The engine's version.
section_engine_version() {
    told /version
}

# What the engine says of itself.
section_engine_info() {
    said=$(told /info) || return $?
    printf '%s\n' "$said" | redact
}

# The process that owns the engine's socket: its command line, and of its environment the variables that configure it.
section_daemon() {
    printf 'socket %s\n' "$socket"
    [ -n "$daemon_pids" ] || return $ABSENT
    for pid in $daemon_pids; do
        printf 'pid %s %s\n' "$pid" "$daemon_found_by"
        printf 'uid %s\n' "$(sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$pid/status" 2>/dev/null)"
        printf 'exe %s\n' "$(readlink "/proc/$pid/exe" 2>/dev/null)"
        printf 'cwd %s\n' "$(readlink "/proc/$pid/cwd" 2>/dev/null)"
        printf 'started %s\n' "$(started "$pid")"
        sed -n -e 's#^[^:]*:[^:]*:.*/user@[0-9]*\.service/.*/\([^/]*\.service\)$#user-unit \1#p' \
            -e 's#^[^:]*:[^:]*:.*/\([^/]*\.service\)$#unit \1#p' "/proc/$pid/cgroup" 2>/dev/null | head -n 1
        arguments "$pid" | sed 's/^/argument /'
        if [ -r "/proc/$pid/environ" ]; then
            printf 'environment readable\n'
            environment "$pid" | grep -E '^(DOCKER_[A-Z_]*|HOME|XDG_[A-Z_]*|LISTEN_[A-Z]*|NOTIFY_SOCKET|HTTPS?_PROXY|https?_proxy|NO_PROXY)=' |
                redact | sed 's/^/variable /'
        fi
    done
    true
}

# Further daemons on this host, whichever socket was asked: of each its process, its user, the sockets it listens on, and
# the container it runs in if it runs in one. Those with a 'number' are looked at as the first one is, in sections whose
# names end in it; 'elsewhere' has its files in a file system of its own, 'left' is another's turn because -s named one.
section_daemons() {
    printf '%s\n' "$others"
}

# The daemon's configuration file (the one it was started with), values of password-like keys blanked.
section_daemon_config() {
    printf '%s\n' "$config_file"
    [ -e "$config_file" ] || return "$(why_not "$config_file")"
    [ -r "$config_file" ] || { echo "$config_file" >&2; return $DENIED; }
    tr '\n' ' ' < "$config_file" | redact  # a key and its value may be on two lines
}

# Where systemd has the engine's unit, its drop-ins, and the sockets it opens for it.
section_systemd() {
    [ -d /run/systemd/system ] || return $ABSENT
    printf '%s\n' "$units" | redact
    return "$units_status"
}

# TCP ports that are listened on where the daemon runs, and which of these sockets it holds.
section_listeners() {
    [ -n "$daemon_pids" ] || return $ABSENT
    for pid in $daemon_pids; do
        if ! { [ -r "/proc/$pid/fd" ] && [ -x "/proc/$pid/fd" ]; }; then
            echo "descriptors of process $pid" >&2
            return $DENIED
        fi
        { printf '%s\n' "$held"; cat "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6" 2>/dev/null; } | awk -v pid="$pid" '
            NF == 2 && $1 == pid { print "holds", $2 }
            $4 == "0A" { print "listens", $2, $10 }'
    done
}

# For Go templates: the name of each NAME=VALUE whose value could be worth hiding.
names_with_value='{{$n := index (split . "=") 0}}{{$k := lower $n}}{{if not (eq (lower .) $k (print $k "=") (print $k "=true")'\
' (print $k "=false") (print $k "=yes") (print $k "=no") (print $k "=on") (print $k "=off") (print $k "=none") (print $k "=0") (print $k "=1"))}}{{json $n}},{{end}}'

# Every container, running or not, and where links lead that are mounted into one. Of its environment only the names; of its
# arguments only whether a word is 'sshd'.
section_containers() {
    list=$(listed '/containers/json?all=1') || return $?
    [ -n "$list" ] || return 0
    printf 'listed %s\n' $list
    inspected=$(inspect container "$container_template" "$list")
    whole=$?
    { printf '%s\n' "$inspected"; mounted '"Type":"bind","Source":"' "$inspected"; } | redact
    [ $whole = 0 ] && return
    # A container that went away meanwhile is no gap.
    still=$(docker_cli ps --all --quiet --no-trunc) || return $?
    printf '%s\n' "$list" | grep -v -x -F -e "$still" | sed 's/^/gone /'
}
# Go's names, not JSON's (.ID, not .Id): with those the client leaves out no field that is empty.
container_template='{"Id":{{json .ID}},"Name":{{json .Name}},"Created":{{json .Created}},"Image":{{json .Image}},"Path":{{json .Path}},'\
'"Sshd":[{{range .Args}}{{range split . " "}}{{range split . "/"}}{{if eq . "sshd"}}true,{{end}}{{end}}{{end}}{{end}}false],'\
'"Status":{{json .State.Status}},"Pid":{{json .State.Pid}},"ExecIDs":{{json .ExecIDs}},"AppArmorProfile":{{json .AppArmorProfile}},'\
'"ProcessLabel":{{json .ProcessLabel}},"Mounts":{{json .Mounts}},"HostConfig":{{json .HostConfig}},'\
'"Config":{"Image":{{json .Config.Image}},"User":{{json .Config.User}},"Healthcheck":{{json .Config.Healthcheck}},"ExposedPorts":{{json .Config.ExposedPorts}},'\
'"Env":[{{range $i, $e := .Config.Env}}{{if $i}},{{end}}{{json (index (split $e "=") 0)}}{{end}}],'\
'"Service":{{json (index .Config.Labels "com.docker.swarm.service.name")}}},'\
'"NetworkSettings":{"Ports":{{json .NetworkSettings.Ports}},"Networks":{{json .NetworkSettings.Networks}}}}'

# Images: names, digests, layers, configuration. Of the environment only the names of variables that have a value other than true or false.
section_images() {
    list=$(listed_images) || return $?
    [ -n "$list" ] || return 0
    inspect image "$image_template" "$list"
}
image_template='{"Id":{{json .ID}},"RepoTags":{{json .RepoTags}},"RepoDigests":{{json .RepoDigests}},"Created":{{json .Created}},"Os":{{json .Os}},'\
'"Size":{{json .Size}},"Layers":{{json .RootFS.Layers}},'\
'"User":{{with .Config}}{{json .User}}{{else}}null{{end}},"Healthcheck":{{with .Config}}{{json .Healthcheck}}{{else}}null{{end}},'\
'"Env":[{{with .Config}}{{range .Env}}'$names_with_value'{{end}}{{end}}""]}'

# How images were built. What was typed at a build is in there, secrets too: only words that reduce_history knows leave
# the host.
section_image_history() {
    list=$(listed_images) || return $?
    list=$(printf '%s\n' "$list" | head -n "$IMAGES_AT_MOST")
    [ -n "$list" ] || return 0
    {
        printf 'listed %s\n' $list
        for image in $list; do printf '/images/%s/history\n' "$image"; done | converse
    } | reduce_history
}
IMAGES_AT_MOST=1000

# The swarm as this node sees it: the addresses it was told to use; of a manager also its services and the names of its secrets.
section_swarm() {
    told /info > /dev/null || return $?
    seen=$(printf '%s\n' "$answers" | sed -n 's/^swarm //p')
    case $seen in *'"State":"'*'"Root":"'* | *'"Root":"'*'"State":"'*) ;; *) echo 'the engine does not tell whether it is in a swarm' >&2; return 1 ;; esac
    state=${seen#*'"State":"'} root=${seen#*'"Root":"'}
    root=${root%%'"'*} state=${state%%'"'*}
    printf 'state %s\n' "$state"
    [ "$state" != inactive ] || return 0
    if [ -r "$root/swarm/docker-state.json" ]; then
        printf 'addresses {%s}\n' "$(tr -d '\n' < "$root/swarm/docker-state.json" |
            grep -o -E '"(LocalAddr|ListenAddr|AdvertiseAddr|DataPathAddr)":"[^"\\]*"' | paste -s -d , -)"
    else
        not_seen "$root/swarm/docker-state.json"
    fi
    case $state$seen in active*'"Manager":true'*) ;; *) return 0 ;; esac
    echo manager
    list=$(docker_cli service ls --quiet) || return $?
    if [ -n "$list" ]; then
        inspect service "$service_template" "$list" || return $?
    fi
    list=$(docker_cli secret ls --format '{{json .Name}}') || return $?
    [ -z "$list" ] || printf 'secret %s\n' $list
}
service_template='service {"Name":{{json .Spec.Name}},"Env":[{{with .Spec.TaskTemplate.ContainerSpec}}{{range .Env}}'$names_with_value'{{end}}{{end}}""],'\
'"Secrets":[{{with .Spec.TaskTemplate.ContainerSpec}}{{range .Secrets}}{{json .SecretName}},{{end}}{{end}}""],'\
'"Restart":{{with .Spec.TaskTemplate.RestartPolicy}}{"Condition":{{json .Condition}},"MaxAttempts":{{json .MaxAttempts}}}{{else}}null{{end}},'\
'"Ports":{{json .Endpoint.Ports}}}'

# Networks: driver, scope and options, for instance whether containers on the default bridge may talk to each other.
section_networks() {
    said=$(told /networks) || return $?
    printf '%s\n' "$said" | redact
}

# Volumes: where each is mounted, the folder or device that it stands for, if somebody made it so, and where that leads, or the
# place where a plugin put it; further options may hold passwords.
section_volumes() {
    found=$(told /volumes) || return $?
    # Where a plugin has a volume is only told for sure when one asks for that volume.
    list=$(printf '%s\n' "$found" | grep -v '"Driver":"local"' | sed -n 's/.*"Name":"\([^"\\]*\)".*/\1/p')
    # One that is not told now went away, or its plugin does not know it: where it is stays unknown.
    [ -z "$list" ] || found=$found$newline$(inspect volume "$volume_template" "$list" 2>/dev/null)
    elsewhere=$(printf '%s\n' "$found" | grep -v '"Mountpoint":"/[^"]*/volumes/[^"/]*/_data"')
    { printf '%s\n' "$found"; mounted '"Device":"' "$found"; mounted '"Mountpoint":"' "$elsewhere"; } | redact
}
volume_template='{"Name":{{json .Name}},"Mountpoint":{{json .Mountpoint}},"Type":{{json (index .Options "type")}},"Device":{{json (index .Options "device")}}}'

# Processes: name, parent, user, capabilities, and the control group that tells which container they are in. No command line.
section_processes() {
    grep -s -H -E '^(Name|PPid|Uid|CapEff|NoNewPrivs):' /proc/[0-9]*/status
    grep -s -H -m 1 -E '[0-9a-f]{64}' /proc/[0-9]*/cgroup
    true
}

# Owner, group and mode of the files that decide who controls the engine, and of every folder above them.
section_files() {
    set -f --
    for path in $engine_paths; do
        if [ ! -e "$path" ]; then
            not_seen "$path"
        else
            set -- "$@" "$path"
        fi
    done
    [ $# = 0 ] || stat -L -c '%f %u %g %U:%G %s %Y %n' -- "$@"
    set --
    for path in $engine_paths; do
        if [ -e "$path" ] && linked "$path"; then set -- "$@" "$path"; fi
    done
    where_they_lead "$@"
    set +f
    unlistable_folders
}

# Certificates (public by nature) of the daemon, of its neighbours and of clients on this host.
section_certificates() {
    [ -z "$denied_folders" ] || printf '%s\n' "$denied_folders" | sed 's#$#/#; s#^#denied #'
    printf '%s\n' "$ca_file" "$cert_file" "$near_files" | awk 'NF && !seen[$0]++' | while IFS= read -r path; do
        if [ -f "$path" ] && [ -r "$path" ]; then
            found=$(head -c "$BYTES_OF_A_FILE" -- "$path" | certificates)
            # Of the daemon's own files, that there is no certificate in it is worth telling; of the others, not.
            [ -z "$found" ] && [ "$path" != "$ca_file" ] && [ "$path" != "$cert_file" ] || printf 'file %s\n%s\n' "$path" "$found"
        else
            not_seen "$path"
        fi
    done
}

# Private keys near them: where, whether encrypted, and the SHA-256 of the public half. Never a byte of the key.
section_keys() {
    [ -z "$denied_folders" ] || printf '%s\n' "$denied_folders" | sed 's#$#/#; s#^#denied #'
    printf '%s\n' "$key_file" "$near_files" | awk 'NF && !seen[$0]++' | while IFS= read -r path; do
        if ! { [ -f "$path" ] && [ -r "$path" ]; }; then
            not_seen "$path"
        elif ! head -c "$BYTES_OF_A_FILE" -- "$path" | grep -q -e 'PRIVATE KEY-----'; then
            [ "$path" != "$key_file" ] || printf 'unreadable %s\n' "$path"
        elif head -c "$BYTES_OF_A_FILE" -- "$path" | grep -q -e 'ENCRYPTED'; then
            printf 'encrypted %s\n' "$path"
        elif ! command -v openssl >/dev/null; then
            printf 'unknown %s\n' "$path"
        else
            digest=$(head -c "$BYTES_OF_A_FILE" -- "$path" | bounded openssl pkey -passin pass: -pubout -outform DER 2>/dev/null | sha256sum | cut -d ' ' -f 1)
            case "$digest" in
                "$DIGEST_OF_NOTHING") printf 'unreadable %s\n' "$path" ;;
                *) printf 'public %s %s\n' "$digest" "$path" ;;
            esac
        fi
    done
}
BYTES_OF_A_FILE=524288
DIGEST_OF_NOTHING=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# Access lists that grant more than owner, group and mode of these files show; 'unknown' without a tool that tells.
section_access_lists() {
    set -f --
    for path in $engine_paths; do [ ! -e "$path" ] || set -- "$@" "$path"; done
    if command -v getfacl >/dev/null; then
        bounded getfacl --absolute-names --numeric --skip-base -- "$@" 2>/dev/null
        true
    elif ls --version >/dev/null 2>&1; then
        # shellcheck disable=SC2012  # of the tools that are everywhere only ls tells, by a '+' after the mode
        ls -ldLn -- "$@" | sed -n 's#^.\{10\}+[^/]*\(/.*\)$#listed \1#p'
    else
        echo unknown
    fi
}

# Audit rules: those that the kernel has, and those on disk that it gets at its next start.
section_audit_rules() {
    program=$(PATH=$PATH:/usr/sbin:/sbin && command -v auditctl)
    if [ -n "$program" ]; then
        bounded "$program" -s 2>&1 | sed 's/^/kernel /'
        bounded "$program" -l 2>&1 | sed 's/^/loaded /'
    elif [ ! -e /etc/audit ]; then
        echo 'neither auditctl nor /etc/audit' >&2
        return $ABSENT
    fi
    for path in /etc/audit /etc/audit/rules.d /etc/audit/audit.rules /etc/audit/rules.d/*.rules; do
        if [ -d "$path" ]; then [ -r "$path" ] && [ -x "$path" ]; else [ ! -e "$path" ] || [ -r "$path" ]; fi || printf 'denied %s\n' "$path"
    done
    grep -s -H '^[[:space:]]*-' /etc/audit/audit.rules /etc/audit/rules.d/*.rules | sed 's/^/disk /'
}

# Who may command the engine beside root: members of the groups of its sockets, and what sudo grants (no comments).
section_access() {
    sed -n 's/^\(passwd\|group\|sudoers\):/nsswitch &/p' /etc/nsswitch.conf 2>/dev/null
    set --
    for path in /etc/sudoers /usr/etc/sudoers /etc/sudoers.d /etc/sudoers.d/* /etc/doas.conf; do
        case ${path#/etc/sudoers.d/} in *~ | [!/]*.*) continue ;; esac # sudo does not read these
        if [ -e "$path" ] && ! { [ -r "$path" ] && { [ ! -d "$path" ] || [ -x "$path" ]; }; }; then
            printf 'denied %s\n' "$path"
        elif [ -f "$path" ]; then
            set -- "$@" "$path"
        fi
    done
    sudoers=$([ $# = 0 ] || awk 'FNR == 1 { print "file", FILENAME } !/^[ \t]*#([^0-9i]|$)/ && !/^[ \t]*$/ { print "line", $0 }' "$@")
    printf '%s\n' "$sudoers" | redact
    wanted=$(
        printf '%s\n' "$sockets" | while IFS= read -r path; do [ ! -S "$path" ] || printf '%s\n' "$path"; done | xargs stat -L -c %g -- 2>/dev/null
        printf '%s\n' docker "$(flag group)" "$(flag G)" "$(key group)"
        printf '%s\n' "$sudoers" | grep -o -E '%([^][:space:],=:!"\\]|\\.)+' | sed 's/^%#\{0,1\}//; s/\\\(.\)/\1/g'
    )
    { database group; echo; database passwd; } | WANTED=$wanted awk -F : '
        BEGIN { n = split(ENVIRON["WANTED"], word, "\n"); for (i = 1; i <= n; i++) wanted[word[i]] }
        $0 == "" { users = 1 }
        !users && ($1 in wanted || $3 in wanted) { gid[$3]; print "group", $3, $1 ":" $4 }
        users && $0 != "" { known++; if ($4 in gid) print "primary", $4, $3, $1; if ($3 == 0) print "root", $1 }
        END { print "known", known + 0 }'
    printf 'local %s\n' "$(grep -c : /etc/passwd)"
}

# Volumes that the daemon sees (those of containers left out), which part of each it sees where, and where containerd keeps its data.
section_mounts() {
    for pid in $daemon_pids self; do [ ! -r "/proc/$pid/mountinfo" ] || break; done
    awk '{
        for (i = 7; $i != "-"; i++)
            ;
        kind = $(i + 1)
        if (kind == "nsfs") next
        if (kind != "overlay" || $5 == "/") print "mount", $3, kind, $5
        print "shows", $1, $2, $3, $4, $5
    }' "/proc/$pid/mountinfo"
    [ ! -e /etc/containerd/config.toml ] || [ -r /etc/containerd/config.toml ] || echo 'denied /etc/containerd/config.toml'
    sed -n 's/^root *= *["'\'']\(.*\)["'\''].*/containerd-root \1/p' /etc/containerd/config.toml 2>/dev/null
    true
}

# Settings that tell how far the kernel is hardened.
section_kernel_settings() {
    grep -s -H '' /proc/sys/kernel/kptr_restrict /proc/sys/kernel/dmesg_restrict /proc/sys/kernel/randomize_va_space \
        /proc/sys/kernel/unprivileged_bpf_disabled /proc/sys/kernel/yama/ptrace_scope /proc/sys/kernel/modules_disabled \
        /proc/sys/fs/protected_hardlinks /proc/sys/fs/protected_symlinks /proc/sys/net/ipv4/conf/all/rp_filter \
        /sys/kernel/security/lockdown
    true
}

SECTIONS='host daemons engine-version engine-info daemon daemon-config systemd listeners containers images image-history networks volumes swarm processes files access-lists certificates keys audit-rules access mounts kernel-settings'

# What is the same whichever daemon is asked, and how many further daemons are looked at.
OF_THE_HOST='host daemons processes audit-rules kernel-settings'
DAEMONS_AT_MOST=8
OF_THE_ENGINE='engine-version engine-info containers images image-history networks volumes swarm'

# ---- what the sections share ------------------------------------------------------------------------------------

# Run a command with a time limit, where the host can. Docker's client does not always end when it is asked to.
if command -v timeout >/dev/null; then
    bounded() {
        timeout -s KILL "$SECONDS_EACH" "$@"
        ended=$?
        [ $ended != 137 ] || ended=124
        return $ended
    }
else
    bounded() { "$@"; }
fi

# The docker client on the chosen socket. An engine that did not answer once is not asked again.
docker_cli() {
    [ "$engine" = there ] || { echo "$engine" >&2; return "$engine_status"; }
    bounded docker -H "unix://$socket" "$@"
}

# What the engine tells of each thing of a list. No name is taken for an option, and none is split or expanded.
inspect() {
    set -f
    docker_cli "$1" inspect --format "$2" -- $3
    inspected_status=$?
    set +f
    return $inspected_status
}

# What the engine answers to GET requests for the paths that standard input names, as it comes: a conversation over one
# connection, which one client carries and descriptor 4 holds open, because an engine may drop the work for one who has hung up.
converse() {
    exec 5<&0
    : | {
        exec 4>/proc/self/fd/0
        {
            while read -r path; do printf 'GET %s HTTP/1.1\r\nHost: docker\r\n\r\n' "$path"; done <&5
            printf 'GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n'
        } >&4 2>/dev/null &
        docker_cli system dial-stdio 4>&-
    }
}

# What the engine tells without being asked for one thing by name, in one conversation; what waits for plugins last.
ask_engine() {
    left=$newline/version
    case $1 in *containers*) left=$left$newline'/containers/json?all=1' ;; esac
    case $1 in *image*) left=$left$newline/images/json ;; esac
    case $1 in *networks*) left=$left$newline/networks ;; esac
    case $1 in *engine-info* | *swarm*) left=$left$newline/info ;; esac
    case $1 in *volumes*) left=$left$newline/volumes ;; esac
    set -f
    answers=''
    while [ -n "$left" ]; do
        asked=$left left=''
        heard=$({
            said=$({ { printf 'asked %s\n' $asked; printf '%s\n' $asked | converse; printf '\n%s' "$?" >&2; } | reduce_answers >&3; } 2>&1)
            printf '\n%s' "$(printf %s "$said" | tr '\n' ' ')"
        } 3>&1)
        answers=$answers$newline$heard
        silence=${heard##*"$newline"} silence_status=${heard##* }
        for path in $asked; do
            case $answers in *"${newline}answered $path$newline"* | *"${newline}refused $path "*) ;; *) left=$left$newline$path ;; esac
        done
        # An engine, or what stands before it, may hang up after an answer: then the rest is asked anew.
        [ "$silence_status" = 0 ] && [ "$left" != "$asked" ] || break
    done
    set +f
    silence=${silence% *}
    case $silence in Killed | 'Killed ') silence='' ;; esac # what a shell says of a command whose time was over
    [ "$silence_status" != 0 ] || silence_status=1
    [ -n "$silence" ] || silence='nothing that makes sense came back by docker system dial-stdio, which clients have since 18.09'
}

# What the engine told at a path, one line for each thing; else why it did not.
told() {
    [ "$engine" = there ] || { echo "$engine" >&2; return "$engine_status"; }
    case $answers in
        *"${newline}answered $1$newline"*) printf '%s\n' "$answers" | sed -n "s#^$1 ##p" ;;
        *"${newline}refused $1 "*)
            printf '%s\n' "$answers" | sed -n "s#^refused $1 #the engine refuses: #p" | redact >&2
            case $answers in *"${newline}refused $1 403 "*) return $DENIED ;; *) return 1 ;; esac ;;
        *) echo "the engine did not answer: $silence" >&2; return "$silence_status" ;;
    esac
}
listed() {
    things=$(told "$1") || return $?
    printf '%s\n' "$things" | sed 's/^{"Id":"\([0-9a-z:]*\)"}$/\1/' # what is no such name fails when it is asked for
}
# In an order of their own: an engine tells those of one moment in any.
listed_images() { names=$(listed /images/json) && printf '%s\n' "$names" | sort -u; }

# Blank the values of password-like JSON keys, KEY=VALUE options, and credentials in addresses.
redact() {
    sed -E \
        -e 's/("[^"]*(token|passw|secret|credential|access-?key)[^"]*"[[:space:]]*:[[:space:]]*")([^"\\]|\\.)*"/\1***"/gI' \
        -e 's/((token|passw[a-z]*|secret|credential|access-?key)[a-z_-]*=)([^"\\,[:space:]]|\\.)*/\1***/gI' \
        -e 's#("https?Proxy"[[:space:]]*:[[:space:]]*"|^https?_proxy=)[^"]*@#\1***@#gI' \
        -e 's#(://)[^/"[:space:]]*@#\1***@#g'
}

# For awk: reads what an engine answers over HTTP, and calls answer() when a body is whole; 'code' is its status. After
# anything that makes no sense nothing is read any more: what comes then could be taken for another answer.
http_reader='
    BEGIN { expect = "status" }
    function take(line,    rest) {
        if (expect == "nothing") return
        if ((taken += length(line) + 1) > 268435456) {
            expect = "nothing"
            return
        }
        if (need > 0) {
            if (length(line) + 1 <= need) {
                body = body line
                need -= length(line) + 1
            } else {
                body = body substr(line, 1, need)
                rest = substr(line, need + 1)
                need = 0
            }
            if (need > 0) return
            if (expect == "size") {
                if (rest !~ /^\r?$/) expect = "nothing"
            } else {
                answer()
                if (rest != "") take(rest)
            }
            return
        }
        sub(/\r$/, "", line)
        if (expect == "status") {
            if (line ~ /^HTTP\/1\.[01] [0-9][0-9][0-9]( |$)/) {
                code = substr(line, 10, 3)
                body = size = ""
                chunked = 0
                expect = "header"
            } else if (answers) expect = "nothing"
        } else if (expect == "header") {
            if (tolower(line) ~ /^content-length:/) {
                sub(/^[^:]*:[ \t]*/, "", line)
                sub(/[ \t]+$/, "", line)
                if (line !~ /^[0-9]+$/ || (size != "" && size != line)) expect = "nothing"
                size = line
            } else if (tolower(line) ~ /^transfer-encoding:.*chunked/) chunked = 1
            else if (line == "") begin_body()
        } else if (expect == "size") {
            if (line == "") return
            need = hexadecimal(tolower(line))
            if (!need) expect = line ~ /^0+[ \t]*(;|$)/ ? "end" : "nothing"
        } else if (line == "") {
            expect = "status"
            answer()
        }
    }
    function begin_body() {
        if (code ~ /^1/) expect = "status"
        else if (code == 204 || code == 304) {
            expect = "status"
            answer()
        } else if (chunked) expect = "size"
        else if (size == "") expect = "nothing"
        else {
            expect = "status"
            need = size + 0
            if (!need) answer()
        }
    }
    function hexadecimal(text,    i, digit, value) {
        if (text !~ /^[0-9a-f]+[ \t]*(;|$)/) return 0
        for (i = 1; i <= length(text); i++) {
            digit = index("0123456789abcdef", substr(text, i, 1))
            if (!digit) break
            value = value * 16 + digit - 1
        }
        return value + 0
    }
'

# Answers of the engine ('asked PATH' for each, then HTTP) -> of what it lists, an object a line with what is named here of
# it, 'PATH {...}', then 'answered PATH'; or 'refused PATH STATUS WHY'. 'confused' where the answers are not one for each.
reduce_answers() {
    awk "$http_reader"'
        function answer(    path) {
            if (++answers > asked) {
                if (answers > asked + 1) print "confused\n" # one is for /_ping
                return
            }
            path = paths[answers]
            if (code != 200) print "refused " path " " code " " message() "\n"
            else if (understood(path)) print "answered " path "\n"
            else print "refused " path " 200 an answer of " length(body) " bytes that makes no sense\n"
        }
        function message() {
            return match(body, /"message":"([^"\\]|\\.)*"/) ? substr(body, RSTART + 11, RLENGTH > 212 ? 200 : RLENGTH - 12) : ""
        }
        function understood(path) {
            if (path == "/version") {
                print path " {\"Server\":" body "}\n"
                return pick("engine", 1, "Version!")
            }
            if (path == "/info") {
                print path " " body "\n"
                return pick("swarm", 1, "Swarm.LocalNodeState=State Swarm.ControlAvailable=Manager DockerRootDir=Root")
            }
            if (path == "/networks") return pick(path, 2, "Id Name! Driver! Scope Internal Ingress Options")
            if (path == "/volumes") return pick(path, 3, "Name! Driver! Mountpoint! Options.type=Type Options.device=Device")
            return pick(path, 2, "Id!")
        }
        # Whether a text ends in a backslash that escapes what follows.
        function escapes(text,    end, last) {
            for (end = length(text); end >= 512 && substr(text, end - 511, 512) == run; end -= 512)
                ;
            text = substr(text, end > 512 ? end - 511 : 1, end > 512 ? 512 : end)
            for (last = length(text); last && substr(text, last, 1) == "\\";) last--
            return (length(text) - last) % 2
        }
        # Prints of each object at a depth of the body (1: itself; 2: of its list; 3: of its list Volumes) what these paths
        # lead to, under these names. False when the body is no such text, or an object lacks what is marked with "!".
        # A part of a string is looked at once, whatever a label holds.
        function pick(path, level, wanted,    names, must, pair, part, count, i, j, k, sign, piece, quoted, inside, goes_on, depth, kind, key, word, at_key, name, kept, item, met, needed, first, seen, ended, bad) {
            count = split(wanted, part, " ")
            for (i = 1; i <= count; i++) {
                k = sub(/!$/, "", part[i])
                j = split(part[i], pair, "=")
                names[pair[1]] = pair[j]
                if (k) {
                    must[pair[1]]
                    needed++
                }
            }
            count = split(body, part, "\"")
            for (i = 1; i <= count && !bad; i++) {
                piece = part[i]
                if (quoted) {
                    goes_on = escapes(piece)
                    if (kept) print (inside ? "" : "\"") piece "\""
                    else if (at_key && length(word) < 64) word = word piece (goes_on ? "\"" : "")
                    inside = goes_on
                    if (goes_on) continue
                    if (at_key && !kept) key[depth] = word
                    word = ""
                    if (!depth || (depth == level - 1 && level != 3 && !at_key) || (level == 3 && depth == 2 && key[1] == "Volumes")) bad = 1
                    quoted = 0
                    continue
                }
                for (j = 1; j <= length(piece); j++) {
                    sign = substr(piece, j, 1)
                    if (sign ~ /[ \t]/) continue
                    if (ended) bad = 1
                    if (kept && kept == depth && sign ~ /[],}]/) kept = 0
                    if (kept) print sign
                    if (sign ~ /[[{]/) {
                        kind[++depth] = sign
                        at_key = sign == "{"
                        if (depth == level && (level < 3 || key[1] == "Volumes")) {
                            if (sign != "{") bad = 1
                            item = first = 1
                            met = 0
                            print path " {"
                        }
                        if (depth == 1 && sign != (level == 2 ? "[" : "{")) bad = 1
                        if (depth == 2 && level == 3 && key[1] == "Volumes" && sign != "[") bad = 1
                    } else if (sign ~ /[]}]/) {
                        if (!depth || kind[depth] != (sign == "}" ? "{" : "[")) bad = 1
                        if (item && depth == level) {
                            print "}\n"
                            item = 0
                            if (met < needed) bad = 1
                        }
                        at_key = 0
                        ended = !--depth
                    } else if (sign == ",") at_key = kind[depth] == "{"
                    else if (sign == ":") {
                        at_key = 0
                        if (depth == 1 && key[1] == "Volumes") seen = 1
                        if (item && !kept) {
                            name = key[level]
                            for (k = level + 1; k <= depth; k++) name = name "." key[k]
                            if (name in names) {
                                print (first ? "" : ",") "\"" names[name] "\":"
                                first = 0
                                met += name in must
                                kept = depth
                            }
                        }
                    } else if (!depth || (depth == level - 1 && kind[depth] == "[" && (level == 2 || key[1] == "Volumes"))) bad = 1
                    if (bad) break
                }
                quoted = 1
            }
            if (item) print "\n"
            return !bad && ended && quoted && (level < 3 || seen)
        }
        BEGIN {
            ORS = ""
            for (run = "\\"; length(run) < 512;) run = run run
        }
        answers == 0 && expect == "status" && /^asked / { paths[++asked] = $2; next }
        { take($0) }'
}

# Answers of the engine to requests for images' histories ('listed ID' for each, then HTTP) -> 'image ID' and, newest
# first, for each instruction 'KEYWORD<tab>words<tab>names of secrets'; or 'refused STATUS ID'.
#
# Of commands only words of a fixed list remain, of files the paths, of everything else nothing; '_' stands for what is
# left out and '=' for an assignment. A secret is told by its name, or by its kind where it has none.
reduce_history() {
    awk "$http_reader"'
        function answer() {
            if (++answers > listed) return
            if (code != 200 || body !~ /^\[.*\]$/) {
                print "refused " code " " id[answers]
                return
            }
            print "image " id[answers]
            while (match(body, /"CreatedBy":"([^"\\]|\\.)*"/)) {
                created_by = substr(body, RSTART + 13, RLENGTH - 14)
                body = substr(body, RSTART + RLENGTH)
                print instruction(plain(created_by))
            }
        }
        function plain(text) {
            gsub(/\\\\/, "\001", text)
            gsub(/\\[nr]/, "\n", text)
            gsub(/\\t/, " ", text)
            gsub(/\\"/, "\"", text)
            gsub(/\\\//, "/", text)
            gsub(/\\u0026/, "\\&", text)
            gsub(/\\u003c/, "<", text)
            gsub(/\\u003e/, ">", text)
            gsub(/\\u[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]|\\[bf]/, "?", text)
            gsub(/\001/, "\\", text)
            return text
        }
        function instruction(text,    keyword) {
            sub(/ *# buildkit *$/, "", text)
            if (match(text, /^((\/[^ ]*\/)?(ba|da|a|z)?sh( -[a-z]+( pipefail)?)* -[a-z]*c )?#\(nop\) /)) {
                text = substr(text, RLENGTH + 1)
                sub(/^ +/, "", text)
            }
            keyword = text
            sub(/[^A-Z].*/, "", keyword)
            if (keyword !~ /^(ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)$/)
                keyword = text == "" ? "NONE" : "RUN"
            else
                text = substr(text, length(keyword) + 1)
            if (keyword == "RUN") return keyword "\t" commands(text) "\t" secrets(text)
            if (keyword == "ADD" || keyword == "COPY") return keyword "\t" files(text)
            return keyword "\t\t" secrets(text)
        }
        function commands(text,    word, count, i, kept, last, out) {
            sub(/^ +/, "", text)
            if (match(text, /(\/[^ ]*\/)?(ba|da|a|z)?sh( -[a-z]+( pipefail)?)* -[a-z]*c /) && (RSTART == 1 || text ~ /^\|[0-9]+ /))
                text = substr(text, RSTART + RLENGTH)
            gsub(/\\\n/, " ", text)
            gsub(/"[^"]*"/, "_", text)
            gsub(/\047[^\047]*\047/, "_", text)
            gsub(/\|\|/, " ; ", text)
            gsub(/[;&\n()`]/, " ; ", text)
            gsub(/\|/, " | ", text)
            count = split(text, word, / +/)
            for (i = 1; i <= count; i++) {
                if (word[i] == "") continue
                kept = known(word[i], last)
                if (kept != last || (kept != "_" && kept != ";")) out = out (out == "" ? "" : " ") kept
                last = kept
            }
            return out
        }
        function known(word, before) {
            if (word ~ /^[A-Za-z_][A-Za-z0-9_]*=/) return "="
            if (before == "chmod" && word ~ /^([0-7]+|[ugoa]*[-+=][rwxXst]+)$/) return substr(word, 1, 6)
            sub(/^\/(usr\/)?(local\/)?s?bin\//, "", word)
            sub(/=.*/, "", word)
            return word ~ /^([;|!{]|sudo|env|exec|if|then|do|else|time|sh|bash|ash|dash|apt|apt-get|aptitude|apk|yum|dnf|microdnf|tdnf|zypper|pip|pip3|npm|gem|rpm|dpkg|curl|wget|chmod|find|update|upgrade|dist-upgrade|full-upgrade|install|reinstall|build-dep|add|makecache|check-update|refresh|ref|in|up|dup|patch|groupinstall|localinstall|distro-sync|remove|purge|clean|fix|-y|-k|-U|-u|--update|--update-cache|--insecure|--upgrade|--no-cache|--no-install-recommends|--allow-unauthenticated|--force-yes|--nogpgcheck|--no-gpg-checks|--no-gpg-check|--nosignature|--force-bad-verify|--allow-untrusted|--trusted-host|--no-check-certificate)$/ ? word : "_"
        }
        function files(text,    word, count, i, path, out, found) {
            sub(/\n.*/, "", text)
            count = split(text, word, / +/)
            for (i = 1; i <= count; i++) {
                path = word[i]
                if (path == "") continue
                if (path ~ /^--/) sub(/=.*/, "", path)
                else if (path ~ /:\/\//) sub(/:\/\/.*/, "://", path)
                if (path !~ /^[A-Za-z0-9_.\/*:@+-]+$/) path = "_"
                out = out (out == "" ? "" : " ") path
                sub(/.*\//, "", path)
                if (path ~ /^(id_(rsa|dsa|ecdsa|ed25519)|.+\.(key|p12|pfx|jks|kdbx)|\.env|\.npmrc|\.pypirc|\.netrc|\.git-credentials|\.dockercfg|\.pgpass|\.htpasswd)$/)
                    found = with(found, path)
            }
            return out "\t" found
        }
        function secrets(text,    low, name, value, found, start) {
            low = tolower(text)
            if (low ~ /[a-z]:\/\/[^ \/"@:]+:[^ \/"@$]+@/) found = with(found, "credentials-in-an-address")
            if (low ~ /authorization: *(bearer|basic) +[^ $]/) found = with(found, "authorization-header")
            if (low ~ /-----begin [a-z ]*private key/) found = with(found, "private-key")
            if (text ~ /AKIA[0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z][0-9A-Z]/) found = with(found, "aws-access-key")
            if (text ~ /gh[pousr]_[0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z][0-9A-Za-z]/) found = with(found, "github-token")
            while (match(low, /(password|passwd|passphrase|secret|token|credentials?|(api|access|secret|private|auth|encryption)[-_]?key|[-_]pass|[-_]pwd)[0-9]*("?: *|=| +)/)) {
                # The start of the name is looked for backwards: a pattern for it would read a long word once for each of its letters.
                for (start = RSTART; start > 1 && substr(low, start - 1, 1) ~ /[a-z0-9_.-]/;) start--
                name = substr(text, start, RSTART + RLENGTH - start)
                value = text = substr(text, RSTART + RLENGTH)
                low = substr(low, RSTART + RLENGTH)
                if (name ~ / $/ && name !~ /: +$/ && name !~ /^--/) continue
                sub(/^["\047]/, "", value)
                sub(/["\047 \n;&|)].*/, "", value)
                if (value ~ /^([-$<%*]|\/run\/secrets\/)/ || tolower(value) ~ /^(true|false|yes|no|on|off|none|null|0|1)?$/) continue
                gsub(/[^A-Za-z0-9_.-]/, "", name)
                sub(/^[-.]+/, "", name)
                found = with(found, substr(name, 1, 64))
            }
            return found
        }
        function with(found, name) {
            return index("," found ",", "," name ",") ? found : found (found == "" ? "" : ",") name
        }
        answers == 0 && expect == "status" && /^listed / { id[++listed] = $2; print; next }
        { take($0) }'
}

# The first line of a small file, or nothing.
first_line() { { read -r line < "$1" && printf '%s\n' "$line"; } 2>/dev/null; }

# A process's arguments, one a line (a newline within one becomes \001), and its environment likewise.
arguments() { { tr '\n\000' '\001\n' < "/proc/$1/cmdline" | redact; } 2>/dev/null; }
environment() { { tr '\n\000' '\001\n' < "/proc/$1/environ"; } 2>/dev/null; }

# The variable of the daemon's environment, or nothing.
variable() {
    value=$newline$daemon_environment
    case $value in *"$newline$1="*) value=${value#*"$newline$1="} && printf '%s\n' "${value%%"$newline"*}" ;; esac
}

# When a process started, in seconds since 1970.
started() {
    ticks=$(sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20)
    boot=$(sed -n 's/^btime //p' /proc/stat)
    [ -n "$ticks" ] && echo $((boot + ticks / $(getconf CLK_TCK 2>/dev/null || echo 100)))
}

# Why a path is not seen: ABSENT, or DENIED when a folder above it may not be entered.
why_not() { if hidden "$1"; then echo "$DENIED"; else echo "$ABSENT"; fi; }
hidden() {
    case $1 in /*) way=$1 ;; *) way=./$1 ;; esac
    while [ -n "$way" ] && [ ! -e "$way" ]; do way=${way%/*}; done
    [ ! -x "${way:-/}" ]
}

# Everything on disk that decides who controls the engine, one path a line; not all of it has to be there.
engine_files() {
    printf '%s\n' "$sockets"
    for folder in /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin "${daemon_program%/*}"; do
        for name in dockerd containerd containerd-shim containerd-shim-runc-v1 containerd-shim-runc-v2 runc; do printf '%s\n' "$folder/$name"; done
    done
    for folder in /etc/systemd/system /run/systemd/system /usr/local/lib/systemd/system /usr/lib/systemd/system /lib/systemd/system $user_units; do
        case $folder in /lib/*) [ ! -h /lib ] || continue ;; esac # seen as /usr/lib
        printf '%s\n' "$folder/docker.service" "$folder/docker.socket"
        present "$folder"/docker.service.d/*.conf "$folder"/docker.socket.d/*.conf
    done
    if [ -n "$units" ]; then
        printf '%s\n' "$units" | sed -n -e 's/^FragmentPath=//p' -e 's/^EnvironmentFiles=\(.*\) (ignore_errors=.*)$/\1/p'
        printf '%s\n' "$units" | sed -n 's/^DropInPaths=//p' | tr ' ' '\n'
    fi
    # Where a daemon that maps users keeps its data.
    for folder in "$data_root"/[0-9]*.[0-9]*; do [ ! -d "$folder" ] || printf '%s\n' "$folder"; done
    printf '%s\n' "$daemon_program" "$config_file" "$ca_file" "$cert_file" "$key_file" "$data_root" \
        /etc/docker /etc/default/docker /etc/sysconfig/docker /etc/containerd/config.toml /run/containerd /var/lib/containerd /var/run /lib /bin /sbin
    for folder in $certs_folders; do
        printf '%s\n' "$folder"
        [ ! -d "$folder" ] || present "$folder"/*/*.crt "$folder"/*/*.cert "$folder"/*/*.key | head -n 300
    done
}

# Unix sockets of the engine and of containerd: where they usually are, where systemd opens them, where the daemon was told to.
find_sockets() {
    printf '%s\n' "$socket" /run/containerd/containerd.sock "${exec_root:-/run/docker}/containerd/containerd.sock"
    [ -z "$units" ] || printf '%s\n' "$units" | sed -n 's#^Listen=\(/.*\) (.*)$#\1#p'
    printf '%s\n' "$daemon_arguments" "$config" | grep -o 'unix:///[^",[:space:]]*' | sed 's#^unix://##'
    flag containerd
    key containerd
}

# Folders of registries' certificates that cannot be listed.
unlistable_folders() {
    for folder in $certs_folders; do
        for each in "$folder" "$folder"/*; do
            [ ! -d "$each" ] || { [ -r "$each" ] && [ -x "$each" ]; } || printf 'denied %s\n' "$each/*"
        done
    done
}

# Those of its arguments that are there.
present() { for path; do [ ! -e "$path" ] || printf '%s\n' "$path"; done; }

# Users or groups as the host knows them, directory services included.
database() { if command -v getent >/dev/null; then bounded getent "$1"; else cat "/etc/$1"; fi 2>/dev/null; }

# Where paths lead, one line each; empty where that cannot be told in one line.
resolved() {
    leads=$(realpath -- "$@" 2>/dev/null) && [ "$(printf '%s\n' "$leads" | grep -c '')" = $# ] && printf '%s\n' "$leads" && return
    for path; do
        leads=$(readlink -f -- "$path")
        case $leads in *"$newline"*) leads='' ;; esac
        printf '%s\n' "$leads"
    done
}

where_they_lead() {
    [ $# = 0 ] || lead_to=$(resolved "$@")
    for path; do
        printf 'link %s\nresolved %s\n' "$path" "${lead_to%%"$newline"*}"
        lead_to=${lead_to#*"$newline"}
    done
}

# The paths after a mark in an inspection, as the engine mounts them: 'plain PATH' without a link on its way, else where it
# leads. The engine tells a link by its own name. Those that JSON spells otherwise are left out.
mounted() {
    mark=$1 inspection=$2
    set -f --
    for path in $(printf '%s\n' "$inspection" | grep -o "$mark"'[^"\\][^"\\]*"' | sort -u); do
        path=${path#"$mark"} path=${path%'"'}
        case $path in /*) ;; *) path=/$path ;; esac
        if linked "$path"; then
            set -- "$@" "$path"
        elif [ -e "$path" ]; then
            printf 'plain %s\n' "$path"
        else
            not_seen "$path"
        fi
    done
    where_they_lead "$@"
    set +f
}

# That a path is not there ('absent PATH'), or not to be seen ('denied PATH').
not_seen() {
    case $1 in /*) way=$1 ;; *) way=./$1 ;; esac
    while [ -n "$way" ] && [ ! -e "$way" ]; do way=${way%/*}; done
    if [ -x "${way:-/}" ] && [ "$way" != "$1" ]; then printf 'absent %s\n' "$1"; else printf 'denied %s\n' "$1"; fi
}

# Paths, one a line: each, what it resolves to, and every folder above either.
and_above() {
    set -f --
    while IFS= read -r path; do
        climb "$path"
        ! linked "$path" || set -- "$@" "$path"
    done
    [ $# = 0 ] || for path in $(resolved "$@"); do climb "$path"; done
    echo /
}
climb() {
    way=$1
    while case $way in /*) true ;; *) false ;; esac do printf '%s\n' "$way"; way=${way%/*}; done
}

# Whether a link may lie on the way to a path: only then is it worth asking where it leads.
linked() {
    case $1 in *//* | */. | */.. | */./* | */../*) return 0 ;; esac
    way=$1
    while [ -n "$way" ]; do
        [ ! -h "$way" ] || return 0
        way=${way%/*}
    done
    return 1
}

# Whole certificates of a file; a block that holds anything else (it could be a key) is left out.
certificates() {
    awk '
        { sub(/\r$/, "") }
        /^-----BEGIN CERTIFICATE-----[ \t]*$/ { block = ""; inside = 1; next }
        inside && /^-----END CERTIFICATE-----/ {
            print "-----BEGIN CERTIFICATE-----" block "\n-----END CERTIFICATE-----"
            inside = 0
        }
        inside && /^[A-Za-z0-9+\/=]*$/ { block = block "\n" $0; next }
        { inside = 0 }'
}

# The value of a flag on the daemon's command line: --name VALUE or --name=VALUE.
flag() {
    rest=$daemon_arguments$newline value=''
    while [ -n "$rest" ]; do
        word=${rest%%"$newline"*} rest=${rest#*"$newline"}
        case $word in
            -"$1" | --"$1") value=${rest%%"$newline"*} rest=${rest#*"$newline"} ;;
            -"$1"=* | --"$1"=*) value=${word#*=} ;;
        esac
    done
    [ -z "$value" ] || printf '%s\n' "$value"
}

# The value of a string key in the daemon's configuration file: only to know which files to look at.
key() {
    rest=$config
    while case $rest in *"\"$1\""*) true ;; *) false ;; esac do
        value=${rest##*"\"$1\""} rest=${rest%"\"$1\""*}
        value=${value#"${value%%[![:space:]]*}"}
        case $value in :*) value=${value#:} ;; *) continue ;; esac
        value=${value#"${value%%[![:space:]]*}"}
        case $value in '"'*'"'*) value=${value#'"'} && printf '%s\n' "${value%%'"'*}" && return ;; esac
    done
}

# The socket to ask: -s, else DOCKER_HOST if it is a unix socket, else the system's, else this user's own.
find_socket() {
    case "${DOCKER_HOST-}" in unix://*) socket=${socket:-${DOCKER_HOST#unix://}} ;; esac
    chosen=$socket
    [ -n "$socket" ] && return
    for socket in /var/run/docker.sock "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/docker.sock"; do
        [ -S "$socket" ] && return
    done
    socket=/var/run/docker.sock
}

# The processes that hold the socket (systemd, which may have opened it, left out); where that cannot be seen, those called
# dockerd, and of several the one that was told to listen there.
find_daemon() {
    daemon_found_by=socket
    resolved=$(readlink -f "$socket" 2>/dev/null)
    inode=$(awk -v a="$socket" -v b="${resolved:-$socket}" '$4 == "00010000" && ($8 == a || $8 == b || "/var" $8 == a) { print $7; exit }' /proc/net/unix 2>/dev/null)
    called=$(grep -s -l -x dockerd /proc/[0-9]*/comm | cut -d / -f 3)
    held=$(for pid in $called; do printf '%s\n' "/proc/$pid/fd"; done | sockets_held)
    if [ -n "$inode" ]; then
        daemon_pids=$(holders)
        # Only now: to look at every descriptor on the host takes longer than the whole rest.
        [ -n "$daemon_pids" ] || { held=$(printf '%s\n' /proc/[0-9]*/fd | sockets_held) && daemon_pids=$(holders); }
    fi
    [ -n "$daemon_pids" ] && return
    daemon_found_by=name
    for pid in $called; do
        [ -z "$(container_of "$pid")" ] || continue
        told=$(sockets_of "$pid")
        # Where nobody named a socket and there is none at the usual place, the first daemon's own is asked.
        [ -n "$chosen" ] || [ -S "$socket" ] || [ ! -S "${told%%"$newline"*}" ] || socket=${told%%"$newline"*}
        candidates=$candidates${candidates:+$newline}$pid
        for path in $told; do [ "${path#/var}" != "${socket#/var}" ] || daemon_pids=$daemon_pids${daemon_pids:+$newline}$pid; done
    done
    daemon_pids=${daemon_pids:-$candidates}
}

# Of folders of descriptors, one a line, the sockets held: 'PID INODE' for each.
sockets_held() {
    # shellcheck disable=SC2012  # one ls instead of a process for each descriptor
    xargs ls -l /dev/null 2>/dev/null | awk '
        /^\/proc\// { split($0, part, "/"); pid = part[3] }
        /socket:\[[0-9]+\]$/ { sub(/.*\[/, ""); sub(/\]$/, ""); print pid, $0 }'
}
holders() { printf '%s\n' "$held" | awk -v inode="$inode" '$2 == inode && $1 != 1 && !seen[$1]++ { print $1 }'; }

# The container that a process runs in, unless this one runs there too.
container_of() {
    inside=$(sed -n 's/.*\([0-9a-f]\{64\}\).*/\1/p' "/proc/$1/cgroup" 2>/dev/null | head -n 1)
    [ -z "$inside" ] || grep -q -F -e "$inside" /proc/self/cgroup || printf '%s\n' "$inside"
}

# The unix sockets on which a process serves the API: those it holds, in its own network namespace; where these are not
# to be seen, those that it was told of, else the one where it listens by itself.
sockets_of() {
    served=$({ printf '%s\n' "$held"; cat "/proc/$1/net/unix"; } 2>/dev/null | awk -v pid="$1" '
        NF == 2 { if ($1 == pid) own[$2]; next }
        $4 == "00010000" && ($7 in own) && $8 ~ /^\// && $8 !~ /\/(libnetwork\/[^\/]*|swarm\/control|metrics)\.sock$/ { print $8 }')
    [ -n "$served" ] || served=$(arguments "$1" | grep -o 'unix:///.*' | sed 's#^unix://##')
    if [ -z "$served" ] && ! arguments "$1" | grep -q -E '^(-H|--host)'; then
        served=$(sed -n -E -e 's/^Uid:[[:space:]]*0[[:space:]].*/\/var\/run\/docker.sock/p' -e 's/^Uid:[[:space:]]*([0-9]+).*/\/run\/user\/\1\/docker.sock/p' "/proc/$1/status")
    fi
    printf '%s\n' "$served"
}

# Daemons beside the one that is asked. A socket is taken for a daemon's own only where its path leads to the same file
# for the daemon and from here: a daemon in a container has a /var/run/docker.sock as well.
find_others() {
    count=1
    others=$(for pid in $called; do
        case $newline$daemon_pids$newline in *"$newline$pid$newline"*) continue ;; esac
        printf 'pid %s\n' "$pid"
        sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/uid \1/p' "/proc/$pid/status" 2>/dev/null
        container=$(container_of "$pid")
        sockets=$(sockets_of "$pid")
        here=''
        for path in $sockets; do
            printf 'socket %s\n' "$path"
            [ -z "$here" ] && real=$(readlink -f "$path") && [ "$(stat -L -c %d:%i -- "$real" "/proc/$pid/root$real" 2>/dev/null | sort -u | wc -l)" = 1 ] && here=$path
        done
        if [ -n "$container" ]; then
            printf 'container %s\nelsewhere\n' "$container"
        elif [ -z "$here" ] && [ "$(readlink "/proc/$pid/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ]; then
            echo elsewhere
        elif [ -n "$chosen" ] || [ "$count" -gt "$DAEMONS_AT_MOST" ]; then
            echo left
        else
            printf 'number %s\nat %s\n' $((count += 1)) "$here"
        fi
    done)
}

# Whether there is an engine that answers. Only a host without socket, daemon and dockerd program has none.
find_engine() {
    engine=there engine_status=1
    if [ ! -S "$socket" ]; then
        engine="there is no engine's socket at $socket"
        [ -n "$socket" ] || engine='it serves no unix socket that can be told to be its own from here'
        if [ "$(why_not "$socket")" = "$DENIED" ]; then
            engine_status=$DENIED
        elif [ -n "$daemon_pids" ]; then
            engine="a daemon runs, but $engine"
        elif command -v dockerd >/dev/null; then
            engine="the engine is installed but does not run: $engine"
        else
            engine_status=$ABSENT
        fi
    elif ! command -v docker >/dev/null; then
        engine='there is an engine but no docker client to ask it with'
    elif [ ! -w "$socket" ]; then
        engine_status=$DENIED engine="$socket: this user may not use the engine (neither root nor in its group)"
    else
        ask_engine "$of_engine$of_containers"
        case $answers in
            *"${newline}confused$newline"*) engine="the engine at $socket does not answer what it is asked" ;;
            *"${newline}answered "* | *"${newline}refused "*) ;;
            *) engine="the engine at $socket does not answer: $silence" engine_status=$silence_status ;;
        esac
    fi
}

# What systemd says of the engine's units.
find_units() {
    units='' units_status=0
    [ -d /run/systemd/system ] || return 0
    # shellcheck disable=SC2046  # no unit, or one
    units=$(bounded systemctl show --no-pager \
        --property=Id,LoadState,ActiveState,UnitFileState,FragmentPath,DropInPaths,ExecStart,Environment,EnvironmentFiles,Listen,MainPID,NeedDaemonReload,Triggers \
        docker.service docker.socket containerd.service \
        $(for pid in $daemon_pids; do sed -n 's#^[^:]*:[^:]*:.*/\([^/]*\.service\)$#\1#p' "/proc/$pid/cgroup"; done 2>/dev/null | head -n 1))
    units_status=$?
}

# The daemon's files: its configuration file, its certificates and key, and certificates and keys that lie near them.
find_files() {
    daemon_arguments=$(for pid in $daemon_pids; do arguments "$pid"; done)
    daemon_environment=$(for pid in $daemon_pids; do environment "$pid"; done)
    daemon_uid=$(for pid in $daemon_pids; do sed -n 's/^Uid:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$pid/status"; break; done 2>/dev/null)
    case "${daemon_uid:-0} $socket" in "0 /run/user/"* | "0 /var/run/user/"* | [1-9]*) rootless=yes ;; *) rootless='' ;; esac
    home=$(variable HOME)
    [ -n "$home" ] || [ -z "$rootless" ] || [ "$daemon_uid" = "$(id -u)" ] || home=$(database passwd | awk -F : -v uid="$daemon_uid" '$3 == uid { print $6; exit }')
    config_home=$(variable XDG_CONFIG_HOME)
    config_home=${config_home:-${home:-$HOME}/.config}
    config_file=$(flag config-file)
    [ -n "$config_file" ] || [ -z "$rootless" ] || config_file=$config_home/docker/daemon.json
    config_file=${config_file:-/etc/docker/daemon.json}
    [ -r "$config_file" ] && config=$(head -c "$BYTES_OF_A_FILE" -- "$config_file" | tr -d '\n\000') || config=''
    default=$(variable DOCKER_CERT_PATH)
    default=${default:-$(variable DOCKER_CONFIG)}
    default=${default:-${home:-/root}/.docker}
    user_units=''
    [ -z "$rootless" ] || user_units=$(printf '%s\n' "$config_home/systemd/user" /etc/systemd/user /usr/lib/systemd/user)
    certs_folders=$(printf '%s\n' /etc/docker/certs.d "$config_home/docker/certs.d" | sort -u)
    daemon_program=$(for pid in $daemon_pids; do readlink "/proc/$pid/exe"; break; done)
    daemon_program=${daemon_program% (deleted)}
    exec_root=$(flag exec-root)
    exec_root=${exec_root:-$(key exec-root)}
    runtime=$(variable XDG_RUNTIME_DIR)
    [ -z "$rootless" ] || exec_root=${exec_root:-${runtime:-/run/user/$daemon_uid}/docker}
    data_root=$(flag data-root)
    data_root=${data_root:-$(key data-root)}
    data_home=$(variable XDG_DATA_HOME)
    [ -z "$rootless" ] || data_root=${data_root:-${data_home:-${home:-$HOME}/.local/share}/docker}
    data_root=${data_root:-/var/lib/docker}
    ca_file=$(daemon_file tlscacert ca.pem)
    cert_file=$(daemon_file tlscert cert.pem)
    key_file=$(daemon_file tlskey key.pem)
    near_folders=$(folders | sort -u)
    denied_folders=$(printf '%s\n' "$near_folders" | while IFS= read -r folder; do
        if [ -e "$folder" ]; then
            [ ! -d "$folder" ] || { [ -r "$folder" ] && [ -x "$folder" ]; } || printf '%s\n' "$folder"
        elif hidden "$folder"; then
            printf '%s\n' "$folder"
        fi
    done)
    near_files=$(printf '%s\n' "$near_folders" | while IFS= read -r folder; do
        for path in "$folder"/*.pem "$folder"/*.crt "$folder"/*.cer "$folder"/*.key; do
            case $path in *"$newline"*) ;; /*) [ -f "$path" ] && printf '%s\n' "$path" ;; esac
        done
    done | head -n 200)
    sockets=$(find_sockets)
    engine_paths=$(engine_files | and_above | sort -u)
}
newline='
'

# A file the daemon was told of by flag or key, else where it looks by itself.
daemon_file() {
    file=$(flag "$1")
    [ -n "$file" ] || file=$(key "$1")
    [ -n "$file" ] || file=$default/$2
    case $file in /*) ;; *) for pid in $daemon_pids; do file=$(readlink "/proc/$pid/cwd")/$file; break; done ;; esac
    printf '%s\n' "$file"
}

# Folders where certificates and keys of the daemon and of clients lie. The system's own CA store is none of them.
folders() {
    for file in "$ca_file" "$cert_file" "$key_file"; do
        case $file in /etc/ssl/certs/*|/etc/pki/*|/usr/share/ca-certificates/*) ;; *) folder=${file%/*} && printf '%s\n' "${folder:-/}" ;; esac
    done
    printf '%s\n' /etc/docker /etc/docker/*
    { cut -d : -f 6 /etc/passwd; printf '%s\n' /root /home/*; } | while IFS= read -r folder; do
        case $folder in / | '') continue ;; esac
        printf '%s\n' "$folder"/.docker
        [ -d "$folder"/.docker ] || continue
        printf '%s\n' "$folder"/.docker/contexts/tls/*/docker "$folder"/.docker/machine/certs "$folder"/.docker/machine/machines/*
    done
}

# One section, its name with '.2' behind it for the second daemon: begin line, bytes, end line with exit status and what went to standard error.
emit() {
    function=section_$1
    while case $function in *-*) true ;; *) false ;; esac do function=${function%%-*}_${function#*-}; done
    printf -- '--%s begin %s\n' "$nonce" "$1$suffix"
    exec 3>&1
    said=$({ { "$function"; printf '\n%s' "$?" >&2; } | head -c "$BYTES_EACH" >&3; } 2>&1)
    status=${said##*"$newline"}
    said=${said%"$newline"*}
    [ -z "$said" ] || said=$(printf %s "$said" | tail -c 500 | tr '\n\r' '  ')
    printf '\n--%s end %s %s %s\n' "$nonce" "$1$suffix" "$status" "$said"
}

main() {
    zip='' nonce='' socket='' daemon_pids='' candidates=''
    while getopts zn:s:t: option; do
        case $option in
            z) zip=yes ;;
            n) nonce=$OPTARG ;;
            s) socket=$OPTARG ;;
            t) SECONDS_EACH=$OPTARG ;;
            *) exit 2 ;;
        esac
    done
    shift $((OPTIND - 1))
    IFS='
'
    [ -n "$nonce" ] || nonce=$(od -An -N 16 -t x1 /dev/urandom | tr -d ' \n')
    unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH DOCKER_API_VERSION
    find_socket
    find_daemon
    find_others
    if [ "$zip" ] && command -v gzip >/dev/null; then reply "$@" | gzip -1; else reply "$@"; fi
}

reply() {
    printf 'docker-host-auditor bundle 1 %s\n' "$nonce"
    # shellcheck disable=SC2046  # a word for each name
    [ $# != 0 ] || set -- $(printf %s "$SECTIONS" | tr ' ' '\n')
    suffix=''
    sections "$@"
    for line in $(printf '%s\n' "$others" | awk '$1 == "pid" { pid = $2 } $1 == "number" { number = $2 } $1 == "at" { print pid, number, substr($0, 4) }'); do
        daemon_pids=${line%% *} line=${line#* } daemon_found_by=process
        suffix=.${line%% *} socket=${line#* } its=''
        for name; do case " $OF_THE_HOST " in *" $name "*) ;; *) its=$its$newline$name ;; esac done
        [ -z "$its" ] || sections $its
    done
    printf -- '--%s done\n' "$nonce"
}

# The host is looked at while the engine is asked, and the engine for its containers while it is asked for the rest: what
# comes early waits in a pipe for its turn.
sections() {
    of_host='' of_engine='' of_containers=''
    for name; do
        case " $OF_THE_ENGINE " in
            *" $name "*) if [ "$name" = containers ]; then of_containers=$name; else of_engine=$of_engine$newline$name; fi ;;
            *) of_host=$of_host$newline$name ;;
        esac
    done
    if [ -n "$of_engine$of_containers" ]; then engine_half | before host_half; else host_half; fi
}
engine_half() {
    find_engine
    emit_all "$of_engine" | before emit_all "$of_containers"
}
host_half() {
    [ -z "$of_host" ] || { find_units; find_files; }
    emit_all "$of_host"
}
emit_all() { for name in $1; do emit "$name"; done; }

# Run a command, which does not see standard input; then print that.
before() {
    exec 4<&0 < /dev/null
    "$@"
    cat <&4
}

# The docker client asks one thing after the other: threads for more processors would only cost the host.
LC_ALL=C GOMAXPROCS=1
export LC_ALL GOMAXPROCS
umask 077
main "$@" < /dev/null
