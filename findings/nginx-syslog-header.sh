#!/bin/sh
# The header of what nginx sends to a syslog socket.
#
# One would guess: on a socket of this host it is that of syslog(3), a priority, a stamp and the tag, which is what reads
# /dev/log expects.
# What happens: the name of the host stands before the tag, as in a datagram over the network.  So the reader of /dev/log
# takes the name for the first word of the message: journald finds no identifier, rsyslog writes the host twice.  With
# "nohostname" the header is that of syslog(3).
#
# Seen with nginx 1.22.1-9+deb12u11 (Debian 12, amd64).  Needs python3, for the socket.
set -eu
T=$(mktemp -d)
trap 'rm -rf $T' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download nginx=1.22.1-9+deb12u11 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$T/root/usr/lib/x86_64-linux-gnu:$T/root/lib/x86_64-linux-gnu"
cat > once.py <<'END'
"""Prints what a UNIX socket gets: the first datagram, and the one of the end."""
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
s.settimeout(20)
print('ready', flush=True)
print(s.recv(4096).decode(), flush=True)
while True:
    text = s.recv(4096).decode()
    if text.endswith('exiting'):
        print(text, flush=True)
        break
END
HOST=$(uname -n)
header() {
  python3 once.py "$T/$1.sock" > "$1.out" &
  listener=$!
  until grep -qs ready "$1.out"; do sleep 0.1; done
  printf 'daemon off; pid %s; error_log syslog:server=unix:%s%s notice; events {}\n' \
    "$T/pid" "$T/$1.sock" "$2" > "$1.conf"
  # It says at the level notice that it begins, and that it ends.
  root/usr/sbin/nginx -p "$T" -c "$T/$1.conf" -e "$T/early.log" &
  nginx=$!
  until test "$(grep -c nginx "$1.out")" = 1 && test -s pid; do sleep 0.1; done
  kill "$nginx"
  wait "$nginx" || true
  wait "$listener"
  sed -n '3s/: .*//p' "$1.out" |
    sed -E "s/[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}/STAMP/; s/ $HOST / HOST /"
}
{
  echo "as it is: $(header plain '')"
  echo "nohostname: $(header short ,nohostname)"
} > seen
cat > expected <<'END'
as it is: <189>STAMP HOST nginx
nohostname: <189>STAMP nginx
END
cat seen
diff expected seen && echo 'as stated'
