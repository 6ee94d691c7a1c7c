#!/bin/sh
# IPv4-mapped IPv6 networks in a cidr: table of Postfix.
#
# One would guess: as in a C program with one IPv6 socket for both, ::ffff:192.0.2.0/120 stands for 192.0.2.0/24.
# What happens: the two families never meet.  The IPv4 address is not found under the mapped network, nor the mapped
# address under the IPv4 network; not even ::/0 finds an IPv4 address.
#
# Seen with postfix 3.7.11-0+deb12u1 (Debian 12, amd64).
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download postfix=3.7.11-0+deb12u1 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
# Its programs want to know where their libraries and types of maps are.
export LD_LIBRARY_PATH="$T/root/usr/lib/postfix:$T/root/usr/lib/x86_64-linux-gnu"
mkdir conf
printf "compatibility_level = 3.6\nshlib_directory = %s\nmeta_directory = %s\n" "$T/root/usr/lib/postfix" "$T/conf" > conf/main.cf
touch -d 2020-01-01 conf/main.cf
export MAIL_CONFIG="$T/conf"
printf '::ffff:192.0.2.0/120 mapped\n::/0 all\n' > six
printf '192.0.2.0/24 plain\n' > four
asked() {
  echo "$1 in $2: $(root/usr/sbin/postmap -q "$1" "cidr:$T/$2" || echo nothing)"
}
{
  asked 192.0.2.7 four
  asked 192.0.2.7 six
  asked ::ffff:192.0.2.7 four
  asked ::ffff:192.0.2.7 six
} > seen
cat > expected <<'END'
192.0.2.7 in four: plain
192.0.2.7 in six: nothing
::ffff:192.0.2.7 in four: nothing
::ffff:192.0.2.7 in six: mapped
END
cat seen
diff expected seen && echo 'as stated'
