#!/bin/sh
# Pin every dependency with its hashes. Run it to move to newer versions; the files are read by the Makefile.
set -eu
cd "$(dirname "$0")/.."
lock() {
    out=$1
    shift
    .venv/bin/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-header \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links -o "$out" "$@" pyproject.toml
}
lock requirements/base.txt
lock requirements/dev.txt --extra dev --extra postgres
