# A host as Debian's packages leave it, with two containers as people start them.
docker rm -f ordinary privileged >/dev/null
docker run -d --name web -p 8080:8080 busybox:lab sleep 100000 >/dev/null
docker run -d --name cache --restart always busybox:lab sleep 100000 >/dev/null
