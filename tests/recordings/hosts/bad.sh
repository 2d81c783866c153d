# A host that was kept badly; its certificates are there already.
docker rm -f ordinary privileged >/dev/null
cat > /etc/docker/daemon.json <<'END'
{
  "debug": true,
  "hosts": ["unix:///run/docker.sock", "tcp://0.0.0.0:2376"],
  "insecure-registries": ["registry.local:5000"],
  "tlscacert": "/etc/docker/certs/ca.pem",
  "tlscert": "/etc/docker/certs/cert.pem",
  "tlskey": "/etc/docker/certs/key.pem",
  "tlsverify": false
}
END
mkdir -p /etc/systemd/system/docker.service.d
printf '[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd\n' > /etc/systemd/system/docker.service.d/hosts.conf
systemctl daemon-reload
systemctl stop docker.socket docker
systemctl start docker
docker swarm init --advertise-addr 10.0.2.15 >/dev/null
docker run -d --name ci-runner --privileged --restart always -v /run/docker.sock:/var/run/docker.sock -v /:/host \
    --env REGISTRY_PASSWORD=not-in-the-recording busybox:lab sleep 100000 >/dev/null
docker run -d --name monitor --network host --pid host --ipc host --uts host --cap-add SYS_ADMIN --device /dev/mem \
    --security-opt apparmor=unconfined --security-opt seccomp=unconfined -v /etc:/mnt:shared busybox:lab sleep 100000 >/dev/null
docker run -d --name legacy --publish 21:21 --publish 8080:80 --ulimit nofile=9999:9999 --cgroup-parent legacy.slice busybox:lab sleep 100000 >/dev/null
docker create --name forgotten --privileged busybox:lab sleep 1 >/dev/null
