#!/usr/bin/env bash
# Makes a stand-in for the base image of bridge/Dockerfile where no registry of images is reached: Node 24 from npm, with
# the libraries and certificates of this machine and nothing else. One that is there is kept. Fails where there is no
# podman, or none that can run a container.
set -euo pipefail

node_version=24.21.0
image=gcr.io/distroless/nodejs24-debian13:nonroot

can_run() {
  podman --runtime runc --cgroup-manager cgroupfs run --rm --network host \
    --ulimit=nofile=4096:4096 --ulimit=nproc=4096:4096 "$image" /nodejs/bin/node --version
}

if podman image exists "$image"; then
  can_run
  exit
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
case $(uname -m) in
  x86_64) architecture=x64 ;;
  aarch64) architecture=arm64 ;;
  *) echo "no Node for $(uname -m)" >&2; exit 1 ;;
esac
npm install --prefix "$folder" --no-save --ignore-scripts --no-audit --no-fund --loglevel=error \
  "node-linux-$architecture@$node_version"
node=$folder/node_modules/node-linux-$architecture/bin/node

# Node, with what it is linked to.
root=$folder/root
install -D "$node" "$root/nodejs/bin/node"
ldd "$node" | grep -o '/[^ ]*' | sort -u | while read -r library; do
  install -D "$library" "$root$library"
done
install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp"
chmod 1777 "$root/tmp"

tar -C "$root" -c . | podman import --quiet - "$image" >/dev/null

can_run
