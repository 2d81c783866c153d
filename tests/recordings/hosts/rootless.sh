# No daemon of root's: the user plain has one of his own, installed as Docker's documentation says.
docker rm -f ordinary privileged >/dev/null
docker save --output /var/image.tar busybox:lab
chmod 644 /var/image.tar
systemctl disable --quiet --now docker.socket docker.service
ln -s /usr/share/docker.io/contrib/dockerd-rootless*.sh /usr/bin/ # where Docker's own packages have them
loginctl enable-linger plain
until [ -S /run/user/1003/bus ]; do sleep 1; done
runuser -u plain -- env HOME=/home/plain XDG_RUNTIME_DIR=/run/user/1003 DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1003/bus \
    sh -eu <<'END' >/dev/null
cd
sh /usr/bin/dockerd-rootless-setuptool.sh install
export DOCKER_HOST=unix:///run/user/1003/docker.sock
docker load --quiet --input /var/image.tar
docker run --detach --name web --publish 8080:8080 busybox:lab sleep 100000
END
