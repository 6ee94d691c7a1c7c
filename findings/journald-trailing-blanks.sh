#!/bin/sh
# What journald makes of the blanks at the end of a message that comes by syslog(3).
#
# One would guess: MESSAGE is what the program has said, to the last byte.
# What happens: journald takes blanks and tabs off the end of MESSAGE (and not off its beginning), so that two messages which differ in
# them are one text there, and so for all that read it, such as rsyslog's imjournal.  What came is kept whole in
# SYSLOG_RAW, with its priority, stamp and tag, but only where it differs; journalctl shows it with -o json and -o export.
#
# Seen with systemd 252.39-1~deb12u2 (Debian 12, amd64).  Needs root, for a namespace of its own, and python3.
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download systemd=252.39-1~deb12u2 libsystemd-shared=252.39-1~deb12u2 \
  > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
LIB=$T/root/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH="$LIB:$LIB/systemd:$T/root/lib/x86_64-linux-gnu/systemd:$T/root/lib/systemd"
cat > send.py <<'END'
import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.connect('/run/systemd/journal/dev-log')
for text in ['no blank', 'two blanks  ', '  before', 'a tab\t', '   ']:
    s.send(('<22>Nov 28 00:53:00 imapd: ' + text).encode())
END
cat > show.py <<'END'
import json, sys
for line in sys.stdin:
    entry = json.loads(line)
    print(json.dumps(entry['MESSAGE']) + ', ' + json.dumps(entry.get('SYSLOG_RAW')))
END
cat > inside <<'END'
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log
printf '[Journal]\nReadKMsg=no\nAudit=no\n' > /run/systemd/journald.conf.d/own.conf
root/lib/systemd/systemd-journald 2> journald.out &
JOURNALD=$!
trap 'kill "$JOURNALD"' EXIT
until test -S /run/systemd/journal/dev-log; do sleep 0.1; done
python3 send.py
show() { root/bin/journalctl --no-pager -q -D /run/log/journal --identifier=imapd -o json; }
until test -d /run/log/journal && test "$(show | wc -l)" = 5; do sleep 0.1; done
show | python3 show.py > seen
END
unshare --mount --propagation private sh -eu inside
cat > expected <<'END'
"no blank", null
"two blanks", "<22>Nov 28 00:53:00 imapd: two blanks  "
"  before", null
"a tab", "<22>Nov 28 00:53:00 imapd: a tab\t"
"", "<22>Nov 28 00:53:00 imapd:    "
END
cat seen
diff expected seen && echo 'as stated'
