#!/bin/sh
# What fs.watch of Node tells when more happens in a directory than the kernel keeps for it.
#
# One would guess: an error, a null name, or an end, since inotify(7) says that an overflow is reported (IN_Q_OVERFLOW).
# What happens: exactly as many events come as fs.inotify.max_queued_events allows, each with a name, and nothing tells
# that the others are missing: no error, no close.  Later events come as usual.
#
# Seen with node 20.20.2 (of npm), Linux.
set -eu
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
cd "$T"
npm install --silent --no-audit --no-fund --prefix "$T" node@20.20.2 > npm.out 2>&1 || { cat npm.out; exit 1; }
NODE=$(find node_modules -path '*/bin/node' -type f | head -n 1)
LIMIT=$(cat /proc/sys/fs/inotify/max_queued_events)
mkdir watched
cat > watch.mjs <<'END'
import { closeSync, openSync, watch, writeFileSync } from 'node:fs';
const [, , directory, limit] = process.argv;
const told = { named: 0, unnamed: 0, error: 0, close: 0, last: false };
const watcher = watch(directory, (_, name) => {
  if (name === 'last') told.last = true;
  else if (name === null) told.unnamed++;
  else told.named++;
});
watcher.on('error', () => told.error++).on('close', () => told.close++);
// Without a pause, so that nothing is read meanwhile.
const made = Number(limit) + 3000;
for (let number = 0; number < made; number++) closeSync(openSync(`${directory}/${number}`, 'wx'));
let before = -1;
// Until nothing new comes.
const settle = setInterval(() => {
  if (told.named !== before) {
    before = told.named;
    return;
  }
  if (!told.last) {
    writeFileSync(`${directory}/last`, '');
    return;
  }
  clearInterval(settle);
  const events = told.named === Number(limit) ? 'as many as the limit' : String(told.named);
  console.log(`events: ${events}; without a name: ${told.unnamed}`);
  console.log(`errors: ${told.error}; closed: ${told.close}; a later event came: ${told.last}`);
  watcher.close();
}, 500);
END
"$NODE" watch.mjs watched "$LIMIT" > seen
cat > expected <<'END'
events: as many as the limit; without a name: 0
errors: 0; closed: 0; a later event came: true
END
cat seen
diff expected seen && echo 'as stated'
