#!/usr/bin/env bash
# Whether Go, Rust, Java and Python are here, new enough, and can fetch a package. Names the first that is not.
set -u
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder" || exit 1

go_fetches() {
  mkdir go && cd go && go mod init probe && go get github.com/google/uuid@v1.6.0 &&
    go version | grep -qE 'go1\.(2[1-9]|[3-9][0-9])'
}
rust_fetches() { cargo new --bin rust && cd rust && cargo add itoa && cargo fetch; }
java_fetches() { javac -version && mvn -q dependency:get -Dartifact=junit:junit:4.13.2; }
python_fetches() { python3 -m venv python && python/bin/pip install -q six; }

for language in go rust java python; do
  if ! (timeout 120 bash -c "$(declare -f); ${language}_fetches") >"$language.log" 2>&1; then
    echo "$language: $(tail -1 "$language.log")"
    exit 1
  fi
done
