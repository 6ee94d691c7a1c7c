/**
 * The relay test: Postfix asked over SMTP, as a stranger and as a granted client.
 *
 * Promises: a stranger's request is made in every form of relay-forms.ts; then once more with a row for the stranger's
 * address in the map, and once more without.  No message is ever sent: each question ends behind RCPT TO.
 * Known limit: where every address of this machine is in mynetworks, there is no stranger to be played.
 */
import type { IpText } from '../base/address.ts';
import { Failure } from '../base/errors.ts';
import { check, type Subject } from './check.ts';
import { seenLookup } from './extended-address.ts';
import { error, failed, ok, skipped, type Verdict, warning } from './finding.ts';
import type { Lookup } from './map-naming.ts';
import { Interrupted, keysOf, type Probed, withProbeRow } from './probe.ts';
import { type Form, PLAIN, relayForms } from './relay-forms.ts';
import { findPlace, placeNamed, type RelayPlace, strangerAddress } from './relay-place.ts';
import { type Answer, askAll } from './relay-questions.ts';
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
      /** The service of master.cf whose own restrictions count there; null for main.cf's. */
      readonly override: string | null;
    };

export const relayCheck = check('relay', gather, judgeRelay);

async function gather(subject: Subject): Promise<RelayFacts> {
  const { smtp } = subject;
  if (smtp === null) return { kind: 'not tested', verdict: skipped('not tried: --no-smtp') };
  const answer = await subject.postfix();
  if (answer.kind !== 'known')
    return { kind: 'not tested', verdict: skipped('not tried: there is no Postfix to ask') };
  const place = smtp === 'find' ? findPlace(answer.state) : placeNamed(smtp, answer.state);
  if (place === null) return notTested('master.cf has no service that speaks SMTP over TCP');
  try {
    return await testAt(place, subject);
  } catch (problem) {
    if (problem instanceof Failure) return { kind: 'not tested', verdict: failed(problem) };
    if (!(problem instanceof SmtpTrouble)) throw problem;
    if (subject.ended.aborted) throw new Interrupted();
    return silent(place, problem);
  }
}

const notTested = (
  why: string,
  cure = 'name the port with --smtp HOST:PORT, or leave the test out with --no-smtp',
): RelayFacts => ({
  kind: 'not tested',
  verdict: warning(`whether strangers may relay could not be tried: ${why}`, cure),
});

const silent = ({ endpoint, isProxied }: RelayPlace, { message }: SmtpTrouble): RelayFacts =>
  isProxied
    ? notTested(
        `${endpointText(endpoint)} talks to its proxy only (smtpd_upstream_proxy_protocol): ${message}`,
        'name a port without a proxy in front with --smtp HOST:PORT, or ask from outside, through the proxy',
      )
    : {
        kind: 'not tested',
        verdict: error(
          `Postfix does not answer at ${endpointText(endpoint)}: ${message}`,
          'look whether Postfix runs (postfix status) and what it logs; --smtp HOST:PORT names another port',
        ),
      };

const endpointText = ({ host, port }: Endpoint): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

async function testAt(place: RelayPlace, subject: Subject): Promise<RelayFacts> {
  const { endpoint, domain } = place;
  const { settings, ended } = subject;
  const { postfixConfig, wholeAddresses } = settings;
  const from = await strangerAddress(place, {
    postfixConfig,
    wholeAddresses,
    taken: await keysOf(subject),
  });
  if (from === null)
    return notTested(
      'every address of this machine is in mynetworks, so none is a stranger',
      'name in mynetworks only whom you trust; what a stranger is answered, only another machine can try then',
    );
  const ask = (forms: readonly Form[]): Promise<Answer[]> => askAll(endpoint, from, forms, ended);
  const askPlainly = async (): Promise<Reply> => {
    const [answer] = await ask([PLAIN]);
    if (answer === undefined) throw new TypeError('a question without an answer');
    return answer.reply;
  };
  const tryPlainly = (): Promise<Reply | SmtpTrouble> =>
    askPlainly().catch((problem: unknown) => {
      if (problem instanceof SmtpTrouble) return problem;
      throw problem;
    });
  const { host } = endpoint;
  const strange = await ask(
    relayForms(domain, host.includes(':') ? `[IPv6:${host}]` : `[${host}]`),
  );
  const granted = await withProbeRow(subject, from, tryPlainly);
  const afterwards = granted.kind === 'tried' ? await askPlainly() : null;
  const lookup =
    granted.kind === 'tried' && granted.leftOver === null
      ? await seenLookup(subject, endpoint)
      : null;
  return {
    kind: 'tested',
    from,
    endpoint,
    strange,
    granted,
    afterwards,
    lookup,
    wholeAddresses,
    override: place.override,
  };
}

const isAccepted = ({ code }: Reply): boolean => code < 300;
/** RFC 3207: TLS first. */
const NEEDS_TLS = 530;
/** defer_unauth_destination; a temporary refusal of anything else says nothing about relaying. */
const isRefused = ({ code, text }: Reply): boolean => code >= 500 || /^454 4\.7\.1 /.test(text);
/** What smtpd says when its own set-up or a table is broken (smtpd_check.c). */
const BROKEN = /^451 4\.3\.[05] /;

export function judgeRelay(facts: RelayFacts): Verdict[] {
  if (facts.kind === 'not tested') return [facts.verdict];
  const { strange, granted, afterwards, endpoint, from, lookup, wholeAddresses, override } = facts;
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
    ...strangeVerdicts(strange, where, override),
    ...(granted.kind === 'skipped'
      ? [granted.verdict]
      : grantVerdicts(granted, plainReply(strange), afterwards, override)),
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

const ofService = (override: string | null): string =>
  override === null ? '' : ` of ${override} in master.cf`;

const MOST_EXAMPLES = 4;

function strangeVerdicts(
  strange: readonly Answer[],
  where: string,
  override: string | null,
): Verdict[] {
  const taken = strange.filter(({ reply }) => isAccepted(reply));
  const unclear = strange.filter(({ reply }) => !isAccepted(reply) && !isRefused(reply));
  const verdicts: Verdict[] = [];
  if (taken.length > 0)
    verdicts.push(
      error(
        `strangers may relay ${where}: ${taken.length} of ${strange.length} forms are taken (${examples(taken)})`,
        `let smtpd_relay_restrictions${ofService(override)} end in reject_unauth_destination, and look at what stands before it`,
      ),
    );
  const [first] = unclear;
  if (first === undefined) return verdicts;
  verdicts.push(
    BROKEN.test(first.reply.text)
      ? error(
          `Postfix defers all mail ${where}: ${first.reply.text}`,
          'its log says what it lacks: a table that it cannot open, or a wrong line in main.cf',
        )
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
  override: string | null,
): Verdict[] {
  const verdicts: Verdict[] = leftOver === null ? [] : [leftOver];
  // Where everybody may relay, or everybody is deferred, a row proves nothing; that has been told.
  if (before === null || !isRefused(before)) return verdicts;
  if (result instanceof SmtpTrouble)
    verdicts.push(
      warning(
        `whether a row opens the relay cannot be told: ${result.message}`,
        'look what Postfix logs, and try again',
      ),
    );
  else if (!isAccepted(result)) verdicts.push(refusedGrant(result, before, override));
  else if (afterwards !== null && isAccepted(afterwards))
    verdicts.push(
      error(
        'a client may still relay when its row has been taken away',
        'look whether Postfix asks this very file: "postfix reload" lets it open its maps again',
      ),
    );
  return verdicts;
}

/** What reject_unauth_destination and reject say (smtpd_check.c). */
const NO_RELAY = /(?:relay )?access denied/i;

function refusedGrant({ text }: Reply, before: Reply, override: string | null): Verdict {
  if (text === before.text && NO_RELAY.test(text))
    return error(
      `a client may not relay although the map has a row for it: ${text}`,
      `name the map ${override === null ? 'in main.cf' : `in the -o options of ${override} in master.cf`} as the check of the restrictions says, then "postfix reload"`,
    );
  return warning(
    `whether a row opens the relay cannot be told, since something else refuses the test: ${text}`,
    "that may be as it should be, for a client at one of this machine's addresses and a recipient at example.com",
  );
}
