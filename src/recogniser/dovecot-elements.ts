/**
 * Dovecot's login_log_format_elements as expressions: for its logins, and for those of its proxies.
 *
 * Promises: an element that all its variables leave empty may be missing, and may leave `, ` behind at the line's end, as 2.4 does;
 * the address, and what says that the connection is encrypted, cannot be imitated by what a client sends.  For that:
 * - what a client may choose, and all that is not known to be the server's own, stands between brackets or quotes that no
 *   run takes, so that its true end needs a bracket of a later element to be taken for anything;
 * - up to such an element, where that is behind the address or behind `TLS`, stands one that is never missing and that no
 *   other begins like (a pillar); the imitation would need a copy of it, and the true one, which comes again, is taken by nothing.
 * What cannot be made safe so is an error that says what to change.  The rules of rules.ts are checked besides.
 *
 * Source: dovecot/core, src/login-common/client-common.c (client_get_log_str, the tables of variables), 2.0 to 2.4; login_log_format is
 * taken to be its default (`%$: %s`).
 * Known limit: a user name that holds brackets itself is cut short at them, or not recognised.
 */
import { parseExpression } from './expression.ts';
import { checkExpression } from './rules.ts';
import { ExpressionError } from './scanner.ts';

export interface ElementExpressions {
  readonly login: string;
  /** From 2.3.11 on. */
  readonly proxy: string;
  readonly oldProxy: string;
}

/** What a variable may stand for. */
type Kind =
  | 'client'
  | 'remote ip'
  | 'ip'
  | 'number'
  | 'word'
  | 'mechanism'
  | 'secured'
  | 'cipher'
  | 'session';

interface Variable {
  /** Without the filters of 2.4. */
  readonly name: string;
  readonly kind: Kind;
}

type Piece = string | Variable;

interface Element {
  /** As it was written. */
  readonly text: string;
  readonly pieces: readonly Piece[];
}

/** What each variable is, in 2.3's letters, its long names and those of 2.4; any other is the client's. */
const KINDS: readonly (readonly [kind: Kind, names: readonly string[]])[] = [
  ['remote ip', ['r', 'rip', 'remote_ip']],
  ['ip', ['l', 'lip', 'local_ip', 'real_rip', 'real_remote_ip', 'real_lip', 'real_local_ip']],
  ['number', ['a', 'lport', 'local_port', 'b', 'rport', 'remote_port']],
  ['number', ['real_rport', 'real_remote_port', 'real_lport', 'real_local_port']],
  ['number', ['p', 'pid', 'e', 'mail_pid']],
  ['word', ['s', 'service', 'protocol', 'listener', 'ssl_ja3_hash']],
  ['mechanism', ['m', 'mech', 'mechanism']],
  ['secured', ['c', 'secured']],
  ['cipher', ['k', 'ssl_security']],
  ['session', ['session']],
];

/** Empty in no line of a login: what is left out may be any other. */
const NEVER_EMPTY: readonly string[] = [
  ...['r', 'rip', 'remote_ip', 'l', 'lip', 'local_ip', 'session', 'p', 'pid', 's', 'service'],
  ...['protocol', 'a', 'lport', 'local_port', 'b', 'rport', 'remote_port', 'u', 'user', 'n'],
  'username',
];

/** Which variable is told as the user: the first of these that there is. */
const USERS: readonly string[] = [
  ...['u', 'user', 'n', 'username', 'auth_user', 'original_user', 'orig_user', 'login_user'],
];

const CLOSING: Readonly<Record<string, string>> = { '<': '>', '[': ']', '"': '"' };

const PROGRAM = String.raw`(?:(?<protocol>imap|pop3)-login[\w-]{0,31}(?:\(\d{1,10}\))?: (?:Info: )?|Info: )`;
/**
 * What stands before the elements.  The name in proxy(…) is not sanitised, so that nothing behind the address may take what ends it.
 * The forms of a proxy's line are those of patterns/dovecot.toml.
 */
const BEGINNINGS = {
  login: `${PROGRAM}(?:Login|Logged in): `,
  proxy:
    PROGRAM +
    String.raw`proxy\([^()<>]*\): Started proxying to [^()]*\((?:[<m][^()]*\)[^()]*\()?(?:[<m][^()]*\)[^()]*\()?` +
    String.raw`\d{1,9}\.\d{1,9} secs[^()]*\): `,
  oldProxy: `${PROGRAM}${String.raw`proxy\([^()<>]*\): started proxying to [^ ]+(?: \(master [^ ]+)? `}`,
};
/** What ends the runs of a proxy's beginning. */
const PROXY_ENDS = '() ';

/**
 * @param setting the text of login_log_format_elements, in 2.3's spelling (`%u`) or 2.4's (`%{user}`)
 * @throws ExpressionError
 */
export function expressionsOfElements(setting: string): ElementExpressions {
  const elements = (setting.match(/(?:%\{[^{}]*\}|\S)+/g) ?? []).map(elementOf);
  checkElements(elements);
  const behindProxy = new Writer(elements, PROXY_ENDS).write();
  const expressions = {
    login: BEGINNINGS.login + new Writer(elements, '').write(),
    proxy: BEGINNINGS.proxy + behindProxy,
    oldProxy: BEGINNINGS.oldProxy + behindProxy,
  };
  for (const text of Object.values(expressions)) checkExpression(parseExpression(text));
  return expressions;
}

function elementOf(text: string): Element {
  const pieces: Piece[] = [];
  const add = (literal: string): void => {
    const last = pieces.at(-1);
    if (typeof last === 'string') pieces[pieces.length - 1] = last + literal;
    else pieces.push(literal);
  };
  for (const [part] of text.matchAll(/%\{[^{}]*\}|%[-.\d]*[A-Z]*[a-z]|%%|./gs)) {
    if (part === '%%') add('%');
    else if (part.startsWith('%')) pieces.push(variableOf(part, text));
    else add(part);
  }
  return { text, pieces };
}

function variableOf(part: string, element: string): Variable {
  const written = part.startsWith('%{') ? part.slice(2, -1) : part.slice(1);
  if (written === '')
    throw new ExpressionError(`"${element}" has a % without a variable`, 'write %% for a percent');
  const [name = ''] = /[a-z][\w:]*/.exec(written) ?? [];
  // With a modifier (%Lu) or a filter (%{user|lower}) it may be anything.
  const kind = written === name ? kindOf(name) : 'client';
  return { name, kind };
}

const kindOf = (name: string): Kind =>
  KINDS.find(([, names]) => names.includes(name))?.[0] ?? 'client';

const isVariable = (piece: Piece): piece is Variable => typeof piece !== 'string';
const variablesOf = ({ pieces }: Element): readonly Variable[] => pieces.filter(isVariable);
const has = (element: Element, kind: Kind): boolean =>
  variablesOf(element).some(variable => variable.kind === kind);
/** Whether it stands in the line of every login. */
const isCertain = (element: Element): boolean =>
  variablesOf(element).some(({ name }) => NEVER_EMPTY.includes(name));
/** The text that it begins with; empty when that is a variable's. */
const keyOf = ({ pieces: [first] }: Element): string => (typeof first === 'string' ? first : '');

/** Never missing, and nothing else begins like it. */
function isPillar(element: Element, elements: readonly Element[]): boolean {
  const key = keyOf(element);
  const [variable, ...more] = variablesOf(element);
  return (
    isCertain(element) &&
    variable !== undefined &&
    more.length === 0 &&
    /^[^,<>"[\]]+=[<["]?$/.test(key) &&
    elements.every(other => {
      const others = keyOf(other);
      if (other === element || others === '') return true;
      return !others.startsWith(key) && !key.startsWith(others);
    })
  );
}

/** The brackets that a piece stands in, or null. */
function bracketsOf({ pieces }: Element, index: number): string | null {
  const before = pieces[index - 1];
  const behind = pieces[index + 1];
  if (typeof before !== 'string' || typeof behind !== 'string') return null;
  const open = before.slice(-1);
  const close = CLOSING[open];
  return close !== undefined && behind.startsWith(close) ? open + close : null;
}

/** All brackets that hold what a client may choose. */
const clientBrackets = (elements: readonly Element[]): string =>
  elements
    .flatMap(element =>
      element.pieces.map((piece, index) =>
        isVariable(piece) && (piece.kind === 'client' || piece.kind === 'session')
          ? (bracketsOf(element, index) ?? '')
          : '',
      ),
    )
    .join('');

function checkElements(elements: readonly Element[]): void {
  for (const element of elements) {
    if (element.text.includes(','))
      throw new ExpressionError(
        `"${element.text}" holds the comma that separates elements`,
        'take it out of the setting',
      );
    for (const [index, piece] of element.pieces.entries()) {
      if (isVariable(piece) && piece.kind === 'client' && bracketsOf(element, index) === null)
        throw new ExpressionError(
          `"${element.text}" holds what a client may choose, and nothing says where that ends`,
          `write ${keyOf(element) || `${piece.name}=`}<…> for it in Dovecot's setting, as in user=<%u>`,
        );
    }
  }
  const at = elements.findIndex(element => has(element, 'remote ip'));
  const [address, second] = elements.filter(element => has(element, 'remote ip'));
  if (address === undefined)
    throw new ExpressionError('no element tells the address of the client', 'add rip=%r to it');
  if (second !== undefined || variablesOf(address).length > 1 || !isPillar(address, elements))
    throw new ExpressionError(
      `the address in "${address.text}" cannot be told from other elements`,
      'write it once, as rip=%r, under a name that no other element begins with',
    );
  if (!elements.slice(at + 1).some(isCertain))
    throw new ExpressionError(
      `no element behind "${address.text}" stands in every line, so a line that was cut off within the address could not be told`,
      'put lip=%l or session=<%{session}> behind it',
    );
  checkSecured(elements);
}

/** The element that says whether the connection is encrypted. */
const securedOf = (elements: readonly Element[]): Element | undefined =>
  elements.find(element => has(element, 'secured')) ??
  elements.find(element => has(element, 'cipher'));

/** What a client sends before `TLS` must not reach a bracket behind it without passing a pillar. */
function checkSecured(elements: readonly Element[]): void {
  const secured = securedOf(elements);
  if (secured === undefined) return;
  const at = elements.indexOf(secured);
  for (const [first, element] of elements.slice(0, at).entries()) {
    if (!has(element, 'client')) continue;
    const closers = [...clientBrackets([element])];
    const reached = elements.findIndex(
      ({ pieces }, index) =>
        index > at &&
        pieces.some(piece => typeof piece === 'string' && closers.some(one => piece.includes(one))),
    );
    if (reached < 0) continue;
    if (elements.slice(first + 1, reached + 1).some(between => isPillar(between, elements)))
      continue;
    throw new ExpressionError(
      `what a client chooses in "${element.text}" could imitate "${secured.text}"`,
      `put lip=%l between "${element.text}" and "${elements[reached]?.text}", or "${secured.text}" before it`,
    );
  }
}

/** Writes the elements as an expression. */
class Writer {
  readonly #elements: readonly Element[];
  readonly #brackets: string;
  /** What nothing behind the address may take. */
  readonly #ends: string;
  readonly #address: number;
  #user: string | undefined;
  #session = true;
  #secured: Element | undefined;

  constructor(elements: readonly Element[], ends: string) {
    this.#elements = elements;
    this.#ends = ends;
    this.#brackets = clientBrackets(elements);
    this.#address = elements.findIndex(element => has(element, 'remote ip'));
    const names = elements.flatMap(variablesOf).map(({ name }) => name);
    this.#user = USERS.find(name => names.includes(name));
    this.#secured = securedOf(elements);
  }

  write(): string {
    const first = this.#elements.findIndex(isCertain);
    const parts = this.#elements.map((element, index) => {
      const text = this.#element(element, index);
      if (index < first) return `(?:${text}, )?`;
      if (index === first) return text;
      return isCertain(element) ? `, ${text}` : `(?:, ${text})?`;
    });
    return `${parts.join('')}(?:, )?`;
  }

  #element(element: Element, at: number): string {
    const isAlone = variablesOf(element).length === 1;
    const parts = element.pieces.map((piece, index) => {
      if (!isVariable(piece)) return escaped(piece);
      const text = this.#variable(piece, element, at, bracketsOf(element, index));
      return isAlone ? text : `(?:${text})?`;
    });
    return parts.join('');
  }

  #variable(
    { name, kind }: Variable,
    element: Element,
    at: number,
    brackets: string | null,
  ): string {
    const none = this.#noneOf(at > this.#address ? this.#ends : '');
    switch (kind) {
      case 'client': {
        if (name !== this.#user) return `${none}*`;
        this.#user = undefined;
        return `(?<user>${none}+)`;
      }
      case 'session': {
        const text = brackets === null ? String.raw`[\w+/=]{1,64}` : `${none}*`;
        if (!this.#session) return text;
        this.#session = false;
        return `(?<session>${text})`;
      }
      case 'remote ip':
        return '{ip}';
      case 'ip':
        return String.raw`[\dA-Fa-f:.]{2,45}`;
      case 'number':
        return String.raw`\d{1,10}`;
      case 'word':
        return String.raw`[\w.-]{1,60}`;
      case 'mechanism':
        // A SASL name has up to 20 characters (RFC 4422).
        return String.raw`(?!ANONYMOUS)[\w-]{1,20}`;
      case 'secured': {
        // An error text of OpenSSL's; not before the address, where it would have to be held for a client's, nor of a proxy.
        const isFree = this.#ends === '' && at > this.#address;
        const more = isFree ? `${this.#noneOf(`,${brackets ?? ''}`)}*` : '';
        return `(?:${this.#tls(element, 'TLS|TSL')}${more}|secured)`;
      }
      case 'cipher':
        return (
          this.#tls(element, 'TLSv|SSLv') +
          String.raw`[\w.]{1,5} with cipher [\w-]{1,60} \(\d{1,4}/\d{1,4} bits\)` +
          (this.#ends === '' && at > this.#address ? String.raw`[\w -]{0,21}` : '')
        );
    }
  }

  #tls(element: Element, texts: string): string {
    if (element !== this.#secured) return `(?:${texts})`;
    this.#secured = undefined;
    return `(?<tls>${texts})`;
  }

  #noneOf(more: string): string {
    const characters = new Set(`${this.#brackets}${more}`);
    const text = [...characters].map(character => escaped(character)).join('');
    return text === '' ? '.' : `[^${text}]`;
  }
}

/** A text as the language of expressions writes it, a byte at a time. */
const escaped = (text: string): string =>
  Buffer.from(text)
    .toString('latin1')
    .replace(/[^\w ,=<>@~#;!%&'"]/g, byte =>
      byte < '\x80' ? `\\${byte}` : `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
    );
