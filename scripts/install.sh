#!/bin/sh
# Makes .venv and installs a lock file into it, unless that is done already. POSIX sh: runs before anything is installed.
#   scripts/install.sh requirements.lock       what the helpdesk needs
#   scripts/install.sh requirements-dev.lock   that, and what its tests need
set -eu
lock=$1
python=.venv/bin/python

say() { printf '%s\n' "$*" >&2; }

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
complete() { "$1" -c 'import venv, ensurepip' >/dev/null 2>&1; }

find_python() {
    incomplete=
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        usable "$candidate" || continue
        if complete "$candidate"; then
            echo "$candidate"
            return
        fi
        incomplete=$candidate
    done
    if [ -n "$incomplete" ]; then
        say "$incomplete has no venv module. On Debian or Ubuntu: apt install python3-venv"
    else
        say "Python 3.11 or newer is needed; found: $(python3 --version 2>&1 || true)"
        say "On Debian or Ubuntu: apt install python3 python3-venv. On macOS: brew install python"
    fi
    exit 1
}

# A copied or moved folder, or a removed Python, leaves a .venv that cannot run.
if ! usable "$python" || [ "$("$python" -c 'import sys; print(sys.prefix)')" != "$(pwd -P)/.venv" ]; then
    found=$(find_python)
    say "Creating .venv with $("$found" --version)"
    "$found" -m venv --clear .venv
fi

state=$(cat requirements.lock requirements-dev.lock | cksum)
for installed in "$lock" requirements-dev.lock; do
    # The second lock holds all of the first.
    if [ "$(cat ".venv/installed-$installed" 2>/dev/null || true)" = "$state" ]; then
        exit 0
    fi
done

say "Installing $lock; the first time this takes a minute or two"
"$python" -m pip install --quiet --disable-pip-version-check --requirement "$lock"
rm -f .venv/installed-*
echo "$state" >".venv/installed-$lock"
