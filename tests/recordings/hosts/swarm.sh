# A swarm of one node, kept as one should; the engine below it as Debian's packages leave it.
docker rm -f ordinary privileged >/dev/null
ip link add data0 type dummy # an interface of its own for containers' traffic
ip address add 10.9.0.1/24 dev data0
ip link set data0 up
docker swarm init --autolock --cert-expiry 720h --advertise-addr 10.0.2.15 --listen-addr 10.0.2.15:2377 --data-path-addr 10.9.0.1 >/dev/null
docker network create --driver overlay --opt encrypted backend >/dev/null
printf not-in-the-recording | docker secret create web-password - >/dev/null
docker service create --detach --no-resolve-image --name web --network backend --secret web-password \
    --env PASSWORD_FILE=/run/secrets/web-password --limit-memory 64M --limit-cpu 0.5 --limit-pids 64 --read-only --user 1000:1000 \
    --publish mode=host,target=8080,published=8080 busybox:lab sleep 100000 >/dev/null
until docker ps --quiet | grep -q .; do sleep 1; done
