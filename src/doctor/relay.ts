import { Failure } from '../base/errors.ts';
import { check, type Subject } from './check.ts';
import { seenLookup } from './extended-address.ts';
import { error, failed, skipped, warning } from './finding.ts';
import { Interrupted, keysOf, withProbeRow } from './probe.ts';
import { type Form, PLAIN, relayForms } from './relay-forms.ts';
import { findPlace, placeNamed, type RelayPlace, strangerAddress } from './relay-place.ts';
import { type Answer, askAll } from './relay-questions.ts';
import { endpointText, judgeRelay, type RelayFacts } from './relay-verdicts.ts';
import { type Reply, SmtpTrouble } from './smtp-session.ts';

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
          'if "postfix status" says that it does not run, start it: systemctl start postfix, or postfix start; else look what it logs; --smtp HOST:PORT names another port',
        ),
      };

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
