/**
 * Whether a file is mounted by itself, as a container's runtime does with a single file that is given to it.
 *
 * Such a path stays with the file that was mounted: what the host renames away and makes anew under that name is never
 * seen there (mount(2), bind mounts).
 * Known limit: a file below a directory that is mounted is not concerned, and not told.
 */
import { readFileSync, realpathSync } from 'node:fs';

/** The mount points in /proc/PID/mountinfo (proc_pid_mountinfo(5)): the fifth field, with some characters in octal. */
export function mountPoints(mountinfo: string): Set<string> {
  const fields = mountinfo.split('\n').map(line => line.split(' ')[4] ?? '');
  return new Set(
    fields.map(field =>
      field.replace(/\\([0-7]{3})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
      ),
    ),
  );
}

/** @param path of a file; false where the system does not tell */
export function isMounted(path: string): boolean {
  try {
    const text = readFileSync('/proc/self/mountinfo', 'latin1');
    // A character a byte, as in the table.
    const real = Buffer.from(realpathSync(path)).toString('latin1');
    return mountPoints(text).has(real);
  } catch {
    return false;
  }
}
