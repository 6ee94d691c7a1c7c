/**
 * Dovecot's login_log_format_elements as expressions: for its logins, and for those of its proxies.
 *
 * Promises: an element that all its variables leave empty may be missing, and may leave `, ` behind at the line's end, as 2.4 does;
 * the address, and what says that the connection is encrypted, cannot be imitated by what a client sends.  For that:
 * - what a client may choose, and all that is not known to be the server's own, stands between brackets or quotes that no
 *   run takes, so that its true end needs a bracket of a later element to be taken for anything;
 * - up to such an element, where that is behind the address or behind `TLS`, stands one that is never missing and that no
 *   other begins like (a pillar); the imitation would need a copy of it, and the true one, which comes again, is taken by nothing.
 * What cannot be made safe so is an error (login-elements.ts).  The rules of rules.ts are checked besides.
 *
 * Source: dovecot/core, src/login-common/client-common.c (client_get_log_str, the tables of variables), 2.0 to 2.4; login_log_format is
 * taken to be its default (`%$: %s`).
 * Known limit: a user name that holds brackets itself is cut short at them, or not recognised.
 */
import { parseExpression } from './expression.ts';
import {
  bracketsOf,
  clientBrackets,
  type Element,
  has,
  isCertain,
  isVariable,
  parseElements,
  securedOf,
  type Variable,
  variablesOf,
} from './login-elements.ts';
import { checkExpression } from './rules.ts';

export interface ElementExpressions {
  readonly login: string;
  /** From 2.3.11 on. */
  readonly proxy: string;
  readonly oldProxy: string;
}

/** Which variable is told as the user: the first of these that there is. */
const USERS: readonly string[] = [
  ...['u', 'user', 'n', 'username', 'auth_user', 'original_user', 'orig_user', 'login_user'],
];

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
  const elements = parseElements(setting);
  const behindProxy = new Writer(elements, PROXY_ENDS).write();
  const expressions = {
    login: BEGINNINGS.login + new Writer(elements, '').write(),
    proxy: BEGINNINGS.proxy + behindProxy,
    oldProxy: BEGINNINGS.oldProxy + behindProxy,
  };
  for (const text of Object.values(expressions)) checkExpression(parseExpression(text));
  return expressions;
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
