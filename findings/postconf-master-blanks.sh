#!/bin/sh
# postconf(1) and a value with blanks, for main.cf and for a service of master.cf.
#
# One would guess: "postconf -P 'smtp/inet/NAME=VALUE'" takes what "postconf -e 'NAME=VALUE'" takes, and shows it as well.
# What happens: a value with blanks is refused for a service, although it counts where it stands there, written by hand as
# "-o { NAME = VALUE }", and "postconf -P" shows it so: what it shows it does not take back.  With commas alone the same list is taken.
#
# Seen with postfix 3.7.11-0+deb12u1 (Debian 12, amd64).
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T"
apt-get -q -o APT::Sandbox::User=root download postfix=3.7.11-0+deb12u1 > apt.out 2>&1 || { cat apt.out; exit 1; }
for deb in *.deb; do dpkg-deb -x "$deb" root; done
# Its programs want to know where their libraries are.
export LD_LIBRARY_PATH="$T/root/usr/lib/postfix:$T/root/usr/lib/x86_64-linux-gnu"
mkdir conf
printf "compatibility_level = 3.6\nshlib_directory = %s\nmeta_directory = %s\n" "$T/root/usr/lib/postfix" "$T/conf" > conf/main.cf
export MAIL_CONFIG="$T/conf"
postconf() { touch -d 2020-01-01 conf/*.cf; root/usr/sbin/postconf "$@" 2>&1 | sed "s|root/usr/sbin/||"; }
NAME=smtpd_relay_restrictions
{
  for set in "$NAME=permit_mynetworks, reject" "$NAME=permit_mynetworks,reject"; do
    echo 'smtp inet n - n - - smtpd' > conf/master.cf
    echo "set $set"
    echo "main.cf:"
    postconf -e "$set"
    postconf -n "$NAME"
    echo "master.cf:"
    postconf -P "smtp/inet/$set"
    postconf -P
  done
  echo 'by hand'
  printf 'smtp inet n - n - - smtpd\n -o { %s = permit_mynetworks, reject }\n' "$NAME" > conf/master.cf
  shown=$(postconf -P)
  echo "$shown"
  postconf -P "$shown"
} > seen
cat > expected <<'END'
set smtpd_relay_restrictions=permit_mynetworks, reject
main.cf:
smtpd_relay_restrictions = permit_mynetworks, reject
master.cf:
postconf: fatal: -Pe does not accept whitespace in parameter value
set smtpd_relay_restrictions=permit_mynetworks,reject
main.cf:
smtpd_relay_restrictions = permit_mynetworks,reject
master.cf:
smtp/inet/smtpd_relay_restrictions = permit_mynetworks,reject
by hand
smtp/inet/smtpd_relay_restrictions = permit_mynetworks, reject
postconf: fatal: -Pe does not accept whitespace in parameter value
END
cat seen
diff expected seen && echo 'as stated'
