/**
 * Where mail logs usually are.
 */
import { existsSync } from 'node:fs';

/** Debian and SUSE, Red Hat, the BSDs and Slackware, Mac OS X; then Debian's split log and Solaris. */
export const USUAL_LOGS = [
  '/var/log/mail.log',
  '/var/log/maillog',
  '/var/log/mail',
  '/var/log/mail.info',
  '/var/log/syslog',
  '/var/adm/maillog',
];

/** The first that exists, or null. */
export const usualLog = (exists: (path: string) => boolean = existsSync): string | null =>
  USUAL_LOGS.find(exists) ?? null;
