/**
 * A certificate that vouches for itself, for a server at 127.0.0.1: also the authority that its clients are to trust.
 */
import { join } from 'node:path';
import { mustRun } from './processes.ts';
import type { Rig } from './rig.ts';

/** Files. */
export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** @param when it begins, for two days; needs faketime unless that is now */
export async function makeCertificate(
  rig: Rig,
  name: string,
  when: string | null = null,
): Promise<Certificate> {
  const directory = await rig.directory();
  const [key, certificate] = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
  const [program = '', ...args] = [
    ...(when === null ? [] : ['faketime', when]),
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
    ...['-nodes', '-days', '2', '-subj', `/CN=${name}`],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate],
  ];
  await mustRun(program, args);
  return { key, certificate };
}
