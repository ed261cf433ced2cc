#!/usr/bin/env bash
# Runs once, when Gradescope builds the image: a Python of its own for the grader.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
source="$root/source"

is_usable() {
    command -v "$1" >/dev/null && "$1" -c '
import sys, venv, ensurepip
sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

find_python() {
    for python in python@PYTHON@ python3 python3.13 python3.12 python3.11 python3.14; do
        if is_usable "$python"; then
            echo "$python"
            return
        fi
    done
}

if [ ! -x "$root/venv/bin/python" ]; then
    python="$(find_python)"
    if [ -z "$python" ]; then
        export DEBIAN_FRONTEND=noninteractive
        apt-get update
        for version in @PYTHON@ 3.13 3.12 3.11; do
            apt-get install -y "python$version" "python$version-venv" && break
        done
        python="$(find_python)"
    fi
    if [ -z "$python" ]; then
        echo "no Python 3.11 or newer can be had here: choose a newer base image (Ubuntu 22.04)"
        exit 1
    fi
    "$python" -m venv "$root/venv"
fi

install() {
    "$root/venv/bin/python" -m pip install -q --disable-pip-version-check \
        -r "$source/requirements.txt" "$source"/*.whl "$@"
}
install -c "$source/constraints.txt" || {
    echo "warning: not with the versions in constraints.txt; taking the newest"
    install
}
# An environment that was there before may hold another wheel of the same version.
"$root/venv/bin/python" -m pip install -q --disable-pip-version-check \
    --force-reinstall --no-deps "$source"/*.whl
# Nobody but this user has business with the solution and the hidden checks.
chmod -R go-rwx "$source"
"$root/venv/bin/python" -m grader doctor || true
