import type { Values } from '../options/values.ts';
export async function why(_: Values): Promise<number> {
  return 0;
}
