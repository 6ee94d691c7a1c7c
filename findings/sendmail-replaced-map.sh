#!/bin/sh
# A hash map that is put in the place of the old one, by rename(2), while a sendmail has it open.
#
# One would guess: a process that goes on sees the new file at its next question, since sendmail looks at the map each time and
# opens it anew when it has changed; or that it goes on with the old one until it ends.
# What happens: it looks at the time of the file that it has open, not at what has its name now.  So it sees nothing of the
# new one, however much later that is; but once the old file, which has no name any more, gets a later time, it opens the new one.
# Whoever replaces such a map, and keeps a descriptor of the old one for that, reaches the processes that run.
#
# Seen with sendmail-bin 8.17.1.9-2+deb12u2 (Debian 12, amd64).
set -eu
T=$(mktemp -d)
PID=
trap 'test -z "$PID" || kill "$PID"; rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download sendmail-bin=8.17.1.9-2+deb12u2 libdb5.3=5.3.28+dfsg2-1 libldap-2.5-0=2.5.13+dfsg-5 \
  liblockfile1=1.17-1+b1 libnsl2=1.3.0-2 libwrap0=7.6.q-32 libtirpc3=1.3.3+ds-1 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$T/root/usr/lib/x86_64-linux-gnu:$T/root/lib/x86_64-linux-gnu"
# The directory above may be anybody's, which sendmail does not take otherwise.
cat > cf <<END
V10/Berkeley
O DontBlameSendmail=MapInUnsafeDirPath
Kmap hash $T/map
Mlocal, P=/bin/true, F=l, S=0, R=0, A=true
Mprog, P=/bin/true, F=l, S=0, R=0, A=true
END
make_map() { echo "key $2" | root/usr/libexec/sendmail/makemap -C "$T/cf" hash "$1"; }
make_map map old
mkfifo questions
# A host without a domain would make it wait for a minute.
unshare --uts sh -c 'hostname mail.example.com && exec root/usr/libexec/sendmail/sendmail -C cf -bt' < questions > answers 2>&1 &
PID=$!
exec 3> questions
# It keeps some answers to itself until it has many: each question is put 200 times.
N=0
ask() {
  yes '/map map key' | head -n 200 >&3
  until test "$(grep -c 'map_lookup.*)$' answers)" -gt $((N + 100)); do sleep 0.1; done
  N=$((N + 200))
  echo "$1: $(grep 'map_lookup.*)$' answers | tail -n 1 | sed 's/^> //')"
}
{
  ask 'at first'
  ln map.db former.db
  make_map next new
  touch -d '+1 hour' next.db
  mv next.db map.db
  ask 'replaced by a later one'
  touch -d '+2 hours' former.db
  ask 'the old one touched'
} > seen
cat > expected <<'END'
at first: map_lookup: map (key) returns old (0)
replaced by a later one: map_lookup: map (key) returns old (0)
the old one touched: map_lookup: map (key) returns new (0)
END
cat seen
diff expected seen && echo 'as stated'
