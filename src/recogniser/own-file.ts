/**
 * The administrator's own pattern files: servers of his, and changes to those that are shipped.
 *
 * A file of the name of a shipped one replaces it.  With `off = true` alone in it there is no such server then;
 * with `extend = true` the shipped one also applies to its `programs` (and `tls-programs`, `imap-programs`,
 * `pop3-programs`), and its `[journal]` takes the place of the shipped one.
 */
import { journalTrustOf } from './journal-table.ts';
import { type PatternFile, patternFileOf, programsOf, tlsProgramsOf } from './pattern.ts';
import { protocolsOf } from './protocol.ts';
import { TomlTable } from './toml-table.ts';

/** The shipped files by the names of their servers; changed by what the administrator's file says. */
export type Files = Map<string, PatternFile>;

/**
 * Takes one of the administrator's files.
 *
 * @param server the file's name without its suffix
 * @throws Failure PATTERN_SYNTAX
 */
export function takeOwnFile(files: Files, path: string, server: string, text: string): void {
  const top = TomlTable.parse(path, text);
  if (top.has('off')) switchOff(files, top, server);
  else if (top.has('extend')) files.set(server, extended(files, top, server));
  else files.set(server, patternFileOf(top, path, server));
}

function switchOff(files: Files, top: TomlTable, server: string): void {
  top.allow(['off']);
  top.flag('off');
  shipped(files, top, server, 'off');
  files.delete(server);
}

function extended(files: Files, top: TomlTable, server: string): PatternFile {
  top.allow(['extend', 'programs', 'tls-programs', 'imap-programs', 'pop3-programs', 'journal']);
  top.flag('extend');
  const file = shipped(files, top, server, 'extend');
  const journal = top.has('journal') ? journalTrustOf(top) : file.journal;
  const added = top.has('journal') && !top.has('programs') ? [] : programsOf(top);
  const tls = tlsProgramsOf(top, added);
  const protocols = protocolsOf(top, added);
  const patterns = file.patterns.map(pattern => ({
    ...pattern,
    tlsPrograms: [...pattern.tlsPrograms, ...tls],
    protocols: new Map([...pattern.protocols, ...protocols]),
  }));
  return { ...file, journal, programs: [...file.programs, ...added], patterns };
}

function shipped(files: Files, top: TomlTable, server: string, key: string): PatternFile {
  const file = files.get(server);
  if (file !== undefined) return file;
  const known = [...files.keys()].sort().join(', ');
  throw top.error(
    key,
    `no shipped file is called ${server}.toml`,
    `name the file after one of ${known}`,
  );
}
