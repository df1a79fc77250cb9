#!/usr/bin/env bash
# Makes stand-ins for the base images of bridge/Dockerfile where no registry of images is reached: Node 24 from npm, with
# the libraries and certificates of this machine and nothing else. Those that are there are kept. Fails where there is no
# podman, or none that can run a container.
set -euo pipefail

node_version=24.21.0
npm_version=11.21.2
build=docker.io/library/node:24-slim
run=gcr.io/distroless/nodejs24-debian13:nonroot

can_run() {
  podman --runtime runc --cgroup-manager cgroupfs run --rm --network host \
    --ulimit=nofile=4096:4096 --ulimit=nproc=4096:4096 "$run" /nodejs/bin/node --version
}

if podman image exists "$build" && podman image exists "$run"; then
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
  "node-linux-$architecture@$node_version" "npm@$npm_version"
node=$folder/node_modules/node-linux-$architecture/bin/node

# Copies a program to a path in a root, with what it is linked to.
install_program() {
  local root=$1 program=$2 path=$3
  install -D "$program" "$root$path"
  ldd "$program" | grep -o '/[^ ]*' | sort -u | while read -r library; do
    install -D "$library" "$root$library"
  done
}

for root in "$folder/run" "$folder/build"; do
  install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp"
  chmod 1777 "$root/tmp"
done
install_program "$folder/run" "$node" /nodejs/bin/node
install_program "$folder/build" "$node" /usr/local/bin/node
install_program "$folder/build" /usr/bin/env /usr/bin/env
mkdir -p "$folder/build/usr/local/lib/node_modules"
cp -r "$folder/node_modules/npm" "$folder/build/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$folder/build/usr/local/bin/npm"

tar -C "$folder/run" -c . | podman import --quiet - "$run" >/dev/null
tar -C "$folder/build" -c . | podman import --quiet \
  --change 'ENV HOME=/tmp' \
  --change 'ENV PATH=/usr/local/bin:/usr/bin' \
  --change 'ENV NPM_CONFIG_CAFILE=/etc/ssl/certs/ca-certificates.crt' - "$build" >/dev/null

can_run
