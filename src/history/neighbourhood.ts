/** The addresses near one: of the same /24, or /64, where whoever is refused has often logged in by another. */
import type { IpText } from '../base/address.ts';
import { subnetOf } from '../base/subnet.ts';

/** The same text for all that are near each other. */
export const neighbourhoodOf = (ip: IpText): string =>
  ip.includes(':') ? subnetOf(ip) : ip.slice(0, ip.lastIndexOf('.'));
