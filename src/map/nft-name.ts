/** What an `nft:` map is called: two sets of nftables (nft-set.ts). */

/** What an `nft:` map is. */
export interface NftName {
  readonly family: string;
  readonly table: string;
  /** Of both sets, without the digit. */
  readonly set: string;
}

/** Families of tables whose rules see the address of a client of this machine. */
const NAME = /^(?<family>inet|ip|ip6) (?<table>[A-Za-z_][\w.-]*) (?<set>[A-Za-z_][\w.-]*)$/;

/** @returns null for a text that names no sets */
export function parseNftName(text: string): NftName | null {
  const { family, table, set } = NAME.exec(text)?.groups ?? {};
  if (family === undefined || table === undefined || set === undefined) return null;
  return { family, table, set };
}

export const formatNftName = ({ family, table, set }: NftName): string =>
  `${family} ${table} ${set}`;
