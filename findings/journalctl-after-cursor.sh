#!/bin/sh
# journalctl, and a cursor whose entry is not among those that are asked for.
#
# One would guess: --after-cursor shows all that is newer than the entry which the cursor names, also when that entry
# itself is not shown, or is gone.
# What happens: journalctl seeks to the first entry at or behind the cursor that it would show, and leaves that one out,
# whichever it is.  So an entry is lost when the cursor is of an entry that other matches (here another identifier)
# had let through.  --cursor, which shows the entry itself, loses none.
#
# Seen with systemd and systemd-journal-remote 252.39-1~deb12u2 (Debian 12, amd64).
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download systemd=252.39-1~deb12u2 \
  systemd-journal-remote=252.39-1~deb12u2 libmicrohttpd12=0.9.75-6 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
LIB=$T/root/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH="$LIB:$LIB/systemd:$T/root/lib/x86_64-linux-gnu/systemd:$T/root/lib/systemd"
n=0
for tag in one two two one two; do
  n=$((n + 1))
  printf '__REALTIME_TIMESTAMP=17950000000%s0000\n__MONOTONIC_TIMESTAMP=%s000000\n' "$n" "$n"
  printf '_BOOT_ID=0123456789abcdef0123456789abcdef\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s %s\n\n' "$tag" "$n" "$tag"
done > export
REMOTE=$(find root -name systemd-journal-remote -type f -perm -100 | head -n 1)
"$REMOTE" -o "$T/all.journal" export > remote.out 2>&1 || { cat remote.out; exit 1; }
JOURNALCTL=$(find root -name journalctl -type f -perm -100 | head -n 1)
show() { "$JOURNALCTL" --no-pager -q --file="$T/all.journal" "$@"; }
cursor=$(show -o export --identifier=one | sed -n 's/^__CURSOR=//p' | head -n 1)
messages() { show -o cat --identifier=two "$@" | tr '\n' ';'; }
{
  echo "the cursor is that of \"1 one\""
  echo "all of two: $(messages)"
  echo "--after-cursor: $(messages --after-cursor="$cursor")"
  echo "--cursor: $(messages --cursor="$cursor")"
} > seen
cat > expected <<'END'
the cursor is that of "1 one"
all of two: 2 two;3 two;5 two;
--after-cursor: 3 two;5 two;
--cursor: 2 two;3 two;5 two;
END
cat seen
diff expected seen && echo 'as stated'
