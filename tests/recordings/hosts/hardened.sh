# What the lab lacks and docs/hardening.md takes for granted; the steps of that page come after it.
docker rm -f ordinary privileged >/dev/null
ip route add 192.0.2.0/24 via 10.0.2.2 # where its logs go
truncate -s 1G /var/disk.img
DISK=$(losetup --find --show /var/disk.img) ADDRESS=10.0.2.15 BASE=busybox:lab
docker save busybox:lab > /var/image.tar
docker() { # there is no registry to pull from
    case $1 in
        pull) command docker load --quiet --input /var/image.tar ;;
        *) command docker "$@" ;;
    esac
}
