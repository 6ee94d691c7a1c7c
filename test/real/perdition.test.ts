/**
 * The real perdition, in a syslog file and in the journal.
 */
import { PERDITION_PROGRAMS, startPerdition } from './perdition.ts';
import { testProxy } from './proxied.ts';

testProxy({
  server: 'perdition',
  programs: PERDITION_PROGRAMS,
  start: startPerdition,
  // Of a connection that is reset it tells the process only.
  ends: /: (?:Closing session: |Fatal error piping data\. Exiting child\.)/,
  resets: { ip: null, user: null },
});
