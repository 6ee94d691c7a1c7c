/**
 * Who may read the file of a map.
 *
 * Whoever may read it may hold a lock on it, and so keep a grant from being ended.  smtpd needs no permission: it opens
 * the tables of its restrictions as root, before it enters its chroot and gives its privileges up (smtpd(8), "SECURITY";
 * src/smtpd/smtpd.c, pre_jail_init; seen with lmdb:, hash:, btree:, cdb:, texthash: and cidr: of Postfix 3.7).  Others
 * do: proxymap(8), which works as Postfix's account, `postmap -q` and `popbsmtp list` of an ordinary account.
 * Not readable by the group unless the administrator says so: an account's primary group may be everybody's.
 */
import type { FileHandle } from 'node:fs/promises';
import type { MapSpec } from './map.ts';

/** As chmod takes them. */
export const MAP_MODE_TEXTS = ['0600', '0640', '0644'] as const;

export const MAP_MODES: readonly number[] = MAP_MODE_TEXTS.map(text => Number.parseInt(text, 8));

/** Unless the administrator says otherwise. */
export const MAP_MODE = 0o600;

export const modeOf = ({ mode }: MapSpec): number => mode ?? MAP_MODE;

const BITS = 0o777;

const octal = (mode: number): string => mode.toString(8).padStart(4, '0');

/**
 * Gives the file of a map that is there the mode that it is to have.  One of another account stays as it is, which the
 * doctor tells.
 *
 * @param file open
 * @param warn told when others lose what they had
 */
export async function setMode(
  file: FileHandle,
  spec: MapSpec,
  warn?: (text: string) => void,
): Promise<void> {
  const wanted = modeOf(spec);
  const { mode, uid } = await file.stat();
  if ((mode & BITS) === wanted || uid !== process.geteuid?.()) return;
  await file.chmod(wanted);
  if ((mode & BITS & ~wanted) === 0) return;
  warn?.(
    `the file of ${spec.type}:${spec.path} was ${octal(mode & BITS)} and is ${octal(wanted)} now, as map-mode says: smtpd needs ` +
      'no more; for proxy: in main.cf, or commands of other accounts, set map-mode = "0644"',
  );
}
