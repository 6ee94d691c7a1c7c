#!/bin/sh
# How much longer than asked a Redis stream may stay that is trimmed with "~".
#
# One would guess, from stream-node-max-entries = 100: whole nodes of 100 entries go, so that MAXLEN ~ 500 leaves 500 to
# 599, for entries of any size.
# What happens: a node is full with 4,096 bytes as well (stream-node-max-bytes).  Entries of 20 bytes make nodes of 100,
# those of 97 bytes make nodes of 36, and those of 3,000 bytes a node each, which are trimmed exactly.
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
root/usr/bin/redis-server --port 0 --unixsocket "$T/s" --save '' --dir "$T" > server.out &
SERVER=$!
cli() { root/usr/bin/redis-cli -s "$T/s" "$@"; }
until test "$(cli ping 2> /dev/null)" = PONG; do sleep 0.1; done
for size in 20 97 3000; do
  value=$(printf "%0${size}d" 0)
  i=0
  while test $((i += 1)) -le 599; do echo "XADD s$size $i-1 field $value"; done | cli > /dev/null
  nodes=$(cli xinfo stream "s$size" | tr '\n' ' ' | sed 's/.*radix-tree-keys \([0-9]*\) .*/\1/')
  cli xtrim "s$size" maxlen '~' 500 > /dev/null
  echo "$size bytes: $nodes nodes, $(cli xlen "s$size") of 599 entries left"
done > seen
cat > expected <<'END'
20 bytes: 6 nodes, 599 of 599 entries left
97 bytes: 17 nodes, 525 of 599 entries left
3000 bytes: 599 nodes, 500 of 599 entries left
END
cat seen
diff expected seen && echo 'as stated'
