/**
 * Which journal is meant: the host's, one in a directory, or that of a namespace or a machine, as `watchlog` names them.
 *
 * Promises: a name that is handed to journalctl is one, and nothing that it takes for another option or for several journals.
 * Leaves to others: whether there is such a journal (journalctl.ts).
 * Sources: journalctl(1), --directory, --namespace, --machine; what names may hold, systemd 252: src/basic/syslog-util.c
 * (log_namespace_name_valid, as a unit's instance), src/basic/hostname-util.c (hostname_is_valid).
 */
import { failure } from '../base/errors.ts';

export type JournalStore =
  | { readonly kind: 'host' }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'namespace' | 'machine'; readonly name: string };

/** The word by which the host's journal is named on the command line and in notices; the others' names begin with it. */
export const JOURNAL = 'journal';
const OTHER = `${JOURNAL}:`;
/** What a name may begin with. */
export const JOURNAL_WORDS = [JOURNAL, OTHER, `${OTHER}namespace=`, `${OTHER}machine=`] as const;

const NAMED = /^(namespace|machine)=(.*)$/s;
const NAMES = {
  namespace: /^[\w:.\\@-]{1,200}$/,
  machine: /^\w(?:[\w-]|\.(?=\w)){0,63}$/,
} as const;

/** Whether a log's name is that of a journal. */
export const isJournal = (name: string): boolean => name === JOURNAL || name.startsWith(OTHER);

/**
 * The journal that is named so; null for what names none.
 *
 * @param where for errors
 * @throws Failure JOURNAL_NAME
 */
export function journalStore(name: string, where = '--watchlog'): JournalStore | null {
  if (name === JOURNAL) return { kind: 'host' };
  if (!name.startsWith(OTHER)) return null;
  const text = name.slice(OTHER.length);
  const [, kind, own = ''] = NAMED.exec(text) ?? [];
  if (kind === 'namespace' || kind === 'machine') {
    if (NAMES[kind].test(own)) return { kind, name: own };
  } else if (text !== '' && !text.includes('\0')) return { kind: 'directory', path: text };
  throw failure('JOURNAL_NAME', { where, value: name });
}

/** How journalctl is told. */
export function storeArguments(store: JournalStore): string[] {
  switch (store.kind) {
    case 'host':
      return [];
    case 'directory':
      // Entries of all machines and boots; without this word only of this one's, as soon as they are followed (systemd 252).
      return [`--directory=${store.path}`, '--merge'];
    case 'namespace':
    case 'machine':
      return [`--${store.kind}=${store.name}`];
  }
}
