/**
 * The access rules of couriertcpd, as makesmtpaccess(8) compiles them from texts: pure functions of texts.
 *
 * couriertcpd follows one rule only, the most specific one: of the whole address, its beginnings, and `*` (couriertcpd(1), "ACCESS FILE"; seen
 * with Courier 1.0.16).  So a rule for an address hides what the administrator has said of its network, and a row of ours says it again.
 * Two rules of one key are an error to makedat, which then makes nothing anew: so an address that has a rule gets no row.
 * Promises: any text ends in rules or in a `Failure` that names the line.
 * Known limit: ranges, `192.0.2.1-192.0.2.9`, are refused: they have to be written as networks.
 */
import { addressOf, canonicalIp, type IpText } from '../base/address.ts';
import { failure } from '../base/errors.ts';
import { excerpt } from '../base/excerpt.ts';
import { type Network, parseNetwork } from '../base/network.ts';

/** One text of rules, and where it is from. */
export interface RulesText {
  readonly path: string;
  readonly text: string;
}

const BITS_OF_PART = { ipv4: 8, ipv6: 16 } as const;

/** The parts of an address in the order in which they are cut off: octets, or groups of four digits. */
function partsOf(ip: IpText): readonly string[] {
  const address = addressOf(ip);
  return 'parts' in address
    ? address.parts.map(part => part.toString(16).padStart(4, '0'))
    : address.octets.map(String);
}

const joined = (ip: IpText, parts: readonly string[]): string =>
  ip.includes(':') ? `:${parts.join(':')}` : parts.join('.');

/** The key of a whole address. */
export const keyOf = (ip: IpText): string => joined(ip, partsOf(ip));

/** The address that a whole key stands for; null for another. */
export function ipOf(key: string): IpText | null {
  const ip = canonicalIp(key.startsWith(':') ? key.slice(1) : key);
  return ip !== null && keyOf(ip) === key ? ip : null;
}

const denies = (value: string): boolean => value.startsWith('deny');

export const letsRelay = (value: string): boolean =>
  !denies(value) && /,RELAYCLIENT(?:[=,]|$)/.test(value.replace(/"[^"]*"/g, ''));

interface NetworkRule {
  readonly network: Network;
  /** How many parts its keys have. */
  readonly length: number;
  readonly value: string;
}

export class AccessRules {
  readonly #byKey = new Map<string, string>();
  readonly #networks: NetworkRule[] = [];

  /** @throws Failure MAP_RULES */
  constructor(texts: readonly RulesText[]) {
    for (const { path, text } of texts)
      for (const [index, line] of text.split('\n').entries()) this.#read(line, path, index + 1);
  }

  /** Whether the administrator has said by himself what becomes of an address: with a rule for it, or by denying its network. */
  isSettled(ip: IpText): boolean {
    const parts = partsOf(ip);
    const own = this.#ruleOf(ip, parts, parts.length);
    return own !== null || denies(this.#networkRule(ip, parts) ?? '');
  }

  /** The line of a row of ours, without its end. */
  line(ip: IpText): string {
    const parts = partsOf(ip);
    const rule = this.#networkRule(ip, parts) ?? 'allow';
    return `${joined(ip, parts)}\t${letsRelay(rule) ? rule : `${rule},RELAYCLIENT`}`;
  }

  #networkRule(ip: IpText, parts: readonly string[]): string | null {
    for (let length = parts.length - 1; length > 0; length--) {
      const rule = this.#ruleOf(ip, parts, length);
      if (rule !== null) return rule;
    }
    return this.#byKey.get('*') ?? null;
  }

  #ruleOf(ip: IpText, parts: readonly string[], length: number): string | null {
    const rule = this.#byKey.get(joined(ip, parts.slice(0, length)));
    if (rule !== undefined) return rule;
    if (this.#networks.length === 0) return null;
    const address = addressOf(ip);
    const found = this.#networks.find(
      one => one.length === length && one.network.contains(address),
    );
    return found?.value ?? null;
  }

  #read(line: string, path: string, number: number): void {
    const [key, value] = splitRule(line) ?? [];
    if (key === undefined || value === undefined) return;
    const wrong = (problem: string) => {
      const reason = `line ${number}, "${excerpt(line, 60)}": ${problem}`;
      return failure('MAP_RULES', { path, reason });
    };
    if (!/[-/]/.test(key)) {
      if (!this.#byKey.has(key)) this.#byKey.set(key, value);
      return;
    }
    if (key.includes('-')) throw wrong('a range, which has to be written as networks');
    const parsed = parseNetwork(key);
    if ('problem' in parsed) throw wrong(parsed.problem);
    const { network } = parsed;
    const length = Math.ceil(network.bits / BITS_OF_PART[network.family]);
    if (length === 0) throw wrong('everybody, which is written as *');
    this.#networks.push({ network, length, value });
  }
}

/** As makedat reads a line; null for one that is no rule. */
export function splitRule(line: string): [key: string, value: string] | null {
  const [, key, value] = /^([^#\t][^\t]*)\t\s*(.*?)\s*$/.exec(line) ?? [];
  return key === undefined || value === undefined ? null : [key, value];
}
