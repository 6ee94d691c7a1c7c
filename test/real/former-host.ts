/**
 * A host that has run the Perl pop-before-smtp: its files, a DB file as its DB_File makes it, and the directory of a Postfix that reads it.
 */
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readRows } from '../../src/map/map-types.ts';
import { popbsmtp } from './popbsmtp.ts';
import { mustRun, type Result } from './processes.ts';

/** As the Perl program writes its map: the file without its suffix, then keys and values. */
export const WRITE_DB = `
use DB_File; use Fcntl;
my ($file, @rows) = @ARGV;
my $db = tie my %db, 'DB_File', "$file.db", O_CREAT|O_RDWR, 0666, $DB_HASH or die $!;
while (my ($key, $value) = splice @rows, 0, 2) { $db{$key} = $value }
`;

/** The configuration of the Perl program. */
export const perlConfiguration = (log: string, map: string): string =>
  `use strict;\n$grace = 20*60;\n$file_tail{'name'} = '${log}';\n$dbfile = '${map}';\n$flock = 0;\n1;\n`;

/** Its start script. */
export const startScript = (configuration: string): string =>
  `#!/bin/sh\ncase "$1" in\nstart) /usr/sbin/pop-before-smtp --config=${configuration} --daemon=/run/p.pid ;;\nesac\n`;

export class FormerHost {
  readonly base: string;
  readonly old: string;
  readonly postfix: string;
  readonly config: string;
  readonly map: string;
  readonly log: string;
  readonly perl: string;
  readonly script: string;

  constructor(base: string) {
    this.base = base;
    this.old = join(base, 'old');
    this.postfix = join(base, 'postfix');
    this.config = join(base, 'popbsmtp.toml');
    this.map = join(base, 'new');
    this.log = join(base, 'maillog');
    this.perl = join(base, 'pop-before-smtp-conf.pl');
    this.script = join(base, 'init');
  }

  async make(): Promise<this> {
    await mkdir(this.postfix);
    const relay = 'permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination';
    const recipient = `permit_mynetworks, check_client_access hash:${this.old}, reject_unauth_destination`;
    await writeFile(
      join(this.postfix, 'main.cf'),
      `compatibility_level = 3.6\nmynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = ${relay}\nsmtpd_recipient_restrictions = ${recipient}\n`,
    );
    await writeFile(join(this.postfix, 'master.cf'), 'smtp inet n - n - - smtpd\n');
    // Postfix reads a main.cf of the last seconds again and again.
    for (const name of ['main.cf', 'master.cf']) await utimes(join(this.postfix, name), 1e9, 1e9);
    await writeFile(this.log, '');
    await writeFile(this.perl, perlConfiguration(this.log, this.old));
    await writeFile(this.script, startScript(this.perl));
    return this;
  }

  async writeOld(...rows: string[]): Promise<void> {
    await mustRun('perl', ['-e', WRITE_DB, this.old, ...rows]);
  }

  migrate(...more: string[]): Promise<Result> {
    return popbsmtp(
      ...['migrate', '--init-script', this.script, '--config', this.config],
      ...['--map', `lmdb:${this.map}`, '--postfix-config', this.postfix, ...more],
    );
  }

  main(name: string): Promise<string> {
    return mustRun('postconf', ['-c', this.postfix, '-h', name]);
  }

  async keys(): Promise<string[]> {
    return (await readRows({ type: 'lmdb', path: this.map })).map(({ key }) => key);
  }
}
