/**
 * Asks Postfix's lookup tables for addresses, through `postmap -q`.
 *
 * Promises: one process for all addresses of a question; a table that cannot be asked is an error with
 * Postfix's own words, never an empty answer.
 * Leaves to others: that no two questions meet at one table (table.ts).
 * Known limits: only addresses are asked for; smtpd also looks up the client's name and its parent domains, and
 * `unknown` for a client without one.  A table that does not answer holds up its caller for five seconds.
 */
import { failure } from '../base/errors.ts';
import { complaint, isFatal, runPostfixCommand } from './command.ts';

/** Finds out which of the keys a table has; `postmapQuery` is the real one. */
export type TableQuery = (table: string, keys: readonly string[]) => Promise<Set<string>>;

/** A table on another machine may be slow; logins must not wait for it for longer than this. */
const TIMEOUT_MS = 5000;

/** @param config the directory of main.cf, or null for Postfix's default */
export function postmapQuery(config: string | null): TableQuery {
  return async (table, keys) => {
    const failed = (reason: string) => {
      const key = keys.length === 1 ? `${keys[0]}` : `${keys.length} addresses`;
      return failure('POSTMAP_FAILED', { key, table, reason });
    };
    const input = keys.map(key => `${key}\n`).join('');
    const options = { config, input, timeoutMs: TIMEOUT_MS };
    const result = await runPostfixCommand('postmap', ['-q', '-', direct(table)], options);
    if (result.kind === 'missing') throw failed('postmap was not found');
    if (result.kind === 'broken') throw failed(result.reason);
    const { status, stdout, stderr } = result;
    // Status 1 without a fatal error says that it has none of the keys (postmap(1)).
    if (status > 1 || isFatal(stderr)) throw failed(complaint(stderr) || `status ${status}`);
    return new Set(Array.from(stdout.matchAll(/^([^\t\n]*)\t/gm), ([, key = '']) => key));
  };
}

/**
 * The table behind `proxy:`, which only spares smtpd connections and files.  The proxymap socket is closed to
 * any account but Postfix's, and postmap would try again and again without an end (3.7).
 */
function direct(table: string): string {
  return table.replace(/^(?:proxy:)+(?=[^:]+:)/, '');
}
