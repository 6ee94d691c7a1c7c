/** How the answer to `why` looks: in words with the entries that show it, and as an object for programs, which is a contract. */
import type { Reason } from '../history/reason.ts';
import type { Verdict } from '../history/why.ts';
import { entryLine, isoMoment, localTime } from './history-rows.ts';

/** Whether there was a grant, whatever came of it. */
const GRANTED: ReadonlySet<Reason> = new Set(['granted', 'not-by-map']);

type Told = Verdict & { readonly who: string; readonly when: string };

const login = ({ lines }: Verdict): string => {
  const last = lines.findLast(({ kind }) => kind === 'login');
  return last === undefined ? 'there was none' : `the last one was at ${localTime(last.time)}`;
};

const end = ({ lines }: Verdict): string => {
  const last = lines.findLast(({ kind }) => kind === 'ended');
  return last === undefined
    ? ''
    : `, and its grant ended at ${localTime(last.time)} (${last.what})`;
};

/** Where the login was that has the grant. */
const elsewhere = ({ lines, address }: Verdict): string => {
  const other = lines.findLast(({ kind, ip }) => kind === 'login' && ip !== address);
  return other === undefined
    ? 'elsewhere'
    : `from ${other.ip} at ${localTime(other.time)}${other.user === null ? '' : ` as ${other.user}`}`;
};

const TEXTS: Readonly<Record<Reason, (told: Told) => string>> = {
  granted: told => `${told.who} had a grant at ${told.when}: ${login(told)}`,
  'in-mynetworks': ({ who }) => `${who} is in mynetworks: it may relay anyway, and gets no grant`,
  'no-login': told =>
    `${told.who} had no grant at ${told.when}: the history has no login before; look whether the device fetches mail first, and from this address`,
  ended: told => `${told.who} had no grant at ${told.when}: ${login(told)}${end(told)}`,
  'too-old': told =>
    `${told.who} had no grant at ${told.when}: the login was already older than the grace period when its line was read; look at the clocks and time zones of both hosts`,
  excluded: ({ who }) =>
    `${who} never gets a grant: it is one of --exclude, or its row would open other networks`,
  'own-address': ({ who }) =>
    `${who} never gets a grant: it is an address of this machine or its gateway, which all clients behind a proxy have in common`,
  revoked: told =>
    `${told.who} was refused by an order at ${told.when}: "popbsmtp lift" takes it back`,
  'not-encrypted': told =>
    `${told.who} had no grant at ${told.when}: the login was not encrypted, and require-tls is set (${login(told)})`,
  'user-not-allowed': told =>
    `${told.who} had no grant at ${told.when}: allow-users or deny-users keep ${told.user ?? 'the user'} out (${login(told)})`,
  limit: told => `${told.who} had no grant at ${told.when}: a limit was exceeded${end(told)}`,
  'other-family': told =>
    `${told.who} had no grant at ${told.when}: the login was ${elsewhere(told)}, but the mail was sent over the other family (${told.address})${end(told)}; let the device use one family for both`,
  'other-address': told =>
    `${told.who} had no grant at ${told.when}: the login was ${elsewhere(told)}, but the mail was sent from ${told.address}${end(told)}`,
  'later-login': told =>
    `${told.who} had no grant at ${told.when}: the login came only afterwards (${login(told)}); let the device fetch mail before it sends`,
  'daemon-down': told => `${told.who} had no grant at ${told.when}: popbsmtp did not run then`,
  'not-by-map': told =>
    `${told.who} had a grant at ${told.when} (${login(told)}), but Postfix refused it by another rule: the port has restrictions of its own, or the map is not asked there ("popbsmtp doctor" shows it)`,
};

/** The answer in words alone. */
export function whySentence(verdict: Verdict): string {
  const { address, user, at, reason } = verdict;
  const who =
    address === null ? (user ?? 'nobody') : user === null ? address : `${address} (${user})`;
  return TEXTS[reason]({ ...verdict, who, when: localTime(at) });
}

export function whyText(verdict: Verdict): string {
  const { user, lines, strangers } = verdict;
  const evidence = lines.map(entry => `    ${entryLine(entry)}\n`).join('');
  const [stranger] = strangers;
  const others = strangers.map(entry => `    ${entryLine(entry)}\n`).join('');
  const perhaps =
    stranger === undefined
      ? ''
      : `Refused at that moment as well: if one of these was ${user ?? 'the user'}, ask "popbsmtp why ${stranger.ip}"\n`;
  return `${whySentence(verdict)}\n${evidence}${perhaps}${others}`;
}

export function whyJson({ address, user, at, reason, lines, strangers }: Verdict): object {
  return {
    address,
    user,
    at: isoMoment(at),
    granted: GRANTED.has(reason),
    reason,
    lines: lines.map(entryLine),
    strangers: strangers.map(entryLine),
  };
}
