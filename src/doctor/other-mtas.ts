/**
 * The programs other than Postfix that a map may be for, SMTP servers and a firewall, as data: how each is asked for its configuration, and whether that names the map.
 *
 * Promises: nothing is run but the server's own program that prints its configuration, and what is asked tells nobody anything.
 * Leaves to others: gathering the text (other-mta-state.ts), and the relay test, which is the same for all.
 * Known limits: a configuration that builds the name of the map from parts (macros of Exim are expanded) does not name it for us;
 * tcpserver has no configuration of its own to be asked for; which chain a rule of nftables is in is not looked at.
 * Sources: exim(8) -bP, seen with Exim 4.96; smtpd.conf(5) and table(5) of OpenSMTPD 6.8; sendmail.cf of sendmail 8.17, K lines; the script
 * makesmtpaccess of Courier 1.0.16, which goes by ACCESSFILE of /etc/courier/esmtpd as esmtpd does; nft(8) 1.0.6, `-j -t list ruleset`.
 */
import type { MapSpec } from '../map/map.ts';
import { formatMapSpec, mapPath } from '../map/map-types.ts';
import { usesIn, VERSIONS, type Version, wantedSet } from '../map/nft-set.ts';
import { SMTPACCESS_DIRECTORY } from '../map/smtpaccess-format.ts';
import { error, ok, type Verdict, warning } from './finding.ts';

/** Where its configuration is to be had: printed by a program, or in a file. */
export type ConfigurationSource =
  | {
      readonly kind: 'printed';
      /** By any of its names. */
      readonly programs: readonly string[];
      readonly args: readonly string[];
    }
  | { readonly kind: 'file'; readonly paths: readonly string[] };

export interface OtherMta {
  readonly name: string;
  /** The types of maps that it reads. */
  readonly types: readonly string[];
  readonly source: ConfigurationSource;
  /** What it answers whom it lets not relay; null where it is none that speaks SMTP. */
  readonly refusal: RegExp | null;
  /** What becomes of a change of the configuration. */
  readonly reload: string;
  /** The directory of rules that its access file is made of; null where it has none. */
  rulesIn?(configuration: string): string | null;
  judge(configuration: string, map: MapSpec, rules: CompiledRules | null): Verdict[];
}

/** A directory of rules that a program compiles. */
export interface CompiledRules {
  readonly directory: string;
  /** Whether the map is in it, or a link to it. */
  readonly hasMap: boolean;
  /** Whether there is what is made of it. */
  readonly isCompiled: boolean;
}

const named = (server: string, map: MapSpec): Verdict =>
  ok(`${server} names ${formatMapSpec(map)}`);

const unnamed = (server: string, map: MapSpec, cure: string): Verdict =>
  error(
    `${server} does not name ${formatMapSpec(map)} in its configuration, so logins open nothing`,
    `write it there as popbsmtp-mta(7) says: ${cure}`,
  );

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

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

const COURIER: OtherMta = {
  name: 'Courier',
  types: ['smtpaccess'],
  source: { kind: 'file', paths: ['/etc/courier/esmtpd'] },
  refusal: /relaying denied/i,
  reload: 'restart it: esmtpd stop; esmtpd start',
  rulesIn(configuration) {
    const assigned = (name: string): string | undefined =>
      Array.from(configuration.matchAll(new RegExp(`^${name}=(.*)$`, 'gm')))
        .at(-1)?.[1]
        ?.trim()
        .replace(/^(["'])(.*)\1$/, '$2');
    const path = assigned('ACCESSFILE') ?? '';
    const directory = assigned('sysconfdir') ?? '/etc/courier';
    return path === '' ? null : path.replace(/\$\{sysconfdir\}|\$sysconfdir\b/, () => directory);
  },
  judge(_, map, rules) {
    if (rules === null)
      return [
        error(
          'esmtpd of Courier has no ACCESSFILE in /etc/courier/esmtpd, so logins open nothing',
          `give it, as ACCESSFILE=${SMTPACCESS_DIRECTORY}; then ${this.reload}`,
        ),
      ];
    const { directory, hasMap, isCompiled } = rules;
    const known = map.rules ?? SMTPACCESS_DIRECTORY;
    const verdicts: Verdict[] = [];
    if (known !== directory)
      verdicts.push(
        error(
          `makesmtpaccess compiles the rules in ${directory}, but popbsmtp knows those in ${known}`,
          `give it the same: map-rules = "${directory}"`,
        ),
      );
    if (!hasMap)
      verdicts.push(
        error(
          `${directory}, of which Courier makes its access rules, does not lead to ${formatMapSpec(map)}, so logins open nothing`,
          `make a link as popbsmtp-mta(7) says: ln -s ${mapPath(map)} ${directory}/popbsmtp; then makesmtpaccess`,
        ),
      );
    else if (!isCompiled)
      verdicts.push(
        error(
          `there is no ${directory}.dat, without which esmtpd asks no rules, so logins open nothing`,
          `run makesmtpaccess; then ${this.reload}`,
        ),
      );
    return verdicts.length > 0 ? verdicts : [named(this.name, map)];
  },
};

const NFTABLES: OtherMta = {
  name: 'nftables',
  types: ['nft'],
  // Without the elements.
  source: { kind: 'printed', programs: ['nft'], args: ['-j', '-t', 'list', 'ruleset'] },
  refusal: null,
  reload: 'load it: nft -f /etc/nftables.conf',
  judge(configuration, map) {
    // Whoever reads names of maps gives it (spec.ts).
    if (map.nft === undefined) throw new TypeError(`${map.path} names no sets`);
    const name = map.nft;
    const uses = usesIn(configuration, name);
    const setOf = (version: Version): string => `${name.set}${version}`;
    const verdicts = VERSIONS.flatMap((version): Verdict[] => {
      const use = uses[version];
      const place = `${setOf(version)} in the table ${name.family} ${name.table}`;
      if (use === null)
        return [
          error(
            `nftables has no set ${place}, so logins open nothing`,
            'start popbsmtp, which makes it, or write it into /etc/nftables.conf as popbsmtp-mta(7) says',
          ),
        ];
      if (use.isFit) return [];
      return [
        error(
          `the set ${place} is none for single addresses that end by themselves`,
          `make it one of ${wantedSet(version)}; then ${this.reload}`,
        ),
      ];
    });
    if (verdicts.length > 0) return verdicts;
    const unasked = VERSIONS.filter(version => uses[version]?.isAsked !== true);
    if (unasked.length === 0) return [named(this.name, map)];
    const rules = 'write its rule into a chain as popbsmtp-mta(7) says';
    return [
      unasked.length === VERSIONS.length
        ? error(
            `nftables has the sets of ${formatMapSpec(map)}, but no rule asks for them, so logins open nothing`,
            `${rules}; then ${this.reload}`,
          )
        : warning(
            `no rule of nftables asks for ${unasked.map(setOf).join()}, so clients of that family get nothing by a login`,
            `if they are to, ${rules}; then ${this.reload}`,
          ),
    ];
  },
};

export const OTHER_MTAS: readonly OtherMta[] = [EXIM, OPENSMTPD, SENDMAIL, COURIER, NFTABLES];
