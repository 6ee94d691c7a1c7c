/**
 * Whether strangers may relay, and whether a row lets a client: the server is asked over SMTP, as a stranger of this machine, with and without a
 * row for his address.
 *
 * Promises: no message is sent, and the row is taken away whatever happens (probe.ts); where it cannot be tried, that is said, with the reason.
 * Leaves to others: where it listens (relay-place.ts), the forms of addresses (relay-forms.ts), and what the answers mean (relay-verdicts.ts).
 */
import { Failure } from '../base/errors.ts';
import { formatMapSpec } from '../map/map-types.ts';
import { check, type Subject } from './check.ts';
import { seenLookup } from './extended-address.ts';
import { error, failed, skipped, warning } from './finding.ts';
import { isOfOtherMta } from './other-mta.ts';
import { Interrupted, keysOf, withProbeRow } from './probe.ts';
import { type Form, PLAIN, relayForms } from './relay-forms.ts';
import {
  findPlace,
  placeNamed,
  type RelayPlace,
  strangerAddress,
  unknownPlace,
} from './relay-place.ts';
import { type Answer, askAll } from './relay-questions.ts';
import { endpointText, judgeRelay, type RelayFacts } from './relay-verdicts.ts';
import { otherWords, postfixWords, type RelayWords } from './relay-words.ts';
import { type Endpoint, type Reply, SmtpTrouble } from './smtp-session.ts';

export const relayCheck = check('relay', gather, judgeRelay);

async function gather(subject: Subject): Promise<RelayFacts> {
  const { smtp } = subject;
  if (smtp === null) return { kind: 'not tested', verdict: skipped('not tried: --no-smtp') };
  const found = (await isOfOtherMta(subject))
    ? await otherPlace(subject, smtp)
    : await postfixPlace(subject, smtp);
  if ('kind' in found) return found;
  const { place, words } = found;
  try {
    return await testAt(place, words, subject);
  } catch (problem) {
    if (problem instanceof Failure) return { kind: 'not tested', verdict: failed(problem) };
    if (!(problem instanceof SmtpTrouble)) throw problem;
    if (subject.ended.aborted) throw new Interrupted();
    return silent(place, words, problem);
  }
}

interface Found {
  readonly place: RelayPlace;
  readonly words: RelayWords;
}

type Wanted = NonNullable<Subject['smtp']>;

async function postfixPlace({ postfix }: Subject, smtp: Wanted): Promise<Found | RelayFacts> {
  const answer = await postfix();
  if (answer.kind !== 'known')
    return { kind: 'not tested', verdict: skipped('not tried: there is no Postfix to ask') };
  const place = smtp === 'find' ? findPlace(answer.state) : placeNamed(smtp, answer.state);
  if (place === null) return notTested('master.cf has no service that speaks SMTP over TCP');
  return { place, words: postfixWords(place.override) };
}

/** Where another server listens, unless it is said. */
const USUAL: Endpoint = { host: '127.0.0.1', port: 25 };

async function otherPlace(
  { settings, otherMta }: Subject,
  smtp: Wanted,
): Promise<Found | RelayFacts> {
  const { map, mynetworks } = settings;
  const state = await otherMta();
  if (smtp === 'find' && state === null) {
    const why = `not tried: what reads ${formatMapSpec(map)} is not known here; --smtp HOST:PORT names the SMTP server`;
    return { kind: 'not tested', verdict: skipped(why) };
  }
  if (state !== null && state.server.refusal === null) {
    const why = `not tried: ${state.server.name} decides before an SMTP server is asked`;
    return { kind: 'not tested', verdict: skipped(why) };
  }
  return {
    place: unknownPlace(smtp === 'find' ? USUAL : smtp, mynetworks.value),
    words: otherWords(state?.server ?? null, map),
  };
}

const notTested = (
  why: string,
  cure = 'name the port with --smtp HOST:PORT, or leave the test out with --no-smtp',
): RelayFacts => ({
  kind: 'not tested',
  verdict: warning(`whether strangers may relay could not be tried: ${why}`, cure),
});

const silent = (
  { endpoint, isProxied }: RelayPlace,
  { server, silentCure }: RelayWords,
  { message }: SmtpTrouble,
): RelayFacts =>
  isProxied
    ? notTested(
        `${endpointText(endpoint)} talks to its proxy only (smtpd_upstream_proxy_protocol): ${message}`,
        'name a port without a proxy in front with --smtp HOST:PORT, or ask from outside, through the proxy',
      )
    : {
        kind: 'not tested',
        verdict: error(
          `${server} does not answer at ${endpointText(endpoint)}: ${message}`,
          silentCure,
        ),
      };

async function testAt(place: RelayPlace, words: RelayWords, subject: Subject): Promise<RelayFacts> {
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
    words,
  };
}
