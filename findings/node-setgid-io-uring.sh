#!/bin/sh
# process.setgid() and setuid() of Node in Debian 13, and the variable that turns io_uring off.
#
# One would guess: Node refuses to change the account only where libuv may use io_uring, whose thread of the kernel would keep the
# old one; so with UV_USE_IO_URING=0, which libuv's documentation names for that, it does it.
# What happens: Debian's build refuses always, whatever the variable says.  Node as its project builds it, the same version, does it with
# and without the variable.
# So a daemon that is to give up root has to be started by something else (setpriv, systemd), or do it in native code.
#
# Seen with nodejs 20.19.2+dfsg-1+deb13u3 of Debian 13 (in a chroot with its own C library), and Node 20.19.2 from npm (amd64), as root.
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T"
# Debian 13's lists, beside this machine's own: from where its own come.
mkdir -p lists/partial sources
sed 's/bookworm/trixie/g' /etc/apt/sources.list.d/debian.sources > sources/debian.sources
apt() {
  apt-get -q -o APT::Sandbox::User=root -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$T/sources" \
    -o "Dir::State::lists=$T/lists" -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" "$@" > apt.out 2>&1 || { cat apt.out; exit 1; }
}
apt update
apt download nodejs=20.19.2+dfsg-1+deb13u3 node-acorn=8.8.1+ds+~cs25.17.7-2 \
  node-cjs-module-lexer=1.2.3+dfsg-1 node-undici=7.3.0+dfsg1+~cs24.12.11-1 node-minimatch=9.0.3-6 libbrotli1=1.1.0-2+deb13u1 libc6=2.41-12+deb13u5 libcares2=1.34.9-1~deb13u1 \
  libgcc-s1=14.2.0-19 libicu76=76.1-4 libnghttp2-14=1.64.0-1.1+deb13u2 libnode115=20.19.2+dfsg-1+deb13u3 \
  libssl3t64=3.5.9-1~deb13u1 libstdc++6=14.2.0-19 libuv1t64=1.50.0-2 libzstd1=1.5.7+dfsg-1 \
  zlib1g=1:1.3.dfsg+really1.3.1-1+deb13u1
for deb in *.deb; do dpkg-deb -x "$deb" root; done
ln -s usr/lib usr/lib64 root
npm install --silent --no-audit --no-fund --prefix "$T/npm" node@20.19.2 > npm.out 2>&1 || { cat npm.out; exit 1; }
cat > change.cjs <<'END'
let what = 'done';
try {
  process.setgid(65534);
} catch (error) {
  what = error.code;
}
console.log(`${process.version}: ${what}`);
END
cp change.cjs root
debian() { chroot root node change.cjs; }
{
  echo 'Debian'
  debian
  UV_USE_IO_URING=0 debian
  echo 'from npm'
  npm/node_modules/node/bin/node change.cjs
  UV_USE_IO_URING=0 npm/node_modules/node/bin/node change.cjs
} > seen
cat > expected <<'END'
Debian
v20.19.2: ERR_INVALID_STATE
v20.19.2: ERR_INVALID_STATE
from npm
v20.19.2: done
v20.19.2: done
END
cat seen
diff expected seen && echo 'as stated'
