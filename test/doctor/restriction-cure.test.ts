/**
 * The commands by which the doctor has a list of restrictions put right: what they write, that the doctor is content with that, and
 * that none is given where none is sure.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PostfixState } from '../../src/doctor/postfix-state.ts';
import { judgeRestrictions } from '../../src/doctor/restrictions.ts';
import { MAP, postfixWith } from './arrange.ts';

const CHECK = 'check_client_access lmdb:/m';
const CLOSED = `permit_mynetworks, ${CHECK}, reject_unauth_destination`;
const relay = (list: string): string => `smtpd_relay_restrictions = ${list}\n`;

const hints = (state: PostfixState, wholeAddresses = false, config: string | null = null) =>
  judgeRestrictions({ state, map: MAP, config, mode: 0o600, wholeAddresses, missing: [] }).flatMap(
    ({ hint }) => hint ?? [],
  );

/** What the commands in the hints write, by parameter. */
const told = (given: readonly string[]): Map<string, string> =>
  new Map(
    given.flatMap(hint =>
      Array.from(
        hint.matchAll(/postconf -[eP] '([^ =]+) ?= ?([^']*)'/g),
        ([, name = '', value = '']): [string, string] => [name, value],
      ),
    ),
  );

const mainCf = (values: ReadonlyMap<string, string>): string =>
  [...values].map(([name, value]) => `${name} = ${value}\n`).join('');

describe('what is written, after which nothing is left to say', () => {
  const table: Readonly<Record<string, readonly [before: string, after: string, list?: string]>> = {
    'the map is named nowhere': [
      'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination',
      `permit_mynetworks, permit_sasl_authenticated, ${CHECK}, defer_unauth_destination`,
    ],
    'behind what refuses': [
      `permit_mynetworks reject_unauth_destination\t${CHECK}`,
      `permit_mynetworks, ${CHECK}, reject_unauth_destination`,
    ],
    'with its suffix': [CLOSED.replace('/m,', '/m.lmdb,'), CLOSED],
    'as another type': [CLOSED.replace('lmdb:', 'hash:'), CLOSED],
    'asked for senders': [CLOSED.replace('client', 'sender'), CLOSED],
    'named alone, which is for recipients': [CLOSED.replace(`${CHECK}`, 'lmdb:/m'), CLOSED],
    'behind warn_if_reject': [CLOSED.replace(CHECK, `warn_if_reject ${CHECK}`), CLOSED],
    'through proxy:': [CLOSED.replace('lmdb:', 'proxy:lmdb:'), CLOSED],
    'what stands around it stays': [
      'check_policy_service {inet:127.0.0.1:9, timeout=2s} warn_if_reject reject, reject',
      `check_policy_service {inet:127.0.0.1:9, timeout=2s}, warn_if_reject reject, ${CHECK}, reject`,
    ],
  };
  for (const [name, [before, after]] of Object.entries(table))
    test(name, () => {
      const found = told(hints(postfixWith(relay(before))));
      assert.deepEqual([...found], [['smtpd_relay_restrictions', after]]);
      assert.deepEqual(hints(postfixWith(mainCf(found))), []);
    });

  test('every list that refuses', () => {
    const before = `${relay(CLOSED)}smtpd_client_restrictions = permit_mynetworks, reject\n`;
    const found = told(hints(postfixWith(before)));
    assert.deepEqual(
      [...found],
      [['smtpd_client_restrictions', `permit_mynetworks, ${CHECK}, reject`]],
    );
  });

  test('variables stay', () => {
    const state = postfixWith(
      relay('permit_mynetworks, check_client_access hash:/etc/own, reject'),
    );
    const written = new Map([
      ['smtpd_relay_restrictions', 'permit_mynetworks, check_client_access $own, reject'],
    ]);
    assert.deepEqual(
      [...told(hints({ ...state, written })).values()],
      [`permit_mynetworks, check_client_access $own, ${CHECK}, reject`],
    );
  });

  test('a service of master.cf', () => {
    const services = 'smtp inet n - n - - smtpd';
    const at = 'smtp/inet/smtpd_relay_restrictions';
    const found = hints(
      postfixWith(relay(CLOSED), services, `${at} = permit_mynetworks,reject\n`),
      false,
      '/etc/postfix-out',
    );
    const list = `permit_mynetworks,${CHECK.replace(' ', ',')},reject`;
    assert.match(
      found.join('\n'),
      new RegExp(`: postconf -c '/etc/postfix-out' -P '${at}=${list}' && postfix -c `),
    );
  });

  test('whole addresses only', () => {
    const found = told(hints(postfixWith(relay(CLOSED)), true));
    const wrapped = found.get('pbsmap') ?? '';
    assert.equal(found.get('smtpd_relay_restrictions'), CLOSED.replace('lmdb:/m', '$pbsmap'));
    const after = relay(CLOSED.replace('lmdb:/m', wrapped.replaceAll('$$', '$')));
    assert.deepEqual(hints(postfixWith(after), true), []);
  });
});

describe('none is given', () => {
  const table: Readonly<Record<string, string>> = {
    'where a class refuses': `${relay('permit_mynetworks, own')}smtpd_restriction_classes = own\nown = reject\n`,
    'where a table in front lets everybody relay': relay(
      'check_client_access static:OK, reject_unauth_destination',
    ),
    'where nothing refuses': relay('permit_mynetworks'),
  };
  for (const [name, before] of Object.entries(table))
    test(name, () => assert.equal(told(hints(postfixWith(before))).size, 0));

  test('where a variable stands for several words', () => {
    const state = postfixWith(relay('permit_mynetworks, reject'));
    const written = new Map([['smtpd_relay_restrictions', '$common']]);
    const found = hints({ ...state, written });
    assert.equal(told(found).size, 0);
    assert.match(found.join('\n'), /as check_client_access lmdb:\/m$/);
  });

  test('where somebody has a pbsmap of his own', () => {
    const state = postfixWith(`${relay(CLOSED)}pbsmap = hash:/own\n`);
    assert.equal(told(hints(state, true)).size, 0);
  });
});
