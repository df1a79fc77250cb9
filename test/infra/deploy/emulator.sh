#!/usr/bin/env bash
# Installs MiniStack, an emulator of AWS, into a virtual environment in the given folder. Without a folder it says whether
# that works here, and leaves nothing.
set -euo pipefail
folder=${1:-$(mktemp -d)}
if (($# == 0)); then trap 'rm -rf "$folder"' EXIT; fi
python3 -m venv "$folder"
timeout 600 "$folder/bin/pip" install --quiet --disable-pip-version-check ministack==1.5.33
