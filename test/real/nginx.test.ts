/**
 * The real nginx as a mail proxy, with the setting that its pattern file asks for and without `nohostname`, in a syslog file and in
 * the journal.
 */
import { NGINX_PROGRAMS, startNginx } from './nginx.ts';
import { testProxy } from './proxied.ts';

const ABOUT = {
  server: 'nginx',
  programs: NGINX_PROGRAMS,
  ends: /\*\d+ (?:proxied session done|client timed out .* while proxying|upstream timed out .* while proxying), .* upstream: /,
};

testProxy({ ...ABOUT, start: startNginx });
testProxy({
  ...ABOUT,
  how: 'with its host before its tag',
  start: (rig, backend, enter) =>
    startNginx(rig, backend, enter, setting => setting.replace(',nohostname', '')),
});
