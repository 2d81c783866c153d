# A host hardened as our how-to says; the certificates are there already.
docker rm -f ordinary privileged >/dev/null
ip route add 192.0.2.0/24 via 10.0.2.2 # where its logs go
docker save busybox:lab > /root/image.tar
cat > /etc/docker/daemon.json <<'END'
{
  "default-ulimits": {"nofile": {"Name": "nofile", "Soft": 1024, "Hard": 4096}, "nproc": {"Name": "nproc", "Soft": 512, "Hard": 1024}},
  "hosts": ["unix:///run/docker.sock", "tcp://10.0.2.15:2376"],
  "icc": false,
  "live-restore": true,
  "log-driver": "gelf",
  "log-opts": {"gelf-address": "udp://192.0.2.10:12201"},
  "no-new-privileges": true,
  "tlscacert": "/etc/docker/tls/ca.pem",
  "tlscert": "/etc/docker/tls/server-cert.pem",
  "tlskey": "/etc/docker/tls/server-key.pem",
  "tlsverify": true,
  "userland-proxy": false,
  "userns-remap": "default"
}
END
mkdir -p /etc/systemd/system/docker.service.d
printf '[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd --containerd=/run/containerd/containerd.sock\n' > /etc/systemd/system/docker.service.d/hosts.conf
systemctl daemon-reload
systemctl stop docker.socket docker
systemctl disable -q docker.socket
systemctl start docker
docker load -q < /root/image.tar >/dev/null
rm /root/image.tar
docker network create backend >/dev/null
docker run -d --name api --network backend --publish 10.0.2.15:8443:8443 --read-only --user 1000:1000 --cap-drop ALL \
    --security-opt no-new-privileges --memory 64m --cpus 0.5 --pids-limit 64 --restart on-failure:5 \
    --health-cmd true --health-interval 1h busybox:lab sleep 100000 >/dev/null
