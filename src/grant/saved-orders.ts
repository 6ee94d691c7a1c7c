/**
 * Orders as they are kept in the file beside the map: plain JSON, of which what is no order is left out.
 */
import { canonicalIp } from '../base/address.ts';
import { epoch } from '../base/clock.ts';
import type { Given, Subject } from './order.ts';

/** Plain JSON, for the file. */
export interface SavedOrders {
  readonly orders: readonly (Given & { readonly received?: true })[];
}

export interface Restored {
  readonly order: Given;
  /** Whether another host was given it. */
  readonly isReceived: boolean;
}

/** What a file says, whatever it says. */
export function ordersIn(saved: unknown): Restored[] {
  if (typeof saved !== 'object' || saved === null || !('orders' in saved)) return [];
  const { orders } = saved;
  return Array.isArray(orders) ? orders.map(restoredOf).filter(one => one !== null) : [];
}

function restoredOf(value: unknown): Restored | null {
  if (typeof value !== 'object' || value === null) return null;
  const order = orderOf(value);
  return order && { order, isReceived: 'received' in value && value.received === true };
}

function orderOf(value: object): Given | null {
  if (!('kind' in value && 'subject' in value && 'made' in value && 'until' in value)) return null;
  const { kind, made, until } = value;
  const subject = subjectOf(value.subject);
  if (subject === null || !isTime(made) || !isTime(until) || until < made) return null;
  const span = { made: epoch(made), until: epoch(until) };
  if (kind === 'revoke' || kind === 'lift') return { kind, subject, ...span };
  return kind === 'allow' && subject.kind === 'address' ? { kind, subject, ...span } : null;
}

function subjectOf(value: unknown): Subject | null {
  if (typeof value !== 'object' || value === null) return null;
  if ('user' in value && typeof value.user === 'string') return { kind: 'user', user: value.user };
  const ip = 'ip' in value && typeof value.ip === 'string' ? canonicalIp(value.ip) : null;
  return ip === null ? null : { kind: 'address', ip };
}

const isTime = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value);
