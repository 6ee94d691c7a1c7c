/**
 * Asserts that something ends in an error of the catalogue, and that its one line names what it should.
 */
import assert from 'node:assert/strict';
import { type ErrorCode, Failure } from '../src/base/errors.ts';

const isFailure =
  (code: ErrorCode, ...mentions: readonly string[]) =>
  (error: unknown): true => {
    assert.ok(error instanceof Failure, `not a Failure: ${error}`);
    assert.equal(error.code, code);
    assert.doesNotMatch(error.line, /\n/);
    for (const text of mentions) {
      assert.ok(error.line.includes(text), `"${error.line}" does not mention "${text}"`);
    }
    return true;
  };

export function assertFails(action: () => unknown, code: ErrorCode, ...mentions: string[]): void {
  assert.throws(action, isFailure(code, ...mentions));
}

export function assertRejects(
  action: Promise<unknown>,
  code: ErrorCode,
  ...mentions: string[]
): Promise<void> {
  return assert.rejects(action, isFailure(code, ...mentions));
}
