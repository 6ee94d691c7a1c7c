#!/bin/sh
# A Postfix map whose file has length 0.
#
# One would guess: it is a map without rows, so that nothing is found in it; or it is broken for every program alike.
# What happens: readers end with an error (smtpd then defers mail), each type with other words; but "postmap -i", which
# adds a row, makes a good map of an lmdb: file of length 0 without a word, and of a hash: file with a warning.  Of a
# cdb: file it does not: that type cannot be added to at all.
#
# Seen with postfix, postfix-lmdb and postfix-cdb 3.7.11-0+deb12u1 (Debian 12, amd64).
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download postfix=3.7.11-0+deb12u1 postfix-lmdb=3.7.11-0+deb12u1 postfix-cdb=3.7.11-0+deb12u1 liblmdb0=0.9.24-1 libcdb1=0.78+b1 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
# Its programs want to know where their libraries and types of maps are.
export LD_LIBRARY_PATH="$T/root/usr/lib/postfix:$T/root/usr/lib/x86_64-linux-gnu"
mkdir conf
printf "compatibility_level = 3.6\nshlib_directory = %s\nmeta_directory = %s\n" "$T/root/usr/lib/postfix" "$T/conf" > conf/main.cf
touch -d 2020-01-01 conf/main.cf
export MAIL_CONFIG="$T/conf"
printf 'lmdb\tpostfix-lmdb.so\tdict_lmdb_open\tmkmap_lmdb_open\ncdb\tpostfix-cdb.so\tdict_cdb_open\tmkmap_cdb_open\n' > conf/dynamicmaps.cf
: > m.lmdb
: > m.db
: > m.cdb
postmap() { root/usr/sbin/postmap "$@" 2>&1 | sed "s|$T/||"; }
{
  for type in lmdb hash cdb; do
    echo "$type:"
    postmap -q key "$type:$T/m"
    echo 'key value' | postmap -i "$type:$T/m"
    postmap -q key "$type:$T/m"
  done
} > seen
cat > expected <<'END'
lmdb:
postmap: fatal: open database m.lmdb: Bad file descriptor
value
hash:
postmap: fatal: open database m.db: Invalid argument
postmap: warning: removing zero-length database file: m.db
value
cdb:
postmap: fatal: dict_cdbq_open: unable to init m.cdb: Protocol error
postmap: fatal: dict_cdb_open: inappropriate open flags for cdb database - specify O_RDONLY or O_WRONLY|O_CREAT|O_TRUNC
postmap: fatal: dict_cdbq_open: unable to init m.cdb: Protocol error
END
cat seen
diff expected seen && echo 'as stated'
