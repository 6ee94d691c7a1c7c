/**
 * Asks Postfix for its mynetworks.
 *
 * Promises: the list as smtpd sees it, with variables expanded (postconf(1) `-x`, Postfix 2.10 and
 * later) and with Postfix's own default when main.cf has none; an empty list only if Postfix says so.
 * Known limit: what master.cf sets for one service with `-o mynetworks=…` is not seen.
 */
import { failure } from '../base/errors.ts';
import { complaint, runPostfixCommand } from './command.ts';

/** Postfix reads a main.cf of the last seconds again and again until it is older (src/util/dict.c). */
const TIMEOUT_MS = 15_000;

/**
 * @param config the directory of main.cf, or null for Postfix's default
 * @param warn told what postconf warns of, such as an undefined variable
 * @throws Failure POSTCONF_MISSING, POSTCONF_FAILED
 */
export async function askMynetworks(
  config: string | null,
  warn: (text: string) => void,
): Promise<string> {
  const options = { config, timeoutMs: TIMEOUT_MS };
  const result = await runPostfixCommand('postconf', ['-x', '-h', 'mynetworks'], options);
  if (result.kind === 'missing') throw failure('POSTCONF_MISSING', {});
  if (result.kind === 'broken') throw failure('POSTCONF_FAILED', { reason: result.reason });
  const { status, stdout, stderr } = result;
  if (status !== 0) {
    const reason = complaint(stderr) || `it ended with status ${status}`;
    throw failure('POSTCONF_FAILED', { reason });
  }
  // An empty value is an empty line; no line at all is no answer.
  if (!stdout.endsWith('\n')) {
    throw failure('POSTCONF_FAILED', { reason: complaint(stderr) || 'it printed nothing' });
  }
  // Postfix says everything again each time it reads a main.cf that has just been changed.
  for (const warning of new Set(stderr.split('\n').filter(concernsUs))) warn(warning);
  return stdout;
}

/** Settings that nothing uses are none of our business; postconf names them whatever it is asked. */
function concernsUs(line: string): boolean {
  return line !== '' && !line.includes(': unused parameter: ');
}
