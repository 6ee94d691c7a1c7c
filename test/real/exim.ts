/**
 * The real Exim in an overlay: a daemon on a free port of 127.0.0.1 and ::1, which asks a `cdb:` map of popbsmtp's.
 *
 * Promises: the map is named in the two ways of popbsmtp-mta(7), a host list and `${lookup}`; nothing is delivered, since the
 * tests send no DATA.
 */
import type { Endpoint } from './dialog.ts';
import { loopbackEndpoint } from './dovecot.ts';
import { type OtherMta, STATE, startHost } from './other-mta.ts';
import { freePorts } from './ports.ts';
import type { Rig } from './rig.ts';
import type { Rsyslog } from './rsyslog.ts';
import { waitForPort } from './wait.ts';

export interface Exim extends OtherMta {
  /** The same map, asked for by a lookup instead of a host list. */
  byLookup(from: string): Endpoint;
}

const MAP = `${STATE}/pop-before-smtp`;

const configuration = (list: number, lookup: number): string => `
primary_hostname = mx.example.org
local_interfaces = <; 127.0.0.1.${list} ; ::1.${list} ; 127.0.0.1.${lookup} ; ::1.${lookup}
domainlist local_domains = example.org
hostlist pop_before_smtp = net-cdb;${MAP}.cdb
acl_smtp_rcpt = acl_rcpt
begin acl
acl_rcpt:
  accept condition = \${if ={$received_port}{${list}}}
         hosts = +pop_before_smtp
  accept condition = \${if ={$received_port}{${lookup}}}
         condition = \${lookup{$sender_host_address}cdb{${MAP}.cdb}{yes}{no}}
  accept domains = +local_domains
  deny message = relay not permitted
`;

/** Installs and starts Exim; it goes with the rig.  popbsmtp has to make the map first, or Exim defers. */
export async function startExim(rig: Rig, syslog: Rsyslog): Promise<Exim> {
  const overlay = await startHost(rig, syslog, ['exim4-daemon-heavy'], 'Debian-exim');
  const [list = 0, lookup = 0] = await freePorts(2);
  // Debian's comes after it.
  await overlay.write('/etc/exim4/exim4.conf', configuration(list, lookup));
  await overlay.run('exim4', ['-bd']);
  for (const port of [list, lookup]) await waitForPort('127.0.0.1', port);
  return {
    overlay,
    map: `cdb:${MAP}`,
    options: ['--map-mode', '0640'],
    smtp: from => loopbackEndpoint(list, from),
    byLookup: from => loopbackEndpoint(lookup, from),
  };
}
