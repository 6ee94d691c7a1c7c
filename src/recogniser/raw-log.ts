/**
 * Logs into which strangers can have whole lines written, by how their own lines begin.
 *
 * Only ever to trust less: where such a line is seen, any other in the same stream may be a stranger's.
 * Sources: nginx, src/core/ngx_log.c (ngx_log_error_core), and an IMAP literal in src/mail/ngx_mail_parse.c; Zimbra, conf/log4j.properties.in.
 */
const RAW_LOGS = [
  ['nginx', /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[[a-z]{1,8}\] \d{1,10}#\d{1,10}: /],
  ['zimbra', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]{4,5} {1,2}\[/],
] as const;

/** Whose log a line is of; null for none of these. */
export const rawServerOf = (line: string): string | null =>
  RAW_LOGS.find(([, form]) => form.test(line))?.[0] ?? null;
