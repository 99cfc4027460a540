# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What the shell scripts of this folder share; sourced, never run.

TOP=$(cd "$(dirname "$0")" && pwd -P)
[ -e "$TOP/scripts/common.sh" ] || TOP=${TOP%/*}
JOBS=$(nproc)
export JOBS TOP

die()
{
    echo "primegpu: $*" >&2
    exit 1
}

# Print the comment at the top of the calling script
usage()
{
    sed -n '/^# Usage:/,/^$/{s/^# \{0,1\}//;p}' "$0"
}

# The build folder's settings, written by configure
load_config()
{
    BUILD=$(cd "$1" 2>/dev/null && pwd -P) ||
        die "there is no build folder $1: run ./configure"
    [ -r "$BUILD/config.mak" ] ||
        die "$BUILD is not configured: run ./configure --build=$1"
    FLAVOUR=
    # shellcheck disable=SC1091
    . "$BUILD/config.mak"
    compiler_cache
}

# A second clone finds what the first one compiled: no absolute path of the
# clone may be part of what is hashed
compiler_cache()
{
    export CCACHE_DIR="$CACHE/ccache"
    export CCACHE_NOHASHDIR=1
    case $BUILD in
    "$TOP"/*) export CCACHE_BASEDIR="$TOP" ;;
    *) export CCACHE_BASEDIR="$BUILD" ;;
    esac
}

# Link the sources in folder $1 to folder $2, which mirrors it; links to files
# that are gone are removed
mirror()
{
    mkdir -p "$2"
    find "$2" -xtype l -delete
    (cd "$1" && find . -type d) | while read -r dir; do
        mkdir -p "$2/$dir"
    done
    (cd "$1" && find . -type f ! -name '*.mod.c' \
        \( -name '*.[ch]' -o -name Kbuild -o -name Makefile \) ) | while read -r file; do
        [ -e "$2/$file" ] || ln -s "$1/$file" "$2/$file"
    done
}

