/**
 * Shows that tcpserver lets in by a `tcprules:` map: what tcprulescheck(1) says it does with each client of the map, and with one of none.
 *
 * Leaves to others: the demo.  Where ucspi-tcp is not installed, that is said instead.
 */
import { execFile } from 'node:child_process';
import { canonicalIp } from '../base/address.ts';
import { errnoOf } from '../base/errors.ts';
import type { MapSpec, Row } from '../map/map.ts';
import { keyOf } from '../map/tcprules.ts';

const PATIENCE_MS = 10_000;
/** Nobody has logged in from there (RFC 5737). */
const STRANGER = '198.51.100.200';

export async function proveRules(
  { path }: MapSpec,
  rows: readonly Row[],
  say: (text: string) => void,
): Promise<void> {
  const first = await ask(path, STRANGER);
  if (first === null) {
    say('\nucspi-tcp is not installed here, so tcprulescheck cannot be asked.');
    return;
  }
  say('\ntcpserver follows the same rows:');
  const keys = rows.flatMap(({ key }) => {
    const ip = canonicalIp(key);
    return ip === null ? [] : [keyOf(ip)];
  });
  for (const key of [...keys, STRANGER]) {
    const answer = (await ask(path, key)) ?? '';
    say(`    TCPREMOTEIP=${key} tcprulescheck ${path}`);
    for (const line of answer.trim().split('\n')) say(`        ${line}`);
  }
}

/** @returns what it says; null where there is none */
function ask(path: string, address: string): Promise<string | null> {
  const env = { PATH: process.env['PATH'], TCPREMOTEIP: address };
  return new Promise(resolve => {
    execFile('tcprulescheck', [path], { env, timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      resolve(errnoOf(error) === 'ENOENT' ? null : stdout + stderr);
    });
  });
}
