#!/bin/sh
# The suffix of a log that logrotate compresses by another program.
#
# One would guess, from logrotate(8): ".gz", as compressext "follows that of the default compression command (.gz)",
# or else the suffix that the program itself uses.
# What happens: logrotate has a list of programs of its own.  Of compresscmd it takes the last part of the path, and
# names what zstd makes ".zst" without being told.  A program that it does not know, here a script around the same
# zstd, makes a ".gz" that gzip cannot read.
#
# Seen with logrotate 3.21.0-1 and zstd 1.5.4+dfsg2-5 (Debian 12, amd64).
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download logrotate=3.21.0-1 zstd=1.5.4+dfsg2-5 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
ZSTD=$T/root/usr/bin/zstd
printf '#!/bin/sh\nexec %s -q\n' "$ZSTD" > pack
chmod 755 pack

rotate() {
  echo 'a line' > "$1.log"
  printf '%s {\n rotate 1\n compress\n compresscmd %s\n compressoptions -q\n}\n' "$T/$1.log" "$2" > "$1.conf"
  chmod 644 "$1.conf"
  root/usr/sbin/logrotate -s "$T/state" -f "$1.conf"
}
rotate known "$ZSTD"
rotate unknown "$T/pack"
{
  ls | grep 'log\.1'
  gzip -tq unknown.log.1.gz 2> /dev/null && echo 'gzip reads it' || echo 'gzip does not read it'
  echo "zstd reads: $("$ZSTD" -dcq < unknown.log.1.gz)"
} > seen
cat > expected <<'END'
known.log.1.zst
unknown.log.1.gz
gzip does not read it
zstd reads: a line
END
cat seen
diff expected seen && echo 'as stated'
