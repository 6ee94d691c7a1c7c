/**
 * Where mail logs usually are.
 */
import { existsSync } from 'node:fs';
import { failure } from '../errors.ts';

/** Debian and SUSE, Red Hat, the BSDs and Slackware, Mac OS X; then Debian's split log and Solaris. */
const USUAL_LOGS = [
  '/var/log/mail.log',
  '/var/log/maillog',
  '/var/log/mail',
  '/var/log/mail.info',
  '/var/log/syslog',
  '/var/adm/maillog',
];

/**
 * The first that exists.
 *
 * @throws Failure LOG_NONE
 */
export function usualLog(exists: (path: string) => boolean = existsSync): string {
  const found = USUAL_LOGS.find(exists);
  if (found === undefined) throw failure('LOG_NONE', { tried: USUAL_LOGS.join(', ') });
  return found;
}
