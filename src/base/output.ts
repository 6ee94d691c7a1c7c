/**
 * What becomes of standard output when it cannot be written.
 *
 * Promises: once a reader has gone (EPIPE), or the output is full, `requireOutput` throws, so that a command that only prints ends in its
 * usual way, closing what it holds: with 0 and no word for the reader, with one line and a status for anything else.
 * Source: write(2), EPIPE and ENOSPC.
 */
import { EXIT, errnoOf, Failure, failure, reasonOf } from './errors.ts';

/** Nobody reads standard output any more: no error, but no reason to go on either. */
export class ReaderGone extends Error {}

let trouble: ReaderGone | Failure | null = null;
let endures = false;

let end: () => void = () => undefined;

/** Resolves when nothing can be printed any more, and what only prints has to end. */
export const outputEnded = new Promise<void>(resolve => {
  end = resolve;
});

/** From now on what goes wrong with the output is kept here instead of ending the process with a stack; to be called once, first. */
export function guardOutput(): void {
  process.stdout.on('error', error => {
    if (trouble !== null) return;
    const isGone = errnoOf(error) === 'EPIPE';
    trouble = isGone ? new ReaderGone() : failure('OUTPUT', { reason: reasonOf(error) }, error);
    if (trouble instanceof Failure) process.stderr.write(`popbsmtp: ${trouble.line}\n`);
    if (isGone || !endures) end();
  });
  // There is nowhere left to tell of it.
  process.stderr.on('error', () => undefined);
  process.on('exit', () => {
    if (trouble instanceof Failure && !endures) process.exitCode = trouble.exit;
  });
}

/** That it cannot be written is told, and no reason to end: for a daemon, which has grants to end. */
export const endureFullOutput = (): void => {
  endures = true;
};

/** @throws ReaderGone; Failure OUTPUT, which has been told */
export function requireOutput(): void {
  if (trouble !== null) throw trouble;
}

/** The exit status of an error that needs no more words; null for any other. */
export function statusOfOutput(error: unknown): number | null {
  if (error instanceof ReaderGone) return EXIT.ok;
  return error === trouble && trouble instanceof Failure ? trouble.exit : null;
}
