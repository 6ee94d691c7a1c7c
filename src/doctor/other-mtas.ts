/**
 * The programs other than Postfix that a map may be for, as data.
 *
 * Leaves to others: gathering the text (other-mta-state.ts), and the relay test, which is the same for all that speak SMTP.
 * Known limits: a configuration that builds the name of the map from parts (macros of Exim are expanded) does not name it for us;
 * tcpserver has no configuration of its own to be asked for.
 * Sources: exim(8) -bP, seen with Exim 4.96; smtpd.conf(5) and table(5) of OpenSMTPD 6.8; sendmail.cf of sendmail 8.17, K lines.
 */
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, mapPath } from '../map/map-types.ts';
import { COURIER } from './courier-rules.ts';
import { error, type Verdict, warning } from './finding.ts';
import { literal, named, type OtherMta, unnamed } from './map-reader.ts';
import { NFTABLES } from './nftables-rules.ts';

const EXIM: OtherMta = {
  name: 'Exim',
  types: ['cdb'],
  source: { kind: 'printed', programs: ['exim4', 'exim'], args: ['-bP', 'config'] },
  refusal: /relay not permitted|relaying denied/i,
  reload: 'restart it: systemctl restart exim4',
  judge(configuration, map) {
    const path = mapPath(map);
    const condition = `accept condition = \${lookup{$sender_host_address}cdb{${path}}{yes}{no}}`;
    const lookup = new RegExp(String.raw`cdb\s*\{\s*${literal(path)}\s*\}`);
    if (lookup.test(configuration)) return [named(this.name, map)];
    if (new RegExp(String.raw`net-cdb;\s*${literal(path)}(?![\w.])`).test(configuration))
      return [
        warning(
          `Exim names ${formatMapSpec(map)} in a host list only, where it finds no IPv6 address`,
          `ask for it by a lookup as well, or instead: ${condition}`,
        ),
      ];
    return [unnamed(this.name, map, `${condition}, in the ACL for RCPT; then ${this.reload}`)];
  },
};

const OPENSMTPD: OtherMta = {
  name: 'OpenSMTPD',
  types: ['table'],
  source: { kind: 'file', paths: ['/etc/smtpd.conf', '/etc/mail/smtpd.conf'] },
  refusal: /^550 Invalid recipient/i,
  reload: 'restart it: systemctl restart opensmtpd',
  judge(configuration, map) {
    const text = configuration.replace(/^([^"#\n]*(?:"[^"\n]*"[^"#\n]*)*)#.*$/gm, '$1');
    const declaration = new RegExp(
      String.raw`^\s*table\s+"?([\w.-]+)"?\s+"?(?:file:)?${literal(map.path)}"?\s*$`,
      'm',
    );
    const [, name] = declaration.exec(text) ?? [];
    const lines = `table pop_before_smtp file:${map.path}, and match from src <pop_before_smtp> for any action "outbound"`;
    if (name === undefined) return [unnamed(this.name, map, `${lines}; then ${this.reload}`)];
    const table = literal(name);
    if (!new RegExp(String.raw`^\s*match\b.*\bfrom\s+src\s+<"?${table}"?>`, 'm').test(text))
      return [
        error(
          `OpenSMTPD has ${formatMapSpec(map)} as its table ${name}, but no "match" asks for it, so logins open nothing`,
          `write it there: match from src <${name}> for any action "outbound"; then ${this.reload}`,
        ),
      ];
    return [named(this.name, map), ...tellingVerdicts(name, map)];
  },
};

/** Whether smtpd learns of a change. */
function tellingVerdicts(table: string, { command }: MapSpec): Verdict[] {
  const cure = `table-command = ["/usr/sbin/smtpctl", "update", "table", "${table}"]`;
  if (command === undefined)
    return [
      error(
        'OpenSMTPD learns of no login and of no end: there is no table-command',
        `give it: ${cure}`,
      ),
    ];
  const [program] = command;
  // Another program may know the name by itself.
  if (!/\/smtpctl$/.test(program) || command.at(-1) === table) return [];
  return [
    error(
      `table-command updates another table than ${table}: ${command.join(' ')}`,
      `name that one: ${cure}`,
    ),
  ];
}

const SENDMAIL: OtherMta = {
  name: 'sendmail',
  types: ['makemap:hash'],
  source: { kind: 'file', paths: ['/etc/mail/sendmail.cf'] },
  refusal: /relaying (?:temporarily )?denied/i,
  reload: 'make sendmail.cf anew and restart it: make -C /etc/mail && systemctl restart sendmail',
  judge(configuration, map) {
    const line = new RegExp(
      String.raw`^K(\S+)[ \t]+hash[ \t]+(?:\S+[ \t]+)*${literal(map.path)}(?:\.db)?[ \t]*$`,
      'gm',
    );
    const names = Array.from(configuration.matchAll(line), ([, name = '']) => name);
    const [first] = names;
    if (first === undefined)
      return [
        unnamed(this.name, map, `the K lines and the rule of its section; then ${this.reload}`),
      ];
    const asked = names.filter(name => {
      const sequence = String.raw`^K\S+[ \t]+sequence[ \t](?:.*[ \t])?${literal(name)}(?:[ \t]|$)`;
      return new RegExp(String.raw`\$\(${literal(name)} |${sequence}`, 'm').test(configuration);
    });
    if (asked.length === 0)
      return [
        error(
          `sendmail has ${formatMapSpec(map)} as its map ${first}, but no rule asks for it, so logins open nothing`,
          `write the rule of popbsmtp-mta(7); then ${this.reload}`,
        ),
      ];
    if (asked.length === 1)
      return [
        warning(
          `sendmail names ${formatMapSpec(map)} once only, so who asks at the moment of a change is refused for a whole session`,
          `name it twice, in a sequence, as popbsmtp-mta(7) says; then ${this.reload}`,
        ),
      ];
    return [named(this.name, map)];
  },
};

export const OTHER_MTAS: readonly OtherMta[] = [EXIM, OPENSMTPD, SENDMAIL, COURIER, NFTABLES];
