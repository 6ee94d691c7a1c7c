#!/bin/sh
# What the tools of lmdb-utils do beside a Postfix map.
#
# One would guess: mdb_stat and mdb_dump only read, so that they change nothing, and work for every account that may
# read the map, as "postmap -q" does.
# What happens: run by root, mdb_stat leaves FILE-lock beside the map, which Postfix never makes or looks at.  Run by an
# account that can read the map and not write in its directory, mdb_stat and mdb_dump fail; and they fail also where
# root's FILE-lock is there, since they want to write to it.
#
# Seen with lmdb-utils and liblmdb0 0.9.24-1 (Debian 12, amd64).  Needs root, to become another account.
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download lmdb-utils=0.9.24-1 liblmdb0=0.9.24-1 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$T/root/usr/lib/x86_64-linux-gnu"
chmod 755 "$T"
mkdir maps
# As Postfix has them: one file, with no lock beside it.
printf 'VERSION=3\nformat=print\ntype=btree\nHEADER=END\n key\n value\nDATA=END\n' > dump
root/usr/bin/mdb_load -n -f dump maps/m.lmdb
rm maps/m.lmdb-lock
chmod 644 maps/m.lmdb
other() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
{
  other cat maps/m.lmdb > /dev/null && echo 'another account can read the map'
  other root/usr/bin/mdb_stat -n maps/m.lmdb 2>&1 || echo "status $?"
  root/usr/bin/mdb_stat -n maps/m.lmdb | grep Entries
  ls maps
  other root/usr/bin/mdb_dump -n maps/m.lmdb 2>&1 || echo "status $?"
} > seen
cat > expected <<'END'
another account can read the map
mdb_env_open failed, error 13 Permission denied
status 1
  Entries: 1
m.lmdb
m.lmdb-lock
mdb_env_open failed, error 13 Permission denied
status 1
END
cat seen
diff expected seen && echo 'as stated'
