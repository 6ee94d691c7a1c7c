/** The facilities and levels of syslog, as daemons write them before a message: `mail.info` (syslog.conf(5)). */
const FACILITIES = [
  'auth',
  'authpriv',
  'console',
  'cron',
  'daemon',
  'ftp',
  'kern',
  'lpr',
  'mail',
  'news',
  'ntp',
  'security',
  'syslog',
  'user',
  'uucp',
  'local0',
  'local1',
  'local2',
  'local3',
  'local4',
  'local5',
  'local6',
  'local7',
];
const LEVELS = [
  'emerg',
  'panic',
  'alert',
  'crit',
  'err',
  'error',
  'warn',
  'warning',
  'notice',
  'info',
  'debug',
];

/** Every `mail.info` that syslog.conf(5) knows. */
export const FACILITY_LEVELS: readonly string[] = FACILITIES.flatMap(facility =>
  LEVELS.map(level => `${facility}.${level}`),
);
/** An expression's source that matches any of them. */
export const FACILITY_LEVEL = `(?:${FACILITIES.join('|')})\\.(?:${LEVELS.join('|')})`;
