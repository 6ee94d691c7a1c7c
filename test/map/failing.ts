/** For `assert.rejects` and `assert.throws`: the error is a `Failure` of this code. */
import { type ErrorCode, Failure } from '../../src/base/errors.ts';

export const failing =
  (code: ErrorCode) =>
  (error: unknown): boolean =>
    error instanceof Failure && error.code === code;
