#!/bin/sh
# What rsyslog takes for the tag when a relay has put its own header before a line that has one.
#
# One would guess: the tag is the program's, or else the whole second stamp.
# What happens: the tag ends at the first colon or blank.  With a second header of RFC 3339 it is the date and the hour,
# `2026-11-23T00:`, and the text begins with the minutes; the host and the program are words in it.  With one of the old
# form it is the name of the month, and the text begins with the day.
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
module(load="imptcp")
input(type="imptcp" path="$T/socket")
template(name="parts" type="string" string="host %hostname%, tag %syslogtag%, text%msg:::sp-if-no-1st-sp%%msg%\n")
action(type="omfile" file="$T/log" template="parts")
END
root/usr/sbin/rsyslogd -n -f "$T/conf" -i "$T/pid" -M "$LD_LIBRARY_PATH/rsyslog" &
RSYSLOG=$!
until test -S socket; do sleep 0.1; done
cat > send.py <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.connect(sys.argv[1])
for header in ['', '2026-11-23T00:53:00.123456+00:00 mx ', 'Nov 23 00:53:00 mx ']:
    s.send(('<22>2026-11-23T00:53:01+00:00 relay ' + header + 'imapd[7]: hello\n').encode())
END
python3 send.py "$T/socket"
until test -f log && test "$(grep -c 'hello' log)" = 3; do sleep 0.1; done
grep hello log > seen
cat > expected <<'END'
host relay, tag imapd[7]:, text hello
host relay, tag 2026-11-23T00:, text 53:00.123456+00:00 mx imapd[7]: hello
host relay, tag Nov, text 23 00:53:00 mx imapd[7]: hello
END
cat seen
diff expected seen && echo 'as stated'
