#!/bin/sh
# How much of a long message rsyslog takes from a local socket.
#
# One would guess: 8,192 bytes of text, as maxMessageSize is 8k by default.
# What happens: imuxsock cuts the whole datagram, with its priority, stamp and tag, at 8,096 bytes.  So the text that is
# left is shorter by the header, here 8,067 bytes and the blank in front, and nothing in the line tells that it was cut.
#
# Seen with rsyslog 8.2302.0-1+deb12u2 (Debian 12, amd64).  Needs python3, for the socket.
set -eu
T=$(mktemp -d)
RSYSLOG=
trap 'test -z "$RSYSLOG" || kill "$RSYSLOG"; rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download rsyslog=8.2302.0-1+deb12u2 libestr0=0.1.11-1 \
  libfastjson4=1.2304.0-1 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$T/root/usr/lib/x86_64-linux-gnu"
cat > conf <<END
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="$T/socket" UseSpecialParser="on")
template(name="text" type="string" string="%rawmsg%|%syslogtag%|%msg%\n")
action(type="omfile" file="$T/log" template="text")
END
root/usr/sbin/rsyslogd -n -f "$T/conf" -i "$T/pid" -M "$LD_LIBRARY_PATH/rsyslog" &
RSYSLOG=$!
until test -S socket; do sleep 0.1; done
cat > send.py <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect(sys.argv[1])
header = '<22>Nov 28 00:53:00 imap[7]: '
s.send((header + 'short').encode())
s.send((header + 'x' * 9000).encode())
END
python3 send.py "$T/socket"
until test -f log && test "$(grep -c 'imap' log)" = 2; do sleep 0.1; done
awk -F'|' '{ print "datagram " length($1) ", tag " $2 ", text " length($3) }' log > seen
cat > expected <<'END'
datagram 34, tag imap[7]:, text 6
datagram 8096, tag imap[7]:, text 8068
END
cat seen
diff expected seen && echo 'as stated'
