/**
 * What carries log lines that have a beginning of their own: container runtimes, supervisors and their loggers.
 *
 * Promises: a carrier is taken off by what it alone writes; each layer once and in the order of the table, since a
 * name and a bar behind a stamp, say, may be a host and the message of anybody.  Nobody but the carrier and the program
 * that it carries begins a line there.  What a carrier has encoded is decoded, and stays one line.
 * Leaves to others: whose line it is then (prefix.ts), and lines that come in pieces (pieces.ts).
 * Sources: Kubernetes, "CRI: Log Format" (design proposal kubelet-cri-logging); Docker, json-file logging driver
 * (daemon/logger/jsonfilelog/jsonlog); docker-logs(1), docker compose logs, kubectl logs --prefix; socklog(8), svlogd(8),
 * multilog(8), tai64nlocal(8), s6-log(8).
 */
import { escapeControls } from './controls.ts';
import { FACILITY_LEVEL } from './levels.ts';
import { LOCAL_LABEL, SVLOGD_STAMP, TAI64N } from './stamp.ts';

/** A line with its outermost carrier taken off. */
export interface Carried {
  readonly rest: string;
  /** When it was carried, in a form that tells its zone; null where the carrier does not say. */
  readonly stamp: string | null;
  /** When, by the clock of a zone that it does not tell: counts only where the line has no stamp of its own. */
  readonly localStamp: string | null;
  /** Null for a carrier that never breaks lines. */
  readonly piece: Piece | null;
}

/** What one entry of a runtime's log holds of a line. */
export interface Piece {
  /** `stdout` or `stderr`; each has lines of its own. */
  readonly stream: string;
  /** Whether the line ends with it. */
  readonly isLast: boolean;
}

interface Carrier {
  /** Of the first character: whether it may be this one's, so that most are not tried at all. */
  readonly mayBegin: RegExp;
  take(text: string): Carried | null;
}

/** @param form anchored; its groups `stamp`, `localStamp`, `stream` and `part` are as in Carried */
const written = (mayBegin: RegExp, form: RegExp): Carrier => ({
  mayBegin,
  take(text) {
    const found = form.exec(text);
    if (found === null) return null;
    const { stamp = null, localStamp = null, stream, part } = found.groups ?? {};
    const piece = stream === undefined ? null : { stream, isLast: part === 'F' };
    return { rest: text.slice(found[0].length), stamp, localStamp, piece };
  },
});

/** RFC 3339 with a zone, as runtimes write it. */
const RFC3339 = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)`;
const ESCAPE = String.raw`\x1b`;
const COLOUR = String.raw`${ESCAPE}\[[\d;]{1,16}m`;
const PLAIN_COLOUR = String.raw`${ESCAPE}\[0?m`;

/** A byte order mark: a file's first bytes, where an editor or a collector has put one. */
const MARK = written(/\xef/, /^\xef\xbb\xbf/);
/** `dovecot-1  | `, with and without colours. */
const COMPOSE = written(
  new RegExp(String.raw`[\w.${ESCAPE}-]`),
  new RegExp(
    String.raw`^(?:[\w.-]{1,64} {1,64}\| |${COLOUR}[\w.-]{1,64} {1,64}\| ?${PLAIN_COLOUR} ?)`,
  ),
);
/** `[pod/mail-0/dovecot] `. */
const POD = written(/\[/, /^\[pod\/[\w.-]{1,253}\/[\w.-]{1,253}\] /);
/** `2026-11-23T00:53:00.123456789Z stderr F `; what follows the F behind a colon are tags for later use. */
const CRI = written(
  /\d/,
  new RegExp(
    String.raw`^(?<stamp>${RFC3339}) (?<stream>stdout|stderr) (?<part>[PF])(?::[\w:]{1,32})? `,
  ),
);
/** `docker logs -t`, `podman logs -t`, `kubectl logs --timestamps`. */
const STAMPED = written(/\d/, new RegExp(`^(?<stamp>${RFC3339}) `));
/** daemontools and s6; its seconds are those of two calendars, so the line's own stamp counts alone. */
const TAI = written(/@/, new RegExp(`^${TAI64N} `));
const SVLOGD = written(/\d/, new RegExp(`^(?<stamp>${SVLOGD_STAMP}) `));
/** What tai64nlocal makes of a label, and s6-log(8) writes itself (T), with two blanks behind it. */
const LOCAL = written(/\d/, new RegExp(`^(?<localStamp>${LOCAL_LABEL})  ?`));
/** socklog: `mail.info: `. */
const LEVEL = written(/[a-z]/, new RegExp(`^${FACILITY_LEVEL}: `));

const WHOLE_RFC3339 = new RegExp(`^${RFC3339}$`);

/** `{"log":"…\n","stream":"stderr","time":"…"}`; without the line end it is a piece. */
const JSON_FILE: Carrier = {
  mayBegin: /\{/,
  take(text) {
    if (!text.startsWith('{"log":"')) return null;
    const entry = parsed(text);
    if (entry === null) return null;
    const { log, stream, time } = entry;
    if (typeof log !== 'string' || typeof time !== 'string' || !WHOLE_RFC3339.test(time))
      return null;
    if (stream !== 'stdout' && stream !== 'stderr') return null;
    const isLast = log.endsWith('\n');
    const bytes = Buffer.from(isLast ? log.slice(0, -1) : log).toString('latin1');
    // A tab ends no line, and may stand between the parts of a prefix.
    const rest = bytes.split('\t').map(escapeControls).join('\t');
    return { rest, stamp: time, localStamp: null, piece: { stream, isLast } };
  },
};

/** @param text UTF-8, a character a byte */
function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, 'latin1').toString());
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Carriers of one layer, by the code of the first character. */
type Layer = readonly (readonly Carrier[])[];

const layer = (...carriers: readonly Carrier[]): Layer =>
  Array.from({ length: 256 }, (_, code) =>
    carriers.filter(({ mayBegin }) => mayBegin.test(String.fromCharCode(code))),
  );

const MARKS = layer(MARK);
const ENTRIES = layer(JSON_FILE, CRI);
/** From the outermost to the innermost. */
const LAYERS = [
  MARKS,
  layer(COMPOSE, POD),
  layer(JSON_FILE, CRI, STAMPED, TAI, SVLOGD, LOCAL),
  layer(LEVEL),
];

/** Takes all carriers off, one after the other. */
export function* unloaded(text: string): Generator<Carried> {
  let rest = text;
  for (const carriers of LAYERS) {
    const carried = first(carriers, rest);
    if (carried === null) continue;
    yield carried;
    rest = carried.rest;
  }
}

/** An entry of a log in which a line may be in several; null for what is none. */
export function entryOf(text: string): (Carried & { readonly piece: Piece }) | null {
  const bare = first(MARKS, text)?.rest ?? text;
  const carried = first(ENTRIES, bare);
  const piece = carried?.piece ?? null;
  return carried === null || piece === null ? null : { ...carried, piece };
}

function first(carriers: Layer, text: string): Carried | null {
  for (const carrier of carriers[text.charCodeAt(0)] ?? []) {
    const carried = carrier.take(text);
    if (carried !== null) return carried;
  }
  return null;
}
