#!/bin/bash
# Makes the disk of a whole lab host: Debian trixie with systemd, Docker, AppArmor, audit, sudo and sshd.
#
# Usage: host_image.sh FOLDER MIRROR      (as root; FOLDER gets disk.img, kernel, initrd, id, host_key.pub)
set -euo pipefail
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive

folder=$1 mirror=$2 root=$1/root
packages=systemd-sysv,dbus,udev,docker.io,docker-cli,openssh-server,auditd,apparmor,sudo,openssl,busybox-static
packages=$packages,iproute2,iptables,procps,ca-certificates,linux-image-cloud-amd64
packages=$packages,e2fsprogs,rootlesskit,slirp4netns,uidmap,dbus-user-session # a volume of its own; a daemon without root

debootstrap --variant=minbase --include="$packages" trixie "$root" "$mirror"

echo lab > "$root/etc/hostname"
printf '127.0.0.1 localhost lab\n' > "$root/etc/hosts"
printf '[Match]\nName=en* eth*\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=no\n' > "$root/etc/systemd/network/20-wired.network"
printf 'MaxStartups 100\nUseDNS no\n' > "$root/etc/ssh/sshd_config.d/lab.conf"

ssh-keygen -q -t ed25519 -N '' -C lab -f "$folder/id"
chroot "$root" useradd --create-home --shell /bin/bash audit
chroot "$root" useradd --create-home --shell /bin/bash --groups sudo nosudo
chroot "$root" useradd --create-home --shell /bin/bash --groups docker member
chroot "$root" useradd --create-home --shell /bin/sh plain
echo 'nosudo:lab' | chroot "$root" chpasswd
echo 'audit ALL=(ALL) NOPASSWD: ALL' > "$root/etc/sudoers.d/audit"
for home in /root /home/audit /home/nosudo /home/member /home/plain; do
    install -d -m 700 "$root$home/.ssh"
    install -m 600 "$folder/id.pub" "$root$home/.ssh/authorized_keys"
    chroot "$root" chown -R --reference="$home" "$home/.ssh"
done
cut -d ' ' -f 1,2 "$root/etc/ssh/ssh_host_ed25519_key.pub" > "$folder/host_key.pub"

# A login that starts no session of systemd's: an emulated machine needs seconds for each.
chroot "$root" pam-auth-update --package --disable systemd

chroot "$root" systemctl -q enable systemd-networkd ssh docker docker.socket auditd apparmor
chroot "$root" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
    systemd-networkd-wait-online.service getty@tty1.service serial-getty@ttyS0.service

cp "$root"/boot/vmlinuz-* "$folder/kernel"
cp "$root"/boot/initrd.img-* "$folder/initrd"
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
truncate -s 4G "$folder/disk.img"
mkfs.ext4 -q -d "$root" "$folder/disk.img"
rm -rf --one-file-system "$root"
