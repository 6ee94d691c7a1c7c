/**
 * smtpd's restriction lists as steps (postconf(5), smtpd_recipient_restrictions; Postfix 3.7 src/smtpd/smtpd_check.c,
 * generic_checks).
 *
 * Promises: names count in any case, restriction classes are put in place, `warn_if_reject` is noted at what it
 * weakens, and a bare `type:table` is the access check that the list makes of it.
 * Leaves to others: what the steps lead to (restriction-walk.ts).
 * Known limit: a class that an access table answers with is not looked into.
 */
import { words } from '../postfix/words.ts';

/** The lists that a recipient goes through, in this order (SMTPD_ACCESS_README), with what a bare table is asked for. */
export const LISTS = [
  { name: 'smtpd_client_restrictions', bare: 'client' },
  { name: 'smtpd_helo_restrictions', bare: 'helo' },
  { name: 'smtpd_sender_restrictions', bare: 'sender' },
  { name: 'smtpd_relay_restrictions', bare: 'recipient' },
  { name: 'smtpd_recipient_restrictions', bare: 'recipient' },
] as const;

export type ListName = (typeof LISTS)[number]['name'];

export type Step = {
  /** Behind `warn_if_reject`: what it would refuse is only logged. */
  readonly onlyWarns: boolean;
  /** As it stands in the list, for people. */
  readonly text: string;
} & (
  | {
      readonly kind: 'access';
      /** What the table is asked for: `client`, `sender`, … */
      readonly asked: string;
      readonly table: string;
    }
  | { readonly kind: 'restriction'; readonly name: string }
);

/** Classes by their names, with the lists that they stand for. */
export type Classes = ReadonlyMap<string, string>;

/** Postfix stops at a depth of 100 (smtpd_check.c, generic_checks); nobody means more than a few. */
const MAX_DEPTH = 10;

const TAKES_ARGUMENT =
  /^(?:check_(?!relay_domains$)\w+|sleep|reject_rbl_client|reject_rhsbl_\w+|permit_dnswl_client|permit_rhswl_client)$/;
/** Whether the next word belongs to a restriction. */
export const takesArgument = (word: string): boolean => TAKES_ARGUMENT.test(word.toLowerCase());
const TABLE = /^[a-z][\w-]*:./i;
const ACCESS = /^check_(\w+)_access$/;

/** @param bare what a table without a restriction before it is asked for */
export function parseRestrictions(text: string, bare: string, classes: Classes): Step[] {
  return [...steps(text, { bare, classes, onlyWarns: false, depth: 0 })];
}

interface Context {
  readonly bare: string;
  readonly classes: Classes;
  readonly onlyWarns: boolean;
  readonly depth: number;
}

function* steps(text: string, context: Context): Generator<Step> {
  const { classes, depth } = context;
  if (depth > MAX_DEPTH) return;
  let { onlyWarns } = context;
  const list = words(text)[Symbol.iterator]();
  for (const word of list) {
    if (word.toLowerCase() === 'warn_if_reject') {
      onlyWarns = true;
      continue;
    }
    const members = classes.get(word);
    if (members !== undefined) yield* steps(members, { ...context, onlyWarns, depth: depth + 1 });
    else yield { ...stepOf(word, context.bare, () => list.next().value ?? ''), onlyWarns };
    onlyWarns = context.onlyWarns;
  }
}

type Bare<S> = S extends Step ? Omit<S, 'onlyWarns'> : never;

/** @param next takes the word behind it from the list */
function stepOf(word: string, bare: string, next: () => string): Bare<Step> {
  if (TABLE.test(word)) return { kind: 'access', asked: bare, table: word, text: word };
  const name = word.toLowerCase();
  if (!takesArgument(name)) return { kind: 'restriction', name, text: name };
  const argument = next();
  const text = `${name} ${argument}`;
  const asked = ACCESS.exec(name)?.[1];
  if (asked === undefined) return { kind: 'restriction', name, text };
  return { kind: 'access', asked, table: argument, text };
}
