/**
 * Whether nftables has the sets of an `nft:` map, and a rule that asks for them.
 *
 * Source: nft(8) 1.0.6, `-j -t list ruleset`: all tables, without the elements of sets.
 * Known limits: a rule of the table that names a set counts, in whatever chain it is and whatever it does.
 */
import { formatMapSpec } from '../map/map-types.ts';
import { usesIn, VERSIONS, type Version, wantedSet } from '../map/nft-set.ts';
import { error, type Verdict, warning } from './finding.ts';
import { named, type OtherMta } from './map-reader.ts';

export const NFTABLES: OtherMta = {
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
