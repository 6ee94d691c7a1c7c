/**
 * Whether Courier compiles a `smtpaccess:` map among the access rules of esmtpd.
 *
 * Source: the scripts makesmtpaccess and esmtpd of Courier 1.0.16, which both go by ACCESSFILE of /etc/courier/esmtpd, a file of assignments of sh: rules
 * are what is in the directory of that name, and compiled into the file of that name and `.dat`.
 * Known limits: of the shell's language only plain assignments are understood, and of variables in them only sysconfdir; esmtpd-msa may have other rules.
 */
import { formatMapSpec, mapPath } from '../map/map-types.ts';
import { SMTPACCESS_DIRECTORY } from '../map/smtpaccess-format.ts';
import { error, type Verdict } from './finding.ts';
import { named, type OtherMta } from './map-reader.ts';

export const COURIER: OtherMta = {
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
