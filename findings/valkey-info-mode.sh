#!/bin/sh
# How Valkey says in INFO that it is a node of a cluster.
#
# One would guess: a client that reads "redis_mode" there, as it does of Redis, reads it of Valkey too, which keeps "redis_version" in the
# same section for just such clients.
# What happens: the one field has another name ("server_mode"), and the old one is not there beside it.  A client that compares
# redis_mode with "cluster" takes the node of a cluster for a server of its own, until a key of another node answers MOVED.
# The old name comes back with extended-redis-compatibility, which is off unless it is set, and then takes the place of the new one.
#
# Seen with valkey-server 8.1.1+dfsg1-3+deb13u3 (Debian 13, amd64, run with its own C library).
set -eu
T=$(mktemp -d)
SERVER=
trap 'test -z "$SERVER" || kill "$SERVER"; rm -rf "$T"' EXIT
cd "$T"
# Debian 13's lists, beside this machine's own: from where its own come.
mkdir -p lists/partial sources
sed 's/bookworm/trixie/g' /etc/apt/sources.list.d/debian.sources > sources/debian.sources
apt() {
  apt-get -q -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$T/sources" \
    -o "Dir::State::lists=$T/lists" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" "$@" > apt.out 2>&1 || { cat apt.out; exit 1; }
}
apt update
apt download valkey-server=8.1.1+dfsg1-3+deb13u3 valkey-tools=8.1.1+dfsg1-3+deb13u3 libc6=2.41-12+deb13u5 \
  libatomic1=14.2.0-19 libcap2=1:2.75-10+deb13u1+b3 libgcc-s1=14.2.0-19 libjemalloc2=5.3.0-3 liblzf1=3.6-4+b3 \
  libssl3t64=3.5.9-1~deb13u1 libstdc++6=14.2.0-19 libsystemd0=257.13-1~deb13u1 libzstd1=1.5.7+dfsg-1 \
  zlib1g=1:1.3.dfsg+really1.3.1-1+deb13u1
for deb in *.deb; do dpkg-deb -x "$deb" root; done
L="$T/root/usr/lib/x86_64-linux-gnu"
valkey() { program=$1; shift; "$L/ld-linux-x86-64.so.2" --library-path "$L" "$T/root/usr/bin/$program" "$@"; }
cli() { valkey valkey-cli -s "$T/s" "$@" | tr -d '\r'; }
run() {
  "$L/ld-linux-x86-64.so.2" --library-path "$L" root/usr/bin/valkey-server --port 0 --unixsocket "$T/s" --save '' --dir "$T" "$@" > server.out &
  SERVER=$!
  until test "$(cli ping 2> /dev/null)" = PONG; do sleep 0.1; done
  cli info server | grep -E '^(redis_version|[a-z]+_mode):'
  kill "$SERVER"
  wait "$SERVER" || true
  SERVER=
  rm -f s
}
{
  echo 'alone'
  run
  echo 'a node of a cluster'
  run --cluster-enabled yes
  echo 'a node of a cluster, as Redis says it'
  run --cluster-enabled yes --extended-redis-compatibility yes
} > seen
cat > expected <<'END'
alone
redis_version:7.2.4
server_mode:standalone
a node of a cluster
redis_version:7.2.4
server_mode:cluster
a node of a cluster, as Redis says it
redis_version:7.2.4
redis_mode:cluster
END
cat seen
diff expected seen && echo 'as stated'
