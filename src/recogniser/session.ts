/**
 * Which session a login or a logout is of, as its line and the `join` of its pattern file tell it.
 *
 * Promises: two events have the same key only if server, host and every field of `join` are the same in both lines.
 */
import type { IpText } from '../base/address.ts';
import type { Line } from '../line/prefix.ts';
import type { SessionId } from './event.ts';
import type { Fields } from './expression.ts';
import type { JoinField, Pattern } from './pattern.ts';
import { protocolOf } from './protocol.ts';

/** Null where a field is missing, or the server's logouts tell no session. */
export function sessionOf(
  pattern: Pattern,
  line: Line,
  ip: IpText | null,
  fields: Fields,
): SessionId | null {
  const { join, server } = pattern;
  if (join.length === 0) return null;
  // Apart by what no line has in it.
  const origin = `${server}\n${line.host ?? ''}`;
  let key = origin;
  for (const field of join) {
    const value = fieldOf(field, line, ip, fields);
    if (value === null || value === '') return null;
    key += `\n${value}`;
  }
  const { protocol, teller } = protocolAndTeller(pattern, line, fields);
  return { key, service: `${origin}\n${teller}`, protocol };
}

function fieldOf(
  field: JoinField,
  { pid }: Line,
  ip: IpText | null,
  fields: Fields,
): string | null {
  if (field === 'ip') return ip;
  return field === 'pid' ? pid : (fields[field] ?? null);
}

/** Whose logouts end the session: a protocol's where they name it, else those of the program. */
function protocolAndTeller(
  { protocols, namesProtocol }: Pattern,
  { program }: Line,
  { protocol: text }: Fields,
): Pick<SessionId, 'protocol'> & { readonly teller: string } {
  const name = program ?? '';
  const ofProgram = protocols.get(name) ?? null;
  const protocol = (text === undefined ? null : protocolOf(text)) ?? ofProgram;
  return { protocol, teller: (namesProtocol ? protocol : ofProgram) ?? name };
}
