/** Numbers with what they count: `1 line`, `2 lines`. */

/** @param many where it is not the singular and an s */
export const noun = (count: number, one: string, many: string = `${one}s`): string =>
  count === 1 ? one : many;

/** @param many as for `noun` */
export const quantity = (count: number, one: string, many?: string): string =>
  `${count} ${noun(count, one, many)}`;
