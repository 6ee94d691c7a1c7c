/**
 * The real nginx as a mail proxy, with the setting that its pattern file asks for, in a syslog file and in the journal.
 */
import { NGINX_PROGRAMS, startNginx } from './nginx.ts';
import { testProxy } from './proxied.ts';

testProxy({
  server: 'nginx',
  programs: NGINX_PROGRAMS,
  start: startNginx,
  ends: /\*\d+ (?:proxied session done|client timed out .* while proxying|upstream timed out .* while proxying), .* upstream: /,
});
