#!/usr/bin/env bash
# Prints the path of a Python that can run Impasto: 3.11 or newer. $PYTHON, when it is set, must be one.
set -euo pipefail

suits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

if [ -n "${PYTHON:-}" ]; then
    if suits "$PYTHON"; then
        command -v "$PYTHON"
        exit
    fi
    echo "PYTHON=$PYTHON is not a Python 3.11 or newer that runs." >&2
    exit 1
fi
for name in python3 python3.11 python3.12 python3.13 python3.14 python; do
    if suits "$name"; then
        command -v "$name"
        exit
    fi
done
echo "Impasto needs Python 3.11 or newer, and none was found on the PATH." >&2
echo "Install one, or say where it is: make PYTHON=/path/to/python3.11 …" >&2
exit 1
