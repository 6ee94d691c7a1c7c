/**
 * What Dovecot's login_log_format_elements says: its elements, and whether they can be read safely.
 *
 * Promises: an element whose text cannot be told from what a client sends is an error that says what to change; the rule is that of
 * dovecot-elements.ts, which writes the expressions.
 *
 * Source: dovecot/core, src/login-common/client-common.c (the tables of variables), 2.0 to 2.4.
 */
import { ExpressionError } from './scanner.ts';

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

export interface Variable {
  /** Without the filters of 2.4. */
  readonly name: string;
  readonly kind: Kind;
}

type Piece = string | Variable;

export interface Element {
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
const CLOSING: Readonly<Record<string, string>> = { '<': '>', '[': ']', '"': '"' };

/**
 * @param setting the text of login_log_format_elements, in 2.3's spelling (`%u`) or 2.4's (`%{user}`)
 * @throws ExpressionError when what a client chooses could imitate the rest
 */
export function parseElements(setting: string): readonly Element[] {
  const elements = (setting.match(/(?:%\{[^{}]*\}|\S)+/g) ?? []).map(elementOf);
  checkElements(elements);
  return elements;
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

export const isVariable = (piece: Piece): piece is Variable => typeof piece !== 'string';
export const variablesOf = ({ pieces }: Element): readonly Variable[] => pieces.filter(isVariable);
export const has = (element: Element, kind: Kind): boolean =>
  variablesOf(element).some(variable => variable.kind === kind);
/** Whether it stands in the line of every login. */
export const isCertain = (element: Element): boolean =>
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
export function bracketsOf({ pieces }: Element, index: number): string | null {
  const before = pieces[index - 1];
  const behind = pieces[index + 1];
  if (typeof before !== 'string' || typeof behind !== 'string') return null;
  const open = before.slice(-1);
  const close = CLOSING[open];
  return close !== undefined && behind.startsWith(close) ? open + close : null;
}

/** All brackets that hold what a client may choose. */
export const clientBrackets = (elements: readonly Element[]): string =>
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
export const securedOf = (elements: readonly Element[]): Element | undefined =>
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
