/**
 * Whether the real smtpd finds the row of an address for a longer one as well: it is asked as both (XCLIENT_README).
 *
 * Promises: the address is one of documentation (RFC 3849) whose row opens nothing outside its own /64.
 * Known limit: smtpd lets only those play another client whom `smtpd_authorized_xclient_hosts` names, which is nobody by
 * default; then there is no answer, and what main.cf says has to do (whole-addresses.ts).
 */
import { randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import { canonicalIp, type IpText } from '../base/address.ts';
import type { Subject } from './check.ts';
import type { Lookup } from './map-naming.ts';
import { withProbeRow } from './probe.ts';
import { PLAIN } from './relay-forms.ts';
import { type Endpoint, SmtpSession, SmtpTrouble } from './smtp-session.ts';

/**
 * What is looked up there; null when that cannot be told.
 *
 * @throws Interrupted
 */
export async function seenLookup(subject: Subject, endpoint: Endpoint): Promise<Lookup | null> {
  // From where it listens: a client of this machine is the one that is allowed to, if any is.
  if (isIP(endpoint.host) === 0) return null;
  const [key, longer] = addresses();
  const ask = (ip: IpText): Promise<boolean | null> => isAccepted(endpoint, ip, subject.ended);
  try {
    // Who is taken without a row shows nothing.
    if ((await ask(longer)) !== false) return null;
    const probed = await withProbeRow(subject, key, async () => {
      const [found, foundLonger] = [await ask(key), await ask(longer)];
      return found === true && foundLonger !== null ? foundLonger : null;
    });
    if (probed.kind !== 'tried' || probed.result === null) return null;
    return probed.result ? 'parts' : 'whole';
  } catch (problem) {
    if (problem instanceof SmtpTrouble) return null;
    throw problem;
  }
}

/** One that is in nobody's map, and the same with a group behind it. */
function addresses(): readonly [IpText, IpText] {
  const group = (): string => randomInt(1, 0x10000).toString(16);
  const key = canonicalIp(`2001:db8:${group()}:${group()}::${group()}`);
  const longer = key && canonicalIp(`${key}:${group()}`);
  if (key === null || longer === null) throw new TypeError('no address');
  return [key, longer];
}

/** Whether a client with this address may relay; null when we may not play it. */
async function isAccepted(
  endpoint: Endpoint,
  ip: IpText,
  ended: AbortSignal,
): Promise<boolean | null> {
  const session = await SmtpSession.open(endpoint, endpoint.host, ended);
  try {
    await session.hear('the greeting');
    await session.ask('EHLO [127.0.0.1]');
    const { code } = await session.ask(`XCLIENT NAME=[UNAVAILABLE] ADDR=IPV6:${ip}`);
    if (code !== 220) return null;
    await session.ask('EHLO client.example');
    await session.ask(`MAIL FROM:<${PLAIN.sender}>`);
    const answer = await session.ask(`RCPT TO:<${PLAIN.recipient}>`);
    await session.ask('QUIT');
    return answer.code < 300;
  } finally {
    session.close();
  }
}
