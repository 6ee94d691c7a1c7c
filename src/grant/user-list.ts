/**
 * A list of users, for `--allow-users` and `--deny-users`: whole names, and `*@domain` for everybody of a domain.
 *
 * Promises: a name is what the log says, compared as a whole; capitals make no difference, since servers print a name
 * as the client spelled it, and many let him in with any spelling; looking up costs the same however long the list is.
 */
import { failure } from '../base/errors.ts';

export class UserList {
  readonly #names: ReadonlySet<string>;
  /** Each with its `@`. */
  readonly #domains: ReadonlySet<string>;

  constructor(names: ReadonlySet<string>, domains: ReadonlySet<string>) {
    this.#names = names;
    this.#domains = domains;
  }

  includes(user: string): boolean {
    const name = user.toLowerCase();
    if (this.#names.has(name)) return true;
    const at = name.lastIndexOf('@');
    return at > 0 && this.#domains.has(name.slice(at));
  }
}

/** `*@` and a domain, or a name without a `*`. */
const ENTRY = /^(?:\*(?<domain>@[^@*]+)|(?<name>[^*]+))$/;

/**
 * @param origin where the list was given, such as `--allow-users`
 * @throws Failure USER_LIST, also for a list without any entry: what was meant to name somebody must not let
 *   everybody in, or nobody
 */
export function parseUserList(entries: readonly string[], origin: string): UserList {
  if (entries.length === 0) throw failure('USER_LIST', { origin, entry: '' });
  const names = new Set<string>();
  const domains = new Set<string>();
  for (const entry of entries) {
    const { domain, name } = ENTRY.exec(entry.toLowerCase())?.groups ?? {};
    if (domain !== undefined) domains.add(domain);
    else if (name !== undefined) names.add(name);
    else throw failure('USER_LIST', { origin, entry });
  }
  return new UserList(names, domains);
}
