#!/bin/sh
# Obtains optional data sets without installing anything: apt-get download into a temporary folder,
# dpkg-deb -x, the data files checked and moved into ROOT/SET beside a MANIFEST. No root rights;
# nothing from a package is executed. An interrupted fetch leaves nothing behind.
#
# To add a set: a row in sets() and its rows in files().
set -eu

usage() {
    cat <<'END'
usage: tools/fetch_data.sh [-o ROOT] [-n] SET...     fetch sets ("all" for every one)
       tools/fetch_data.sh list                      what there is
  -o ROOT  folder that gets one sub-folder a set (default: first entry of SOMA_DATA, else ./data)
  -n       say what would be done, do nothing
example: tools/fetch_data.sh fashion-mnist && soma train fashion_cnn
exit codes: 0 all present, 1 something could not be obtained, 2 wrong usage
END
}

# set|package|download MB|licence|where the publisher offers it
sets() {
    cat <<'END'
fashion-mnist|dataset-fashion-mnist|30.9|MIT (Zalando)|https://github.com/zalandoresearch/fashion-mnist
END
}

# set|sha256|path inside the package
files() {
    cat <<'END'
fashion-mnist|b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7|usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz
fashion-mnist|0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056|usr/share/datasets/fashion-mnist/train-labels-idx1-ubyte.gz
fashion-mnist|cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa|usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz
fashion-mnist|8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05|usr/share/datasets/fashion-mnist/t10k-labels-idx1-ubyte.gz
END
}

say() { echo "fetch_data: $*"; }
complain() { echo "fetch_data: $*" >&2; }

# field SET NUMBER: a column of the table of sets.
field() { sets | awk -F'|' -v set="$1" -v n="$2" '$1 == set { print $n }'; }
files_of() { files | awk -F'|' -v set="$1" '$1 == set { print $2 "|" $3 }'; }
sha256_of() { sha256sum "$1" | cut -d' ' -f1; }

list_sets() {
    sets | awk -F'|' '{ print $1 ": package " $2 ", " $3 " MB, " $4 }'
}

# present SET: whether ROOT already holds every file with the right sum.
present() {
    for row in $(files_of "$1"); do
        file=$root/$1/$(basename "${row#*|}")
        [ -f "$file" ] && [ "$(sha256_of "$file")" = "${row%%|*}" ] || return 1
    done
}

# unpack PACKAGE FOLDER
unpack() {
    (cd "$2" && apt-get download "$1" >apt.log 2>&1) || {
        complain "apt-get could not download $1: $(tail -n 1 "$2/apt.log" 2>/dev/null)"
        return 1
    }
    dpkg-deb -x "$2/$1"_*.deb "$2/tree"
}

# collect SET: checked files and MANIFEST from the unpacked package into ROOT/SET.tmp.
collect() {
    new=$root/$1.tmp
    rm -rf "$new"
    mkdir -p "$new" || return 1
    for row in $(files_of "$1"); do
        wanted=${row%%|*} path=${row#*|}
        file=$new/$(basename "$path")
        cp "$work/tree/$path" "$file" || return 1
        found=$(sha256_of "$file")
        if [ "$found" != "$wanted" ]; then
            complain "$1: $path has SHA-256 $found; need $wanted"
            return 1
        fi
        printf '%s\t%s\t%s\n' "$found" "$(wc -c <"$file" | tr -d ' ')" "$(basename "$path")"
    done >"$new/MANIFEST" || return 1
    version=$(basename "$work/$package"_*.deb | cut -d_ -f2)
    printf 'package\t%s\nversion\t%s\nlicence\t%s\n' "$package" "$version" "$(field "$1" 4)" \
        >>"$new/MANIFEST"
}

# publish SET: ROOT/SET.tmp becomes ROOT/SET, replacing an older or damaged one.
publish() {
    rm -rf "$root/$1.old"
    if [ -e "$root/$1" ]; then mv "$root/$1" "$root/$1.old" || return 1; fi
    mv "$root/$1.tmp" "$root/$1" && rm -rf "$root/$1.old"
}

# fetch SET
fetch() {
    package=$(field "$1" 2)
    if present "$1"; then
        say "$1: already in $root/$1"
        return 0
    fi
    if [ "$dry" = yes ]; then
        say "$1: would download package $package ($(field "$1" 3) MB, $(field "$1" 4)) to $root/$1"
        return 0
    fi
    say "$1: downloading package $package ($(field "$1" 3) MB, $(field "$1" 4))"
    work=$(mktemp -d)
    if unpack "$package" "$work" && collect "$1" && publish "$1"; then
        rm -rf "$work"
        say "$1: now in $root/$1"
        return 0
    fi
    rm -rf "$work" "$root/$1.tmp"
    complain "$1: not obtained; by hand: apt-get update, then again, or take the files from"
    complain "    $(field "$1" 5) and put them into $root/$1"
    return 1
}

root=${SOMA_DATA:-}
root=${root%%:*}
root=${root:-data}
dry=no
work=
while getopts o:nh option; do
    case $option in
    o) root=$OPTARG ;;
    n) dry=yes ;;
    h)
        usage
        exit 0
        ;;
    *)
        usage >&2
        exit 2
        ;;
    esac
done
shift $((OPTIND - 1))
if [ $# -eq 0 ]; then
    usage >&2
    exit 2
fi
if [ "$*" = list ]; then
    list_sets
    exit 0
fi
if [ "$*" = all ]; then
    # shellcheck disable=SC2046  # set names are single words
    set -- $(sets | cut -d'|' -f1)
fi
for set in "$@"; do
    if [ -z "$(field "$set" 2)" ]; then
        complain "unknown set $set; known: $(sets | cut -d'|' -f1 | tr '\n' ' ')"
        exit 2
    fi
done

current=
trap 'rm -rf "${work:-/nonexistent}" "$root/${current:-no-set}.tmp"' EXIT
trap 'exit 1' INT TERM
status=0
for set in "$@"; do
    current=$set
    fetch "$set" || status=1
done
exit "$status"
