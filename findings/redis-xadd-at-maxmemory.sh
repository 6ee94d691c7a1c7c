#!/bin/sh
# A Redis stream that is to be trimmed when the memory is full.
#
# One would guess: XADD with MINID, which first takes away what is older, is a way to go on with a full stream; what
# may trim may add, and the one command leaves less than there was.
# What happens: at maxmemory, XADD is refused with OOM whatever it would take away, so the stream stays full for ever if
# nobody but XADD trims it.  XTRIM, which only takes away, is allowed; then XADD works again.
#
# Seen with redis-server 5:7.0.15-1~deb12u10 (Debian 12, amd64).
set -eu
T=$(mktemp -d)
SERVER=
trap 'test -z "$SERVER" || kill "$SERVER"; rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download redis-server=5:7.0.15-1~deb12u10 \
  redis-tools=5:7.0.15-1~deb12u10 libjemalloc2=5.3.0-1 liblua5.1-0=5.1.5-9 lua-cjson=2.1.0+dfsg-2.2 \
  lua-bitop=1.0.2-7 liblzf1=3.6-3 libhiredis0.14=0.14.1-3 libatomic1=12.2.0-14+deb12u1 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
export LD_LIBRARY_PATH="$T/root/usr/lib/x86_64-linux-gnu:$T/root/lib/x86_64-linux-gnu"
root/usr/bin/redis-server --port 0 --unixsocket "$T/s" --save '' --dir "$T" \
  --maxmemory-policy noeviction > server.out &
SERVER=$!
cli() { root/usr/bin/redis-cli -s "$T/s" "$@"; }
until test "$(cli ping 2> /dev/null)" = PONG; do sleep 0.1; done
VALUE=$(printf '%01000d' 0)
i=0
while test $((i += 1)) -le 2000; do echo "XADD stream $i-1 field $VALUE"; done | cli > /dev/null
cli config set maxmemory 1mb > /dev/null
{
  echo "entries: $(cli xlen stream)"
  echo "XADD: $(cli xadd stream minid 1999 3000-1 field short)"
  echo "XTRIM: $(cli xtrim stream minid 1999)"
  cli config set maxmemory 2mb > /dev/null
  echo "XADD: $(cli xadd stream minid 1999 3000-1 field short)"
  echo "entries: $(cli xlen stream)"
} > seen
cat > expected <<'END'
entries: 2000
XADD: OOM command not allowed when used memory > 'maxmemory'.
XTRIM: 1998
XADD: 3000-1
entries: 3
END
cat seen
diff expected seen && echo 'as stated'
