#!/bin/sh
# tools/fetch_data.sh against a fake apt-get: success, repair, damage, absence, dry run, usage.
# Usage: fetch_data_test.sh FETCH_SCRIPT
set -eu
script=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset SOMA_DATA

fail() {
    echo "FAILED: $*" >&2
    exit 1
}
# expect CODE COMMAND...: runs it, keeps its output in $work/out.
expect() {
    wanted=$1
    shift
    code=0
    "$@" >"$work/out" 2>&1 || code=$?
    [ "$code" = "$wanted" ] || fail "exit $code instead of $wanted: $* $(cat "$work/out")"
}
says() { grep -q -- "$1" "$work/out" || fail "no '$1' in: $(cat "$work/out")"; }

# A package with four small files, and a copy of the script that pins their sums.
tree=$work/package
mkdir -p "$tree/DEBIAN" "$tree/usr/share/datasets/fashion-mnist" "$work/bin"
printf 'Package: dataset-fashion-mnist\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: d\n' \
    >"$tree/DEBIAN/control"
cp "$script" "$work/fetch.sh"
for name in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
    file=$tree/usr/share/datasets/fashion-mnist/$name-ubyte.gz
    echo "content of $name" >"$file"
    sum=$(sha256sum "$file" | cut -d' ' -f1)
    sed -i "s#|[0-9a-f]\{64\}|\(.*$name\)#|$sum|\1#" "$work/fetch.sh"
done
dpkg-deb -b "$tree" "$work/fake.deb" >/dev/null
cat >"$work/bin/apt-get" <<END
#!/bin/sh
[ "\$1" = download ] || exit 100
[ -f "$work/fake.deb" ] || { echo "E: Unable to locate package \$2" >&2; exit 100; }
cp "$work/fake.deb" "\$2_1_all.deb"
END
chmod +x "$work/bin/apt-get"
PATH=$work/bin:$PATH
export PATH
root=$work/root

expect 0 sh "$work/fetch.sh" -n -o "$root" fashion-mnist
says 'would download package dataset-fashion-mnist'
[ ! -e "$root" ] || fail "-n changed something"

expect 0 sh "$work/fetch.sh" -o "$root" fashion-mnist
[ "$(ls "$root")" = fashion-mnist ] || fail "left more than the set: $(ls "$root")"
[ "$(find "$root/fashion-mnist" -type f | wc -l)" = 5 ] || fail "need four files and MANIFEST"
grep -q "^$(sha256sum "$root/fashion-mnist/t10k-labels-idx1-ubyte.gz" | cut -d' ' -f1)	28	t10k-labels" \
    "$root/fashion-mnist/MANIFEST" || fail "MANIFEST: $(cat "$root/fashion-mnist/MANIFEST")"
grep -q '^licence	MIT' "$root/fashion-mnist/MANIFEST" || fail "MANIFEST has no licence"

expect 0 sh "$work/fetch.sh" -o "$root" fashion-mnist
says 'already in'

echo damaged >"$root/fashion-mnist/t10k-labels-idx1-ubyte.gz"
expect 0 sh "$work/fetch.sh" -o "$root" fashion-mnist
[ "$(cat "$root/fashion-mnist/t10k-labels-idx1-ubyte.gz")" = 'content of t10k-labels-idx1' ] ||
    fail "a damaged file was not replaced"

(cd "$work" && expect 0 sh "$work/fetch.sh" fashion-mnist && [ -d data/fashion-mnist ]) ||
    fail "the default root is not ./data"
SOMA_DATA=$work/first:$work/second expect 0 sh "$work/fetch.sh" fashion-mnist
[ -d "$work/first/fashion-mnist" ] || fail "SOMA_DATA's first entry is not the root"

# The product script itself pins the real sums: the fake package must be refused, naming both.
expect 1 sh "$script" -o "$work/refused" fashion-mnist
says 'has SHA-256 [0-9a-f]\{64\}; need b0564c3e'
[ -z "$(ls "$work/refused")" ] || fail "a refused package left $(ls "$work/refused")"

rm "$work/fake.deb"
expect 1 sh "$work/fetch.sh" -o "$work/absent" fashion-mnist
says 'Unable to locate package'
says 'by hand'

expect 2 sh "$work/fetch.sh" no-such-set
says 'known: fashion-mnist'
expect 2 sh "$work/fetch.sh"
expect 2 sh "$work/fetch.sh" -x
expect 0 sh "$work/fetch.sh" list
says 'fashion-mnist: package dataset-fashion-mnist, 30.9 MB, MIT'
echo PASSED
