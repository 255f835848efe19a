#!/usr/bin/env bash
# Times racelint on a folder side by side with another program, the anchor.
#
#   benches/against_anchor.sh FOLDER ANCHOR [ARGUMENT]...
#
# A fair anchor is a program that only parses every .rs file below FOLDER: it says what part of the time is parsing.
# FOLDER is given to the anchor as its last argument, or in place of an argument `{}`. The two take turns, so that a
# slow moment of the machine hits both; the medians of the user + system seconds and of the elapsed ones are printed.
#
# Environment: RUNS, rounds (7); JOBS, racelint's threads (1); RACELINT, the binary (default: built from this source).
set -euo pipefail

if [ $# -lt 2 ]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$1
shift
runs=${RUNS:-7}
jobs=${JOBS:-1}

if [ -z "${RACELINT:-}" ]; then
    cargo build --release --quiet --manifest-path "$root/Cargo.toml"
    target=$(cargo metadata --no-deps --format-version 1 --manifest-path "$root/Cargo.toml" |
        sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
    RACELINT=$target/release/racelint
fi

anchor=()
placed=no
for argument in "$@"; do
    if [ "$argument" = '{}' ]; then
        argument=$folder
        placed=yes
    fi
    anchor+=("$argument")
done
[ "$placed" = yes ] || anchor+=("$folder")
racelint=("$RACELINT" --quiet --fail-on never --jobs "$jobs" "$folder")

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Appends `CPU-SECONDS ELAPSED-SECONDS` of a run to a file.
measure() {
    local into=$1
    shift
    local TIMEFORMAT='%U %S %R'
    { time "$@" >/dev/null 2>"$scratch/stderr"; } 2>"$scratch/time" || {
        echo "failed: $*" >&2
        cat "$scratch/stderr" >&2
        exit 1
    }
    awk '{ print $1 + $2, $3 }' "$scratch/time" >>"$into"
}

# The median of a column of a file.
median() {
    awk -v column="$2" '{ print $column }' "$1" | sort -n |
        awk '{ value[NR] = $1 } END { m = int((NR + 1) / 2); print NR % 2 ? value[m] : (value[m] + value[m + 1]) / 2 }'
}

# Once unmeasured, so that both find the files in memory.
measure /dev/null "${anchor[@]}"
measure /dev/null "${racelint[@]}"
for ((round = 0; round < runs; round++)); do
    measure "$scratch/anchor" "${anchor[@]}"
    measure "$scratch/racelint" "${racelint[@]}"
done

printf '%-10s %10s %10s\n' '' 'CPU s' 'elapsed s'
for who in anchor racelint; do
    printf '%-10s %10.3f %10.3f\n' "$who" "$(median "$scratch/$who" 1)" "$(median "$scratch/$who" 2)"
done
awk -v a="$(median "$scratch/anchor" 1)" -v r="$(median "$scratch/racelint" 1)" \
    'BEGIN { if (a > 0) printf "racelint takes %.2f of the CPU time of the anchor\n", r / a }'
