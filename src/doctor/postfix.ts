/**
 * Whether Postfix is there, can be asked, and knows the map's type.
 */
import { check } from './check.ts';
import { error, ok, type Verdict } from './finding.ts';
import type { PostfixAnswer } from './postfix-state.ts';

export interface PostfixFacts {
  readonly answer: PostfixAnswer;
  /** The type of the map. */
  readonly type: string;
}

export const postfixCheck = check(
  'postfix',
  async ({ settings, postfix }) => ({ answer: await postfix(), type: settings.map.type }),
  judgePostfix,
);

export function judgePostfix({ answer, type }: PostfixFacts): Verdict[] {
  switch (answer.kind) {
    case 'missing':
      return [
        error(
          'postconf was not found, so Postfix cannot be looked at',
          'install Postfix, or run this where it is',
        ),
      ];
    case 'failed':
      return [
        error(
          `postconf cannot say how Postfix is set up: ${answer.reason}`,
          'fix main.cf or master.cf, or name their directory with --postfix-config',
        ),
      ];
    case 'known':
      if (answer.state.types.includes(type)) return [ok(`it reads maps of type ${type}`)];
      return [
        error(
          `it has no maps of type ${type} (postconf -m), so a map of that type stops all mail`,
          `install the package for it (Debian: postfix-${type}), then restart Postfix`,
        ),
      ];
  }
}
