/**
 * Steps whose failure is an answer, and no end.
 *
 * Promises: only a `Failure` is taken for one; whatever else is thrown is a bug, and goes on.
 */
import { Failure } from './errors.ts';

export async function orFailure<T>(step: () => Promise<T>): Promise<T | Failure> {
  try {
    return await step();
  } catch (problem) {
    if (problem instanceof Failure) return problem;
    throw problem;
  }
}

export async function unlessFailed<T, U>(step: () => Promise<T>, otherwise: U): Promise<T | U> {
  const result = await orFailure(step);
  return result instanceof Failure ? otherwise : result;
}
