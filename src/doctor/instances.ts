/**
 * Other Postfix instances of this machine (postmulti(1)), of which the doctor examines one: whether they use the map, and whether they name
 * maps whose rows nobody ends.
 *
 * Without `multi_instance_directories` there is nothing to say.
 * Source: postconf(5), multi_instance_directories; MULTI_INSTANCE_README: the default instance lists the others.
 */
import { formatMapSpec } from '../map/map-types.ts';
import { allOf } from '../map/spec.ts';
import { askPostconf } from '../postfix/command.ts';
import { words } from '../postfix/words.ts';
import { check } from './check.ts';
import { ok, type Verdict, warning } from './finding.ts';
import { judgeOtherMaps, type OtherMap, otherMapsIn, tablesIn } from './other-maps.ts';
import { askPostfix, type PostfixAnswer } from './postfix-state.ts';

export interface Instance {
  /** The directory of its main.cf. */
  readonly directory: string;
  /** Whether it names a map of the daemon; null when it could not be asked, and why. */
  readonly names: boolean | null;
  readonly reason: string;
  /** Maps of ours that it names besides. */
  readonly others: readonly OtherMap[];
}

export interface InstanceFacts {
  /** Whether the examined one names the map. */
  readonly isNamed: boolean;
  readonly map: string;
  readonly instances: readonly Instance[];
}

export const instancesCheck = check(
  'instances',
  async ({ settings, postfix }) => {
    const own = allOf(settings).map(formatMapSpec);
    const map = formatMapSpec(settings.map);
    const directories = otherDirectories(settings.postfixConfig);
    const instances: Instance[] = [];
    for (const directory of directories)
      instances.push(await instanceAt(directory, await askPostfix(directory), own));
    const isNamed = directories.length === 0 || namesAny(await postfix(), own);
    return { isNamed, map, instances };
  },
  judgeInstances,
);

/** @param config of the examined instance, or null for the default one */
function otherDirectories(config: string | null): string[] {
  const listed = (of: string | null): string[] =>
    words(askPostconf(['-x', '-h', 'multi_instance_directories'], of) ?? '');
  const others = listed(null);
  if (config === null) return others;
  // The default instance is another one only where it knows the examined one.
  const standard = askPostconf(['-h', 'config_directory'], null)?.trim();
  const all = others.includes(config) && standard ? [standard, ...others] : [];
  return [...new Set([...all, ...listed(config)])].filter(directory => directory !== config);
}

function namesAny(answer: PostfixAnswer, own: readonly string[]): boolean {
  if (answer.kind !== 'known') return false;
  return tablesIn(answer.state, null).some(table => own.includes(formatMapSpec(table)));
}

async function instanceAt(
  directory: string,
  answer: PostfixAnswer,
  own: readonly string[],
): Promise<Instance> {
  if (answer.kind !== 'known') {
    const reason = answer.kind === 'failed' ? answer.reason : 'postconf was not found';
    return { directory, names: null, reason, others: [] };
  }
  const others = await otherMapsIn(answer.state, directory, new Set(own));
  return { directory, names: namesAny(answer, own), reason: '', others };
}

export function judgeInstances({ isNamed, map, instances }: InstanceFacts): Verdict[] {
  return instances.flatMap(instance => [
    judgeInstance(instance, map, isNamed),
    ...judgeOtherMaps(instance.others),
  ]);
}

function judgeInstance(
  { directory, names, reason }: Instance,
  map: string,
  isNamed: boolean,
): Verdict {
  if (names === null)
    return warning(
      `the Postfix instance of ${directory} cannot be asked: ${reason}`,
      `look at "postconf -c ${directory} -n"`,
    );
  if (!names)
    return ok(
      `the Postfix instance of ${directory} does not name ${map}; popbsmtp doctor --postfix-config ${directory} examines it`,
    );
  if (isNamed) return ok(`the Postfix instance of ${directory} names ${map} as well`);
  return warning(
    `the Postfix instance of ${directory} names ${map}, and the one that was examined does not`,
    `if clients relay through that one, write postfix-config = "${directory}" into popbsmtp.toml: its mynetworks count then, and it is examined`,
  );
}
