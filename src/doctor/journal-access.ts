/**
 * Whether an account may read a journal: asked of the files in which journald keeps it.
 *
 * Known limit: where a machine's journal is kept is not known, so neither is who may read it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { journalStore } from '../source/journal-store.ts';
import { type Account, mayRead } from './account.ts';

/** Where journald keeps its files (systemd-journald.service(8)). */
const DIRECTORIES = ['/var/log/journal', '/run/log/journal'];

/** @param name as `watchlog` has it */
export async function mayReadJournal(
  account: Account,
  name: string,
): Promise<'yes' | 'no' | 'unknown'> {
  const files = journalFiles(name);
  const answers = await Promise.all(files.map(path => mayRead(account, path)));
  return answers.find(answer => answer !== 'yes') ?? (answers.length === 0 ? 'unknown' : 'yes');
}

/** Files of a journal that are written to; none where they are not known, as a machine's. */
function journalFiles(name: string): string[] {
  const store = journalStore(name);
  switch (store?.kind) {
    case 'host':
      return filesIn(DIRECTORIES, id => !id.includes('.'));
    case 'namespace':
      return filesIn(DIRECTORIES, id => id.endsWith(`.${store.name}`));
    case 'directory': {
      const own = join(store.path, 'system.journal');
      return [...(existsSync(own) ? [own] : []), ...filesIn([store.path], () => true)];
    }
    case 'machine':
    case undefined:
      return [];
  }
}

/** Those of the machines, and their namespaces, whose directories are in these. */
const filesIn = (directories: readonly string[], isMeant: (id: string) => boolean): string[] =>
  directories
    .filter(directory => existsSync(directory))
    .flatMap(directory =>
      readdirSync(directory)
        .filter(isMeant)
        .map(id => join(directory, id, 'system.journal')),
    )
    .filter(path => existsSync(path));
