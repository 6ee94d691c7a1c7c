/**
 * What the answers of the relay test mean: whether strangers may relay, and whether a row opens the relay.
 */
import type { IpText } from '../base/address.ts';
import { error, ok, type Verdict, warning } from './finding.ts';
import type { Lookup } from './map-naming.ts';
import type { Probed } from './probe.ts';
import { PLAIN } from './relay-forms.ts';
import type { Answer } from './relay-questions.ts';
import type { RelayWords } from './relay-words.ts';
import { type Endpoint, type Reply, SmtpTrouble } from './smtp-session.ts';

export type RelayFacts =
  | { readonly kind: 'not tested'; readonly verdict: Verdict }
  | {
      readonly kind: 'tested';
      readonly from: IpText;
      readonly endpoint: Endpoint;
      readonly strange: readonly Answer[];
      /** The plain address, while the map has a row for the client. */
      readonly granted: Probed<Reply | SmtpTrouble>;
      /** The same when the row is gone; null when there never was one. */
      readonly afterwards: Reply | null;
      /** What smtpd was seen to look up; null where it lets nobody play a client. */
      readonly lookup: Lookup | null;
      /** Whether the daemon may give a row to any address. */
      readonly wholeAddresses: boolean;
      readonly words: RelayWords;
    };

export const endpointText = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

const isAccepted = ({ code }: Reply): boolean => code < 300;
/** RFC 3207: TLS first. */
const NEEDS_TLS = 530;
/**
 * defer_unauth_destination, and sendmail for a client whose name it cannot look up now (proto.m4); a temporary refusal of anything else says nothing
 * about relaying.
 */
const isRefused = ({ code, text }: Reply): boolean =>
  code >= 500 || /^(?:454 4\.7\.1 |450 .*\bRelaying temporarily denied\b)/.test(text);

export function judgeRelay(facts: RelayFacts): Verdict[] {
  if (facts.kind === 'not tested') return [facts.verdict];
  const { strange, granted, afterwards, endpoint, from, lookup, wholeAddresses, words } = facts;
  const where = `at ${endpointText(endpoint)}, from ${from}`;
  const tls = strange.find(({ reply }) => reply.code === NEEDS_TLS);
  if (tls !== undefined)
    return [
      warning(
        `whether strangers may relay could not be tried ${where}: ${tls.reply.text}`,
        'name a port without that demand with --smtp HOST:PORT',
      ),
    ];
  const verdicts = [
    ...strangeVerdicts(strange, where, words),
    ...(granted.kind === 'skipped'
      ? [granted.verdict]
      : grantVerdicts(granted, plainReply(strange), afterwards, words)),
  ];
  const seen = lookup === null ? [] : [lookupVerdict(lookup, wholeAddresses, where)];
  if (verdicts.length > 0) return [...verdicts, ...seen];
  return [
    ok(`strangers are refused in ${strange.length} forms, and a row opens the relay ${where}`),
    ...seen,
  ];
}

function lookupVerdict(lookup: Lookup, wholeAddresses: boolean, where: string): Verdict {
  if (lookup === 'whole')
    return ok(`a row opens the relay for its own address only, and for no longer one ${where}`);
  if (wholeAddresses)
    return error(
      `whole-addresses is set, but a row opens the relay for longer IPv6 addresses as well ${where}`,
      'wrap the map in main.cf as popbsmtp(8) says ("Whole addresses"), or take whole-addresses away; then "postfix reload"',
    );
  return ok(
    `a row opens the relay for longer IPv6 addresses as well ${where}; the daemon gives none that would open other networks`,
  );
}

const plainReply = (strange: readonly Answer[]): Reply | null =>
  strange.find(({ form }) => form === PLAIN)?.reply ?? null;

const MOST_EXAMPLES = 4;

function strangeVerdicts(strange: readonly Answer[], where: string, words: RelayWords): Verdict[] {
  const taken = strange.filter(({ reply }) => isAccepted(reply));
  const unclear = strange.filter(({ reply }) => !isAccepted(reply) && !isRefused(reply));
  const verdicts: Verdict[] = [];
  if (taken.length > 0)
    verdicts.push(
      error(
        `strangers may relay ${where}: ${taken.length} of ${strange.length} forms are taken (${examples(taken)})`,
        words.openCure,
      ),
    );
  const [first] = unclear;
  if (first === undefined) return verdicts;
  verdicts.push(
    words.broken.test(first.reply.text)
      ? error(`${words.server} defers all mail ${where}: ${first.reply.text}`, words.brokenCure)
      : warning(
          `whether strangers may relay cannot be told ${where}: ${first.reply.text}`,
          'look what defers strangers, such as greylisting, and try again later',
        ),
  );
  return verdicts;
}

const examples = (answers: readonly Answer[]): string =>
  [
    ...answers
      .slice(0, MOST_EXAMPLES)
      .map(({ form }) => `${form.name}: from <${form.sender}> to <${form.recipient}>`),
    ...(answers.length > MOST_EXAMPLES ? ['…'] : []),
  ].join('; ');

function grantVerdicts(
  { result, leftOver }: Extract<Probed<Reply | SmtpTrouble>, { kind: 'tried' }>,
  before: Reply | null,
  afterwards: Reply | null,
  words: RelayWords,
): Verdict[] {
  const verdicts: Verdict[] = leftOver === null ? [] : [leftOver];
  // Where everybody may relay, or everybody is deferred, a row proves nothing; that has been told.
  if (before === null || !isRefused(before)) return verdicts;
  if (result instanceof SmtpTrouble)
    verdicts.push(
      warning(
        `whether a row opens the relay cannot be told: ${result.message}`,
        `look what ${words.server} logs, and try again`,
      ),
    );
  else if (!isAccepted(result)) verdicts.push(refusedGrant(result, before, words));
  else if (afterwards !== null && isAccepted(afterwards))
    verdicts.push(
      error('a client may still relay when its row has been taken away', words.staleCure),
    );
  return verdicts;
}

function refusedGrant({ text }: Reply, before: Reply, words: RelayWords): Verdict {
  if (text === before.text && words.refusal.test(text))
    return error(
      `a client may not relay although the map has a row for it: ${text}`,
      words.unnamedCure,
    );
  return warning(
    `whether a row opens the relay cannot be told, since something else refuses the test: ${text}`,
    "that may be as it should be, for a client at one of this machine's addresses and a recipient at example.com",
  );
}
