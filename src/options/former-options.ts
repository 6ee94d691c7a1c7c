/**
 * Options of the Perl pop-before-smtp, for start scripts and habits that still have them.
 *
 * Those without an effect here are taken, so that a daemon starts; those that were commands say what took their place.
 * Source: pop-before-smtp 1.20 to 1.42 (GetOptions).
 */

interface FormerOption {
  /** The command that took its place; null where there is nothing to do. */
  readonly command: string | null;
  /** Said of one that is taken, where that is not what was asked for. */
  readonly remark?: string;
}

const FORMER_OPTIONS: ReadonlyMap<string, FormerOption> = new Map([
  ['dumpconfig', { command: 'popbsmtp config' }],
  ['info', { command: 'popbsmtp config' }],
  ['list', { command: 'popbsmtp list' }],
  // As it is anyway.
  ['write', { command: null }],
  ['nodebug', { command: null }],
  ['flock', { command: null }],
  ['noflock', { command: null, remark: 'the map is always locked, as Postfix locks it' }],
]);

export const FORMER_NAMES: readonly string[] = [...FORMER_OPTIONS.keys()];

/** Null for an option that the Perl program had not, or that is one of ours. */
export const formerOption = (name: string): FormerOption | null => FORMER_OPTIONS.get(name) ?? null;
