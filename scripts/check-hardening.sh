#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# check-hardening.sh FILE: the program is position independent, its relocations are read-only and bound at start, its stack is neither
# executable nor unguarded, libc's checked functions are in use, and its functions are built for control-flow enforcement.
set -euo pipefail
file=$1
status=0

# has WHAT COMMAND PATTERN
has() {
    if $2 | grep -E -- "$3" >/dev/null; then
        echo "ok    $1"
    else
        echo "MISSING $1"
        status=1
    fi
}

has "position independent (PIE)" "readelf -hW $file" 'Type:[[:space:]]+DYN'
has "read-only relocations (RELRO)" "readelf -lW $file" 'GNU_RELRO'
has "bound at start (BIND_NOW)" "readelf -dW $file" '(BIND_NOW|FLAGS.*NOW)'
has "stack not executable" "readelf -lW $file" 'GNU_STACK([[:space:]]+0x[0-9a-f]+){5}[[:space:]]+RW[[:space:]]'
has "stack guarded" "readelf -sW --dyn-syms $file" '__stack_chk_fail'
has "checked libc functions (FORTIFY)" "readelf -sW --dyn-syms $file" '__[a-z]+_chk'
if [ "$(uname -m)" = x86_64 ]; then
    # The program's mark (x86 feature: IBT, SHSTK) is the linker's to give, and Debian 12's start-up objects lack it; our own code has it.
    landings=$(objdump -d --no-show-raw-insn "$file" | grep -c 'endbr64' || true)
    if [ "$landings" -gt 200 ]; then
        echo "ok    control flow: $landings places where an indirect branch may land"
    else
        echo "MISSING control flow: only $landings places where an indirect branch may land"
        status=1
    fi
fi
exit "$status"
