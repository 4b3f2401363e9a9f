#!/bin/sh
# Everything that reads code without running it. Ends with the first failure's code, after all have run.
cd "$(dirname "$0")/.." || exit 1
PATH="$PWD/.venv/bin:$PATH"
export ANSIBLE_CONFIG="$PWD/ansible.cfg" ANSIBLE_STDOUT_CALLBACK=default
code=0
step() {
    echo "== $*" >&2
    "$@" || code=1
}
step ruff check .
step ruff format --check .
step yamllint -s .
step python tools/docs.py --check
step antsibull-changelog lint
step ansible-lint --offline -q
step python tools/sanity.py
exit $code
