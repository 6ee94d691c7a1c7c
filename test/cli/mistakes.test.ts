/**
 * Every mistake a user can make on the command line or in a file: one line, and the right exit status.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { EXIT } from '../../src/base/errors.ts';
import { popbsmtp } from '../real/popbsmtp.ts';
import { Rig } from '../real/rig.ts';
import { WatchedLog } from './watched-log.ts';

const rig = new Rig();
let watched: WatchedLog;
let count = 0;

before(async () => {
  watched = await WatchedLog.make(rig);
});
after(() => rig.close());

describe('every mistake is told in one line, with its exit status, and no map is made', () => {
  const table: readonly {
    readonly name: string;
    readonly args: readonly string[];
    readonly exit: number;
    readonly mentions: readonly string[];
    readonly files?: Readonly<Record<string, string>>;
  }[] = [
    {
      name: 'an unknown option',
      args: ['--wathclog', 'x'],
      exit: EXIT.usage,
      mentions: ['--watchlog'],
    },
    {
      name: 'a bad duration',
      args: ['--grace', 'soon'],
      exit: EXIT.usage,
      mentions: ['--grace', 'soon'],
    },
    {
      name: 'an unknown key',
      args: ['--config', '@/bad.toml'],
      files: { 'bad.toml': '# ours\nwathclog = "x"\n' },
      exit: EXIT.config,
      mentions: ['bad.toml:2', 'wathclog', 'watchlog'],
    },
    {
      name: 'a configuration that is no TOML',
      args: ['--config', '@/broken.toml'],
      files: { 'broken.toml': 'map = \n' },
      exit: EXIT.config,
      mentions: ['broken.toml:1'],
    },
    {
      name: 'a missing log',
      args: ['match', '@/nothing'],
      exit: EXIT.noInput,
      mentions: ['@/nothing'],
    },
    {
      name: 'a log that is a directory',
      args: ['--watchlog', '@'],
      exit: EXIT.noInput,
      mentions: ['directory'],
    },
    {
      name: 'a directory of a journal that is not there',
      args: ['--watchlog', 'journal:@/nothing'],
      exit: EXIT.noInput,
      mentions: ['journal:@/nothing: no such directory', 'journalctl --directory'],
    },
    {
      name: 'a directory of a journal that is a file',
      args: ['--watchlog', 'journal:@/file'],
      files: { file: '' },
      exit: EXIT.noInput,
      mentions: ['journal:@/file: it is no directory'],
    },
    {
      name: 'a journal that nothing is called',
      args: ['--watchlog', 'journal:namespace=*'],
      exit: EXIT.usage,
      mentions: ['--watchlog', 'journal:namespace=*', 'journal:machine=NAME'],
    },
    {
      name: 'a choice of what everybody says',
      args: ['--journal-match', '_UID=0'],
      exit: EXIT.usage,
      mentions: ['--journal-match', '_UID=0', 'CONTAINER_NAME=mail'],
    },
    {
      name: 'a port that is none',
      args: ['doctor', '--smtp', 'localhost'],
      exit: EXIT.usage,
      mentions: ['--smtp', 'localhost'],
    },
    {
      name: 'a map without a type',
      args: ['--map', '/x/y'],
      exit: EXIT.usage,
      mentions: ['--map', '/x/y'],
    },
    {
      name: 'a type of map that is not supported',
      args: ['--map', 'regexp:/x/y'],
      exit: EXIT.usage,
      mentions: ['--map', 'regexp', 'lmdb'],
    },
    {
      name: 'two maps in one file',
      args: ['--map', 'texthash:/x/y', '--map', 'cidr:/x/y'],
      exit: EXIT.usage,
      mentions: ['--map', 'texthash:/x/y', 'cidr:/x/y'],
    },
    {
      name: 'a map in a directory that is not there',
      args: ['--map', 'lmdb:@/none/map'],
      exit: EXIT.cannotCreate,
      mentions: ['@/none/map', 'install -d'],
    },
    {
      name: 'a bad entry of mynetworks',
      args: ['--mynetworks', '192.0.2.0/24, 192.0.2.0/33'],
      exit: EXIT.usage,
      mentions: ['--mynetworks', '192.0.2.0/33'],
    },
    {
      name: 'a bad network to exclude',
      args: ['--exclude', 'local'],
      exit: EXIT.usage,
      mentions: ['--exclude', 'local'],
    },
    {
      name: 'a header that means something',
      args: ['--policy-header', 'Bcc'],
      exit: EXIT.usage,
      mentions: ['--policy-header', 'Bcc'],
    },
    {
      name: 'metrics for everybody',
      args: ['--metrics-listen', '0.0.0.0:9117'],
      exit: EXIT.usage,
      mentions: ['--metrics-listen', '0.0.0.0:9117'],
    },
    ...[
      'grace = -5',
      'grace-for = "192.0.2.0/24"',
      'max-grants = 0',
      'log-format = "xml"',
      'exclude = "local"',
      'deny_users = "*"',
      'metrics-listen = "0.0.0.0:9117"',
      'fleet = "http://h"',
    ].map(text => ({
      name: `in a file, ${text}`,
      args: ['--config', '@/wrong.toml'],
      files: { 'wrong.toml': `${text}\n` },
      exit: EXIT.config,
      mentions: ['@/wrong.toml:1: '],
    })),
    {
      name: 'a type of map that is not supported, in a file',
      args: ['list', '--config', '@/wrong.toml'],
      files: { 'wrong.toml': 'map = "regexp:/x/y"\n' },
      exit: EXIT.config,
      mentions: ['@/wrong.toml:1: map', 'regexp', 'lmdb'],
    },
    {
      name: 'a pattern file that does not parse',
      args: ['--patterns', '@/patterns'],
      files: { 'patterns/mine.toml': 'programs = ["x"]\n\n[[login]\n' },
      exit: EXIT.config,
      mentions: ['mine.toml:3'],
    },
    {
      name: 'a fleet that is none',
      args: ['--fleet', 'http://h'],
      exit: EXIT.usage,
      mentions: ['--fleet', 'http://h', 'redis://'],
    },
    {
      name: 'a fleet with a password for everybody to see',
      args: ['--fleet', 'redis://u:p@h'],
      exit: EXIT.usage,
      mentions: ['--fleet', 'fleet-password-file'],
    },
    {
      name: 'a part in the fleet that there is not',
      args: ['--fleet-role', 'lead'],
      exit: EXIT.usage,
      mentions: ['--fleet-role', 'lead', 'subscribe'],
    },
    {
      name: 'a name that the streams cannot have',
      args: ['--fleet', 'redis://h', '--fleet-name', 'a b'],
      exit: EXIT.usage,
      mentions: ['--fleet-name', 'a b'],
    },
    {
      name: 'certificates without TLS',
      args: ['--fleet', 'redis://h', '--fleet-ca', '@/ca.pem'],
      exit: EXIT.usage,
      mentions: ['--fleet-ca', 'redis://h:6379/0', 'rediss://'],
    },
    {
      name: 'a password file that is not there',
      args: ['--fleet', 'redis://h', '--fleet-password-file', '@/none'],
      exit: EXIT.config,
      mentions: ['@/none'],
    },
    {
      name: 'patterns that are not there',
      args: ['--patterns', '@/nowhere'],
      exit: EXIT.config,
      mentions: ['@/nowhere'],
    },
    {
      name: 'a log file that cannot be written',
      args: ['--logto', '@/none/log'],
      exit: EXIT.cannotCreate,
      mentions: ['@/none/log'],
    },
    {
      name: 'a map that is not there',
      args: ['list', '--map', 'lmdb:@/missing'],
      exit: EXIT.noInput,
      mentions: ['@/missing'],
    },
  ];

  for (const { name, args, exit, mentions, files = {} } of table) {
    test(name, async () => {
      const here = join(watched.directory, `mistake-${++count}`);
      await mkdir(join(here, 'patterns'), { recursive: true });
      for (const [file, text] of Object.entries(files)) await writeFile(join(here, file), text);
      await writeFile(join(here, 'log'), '');
      const isRun = args[0]?.startsWith('--') === true;
      const preset = ['--watchlog', '@/log', '--map', 'lmdb:@/map', '--mynetworks', 'none'];
      const given = new Set(args);
      const rest = isRun
        ? preset.filter(
            (word, index) => !given.has(index % 2 === 0 ? word : String(preset[index - 1])),
          )
        : [];
      const { code, stderr, stdout } = await popbsmtp(
        ...[...args, ...rest].map(arg => arg.replace('@', here)),
      );
      assert.equal(code, exit, stderr);
      assert.match(stderr, /^popbsmtp: [^\n]+\n$/);
      assert.equal(stdout, '');
      for (const text of mentions)
        assert.ok(stderr.includes(text.replace('@', here)), `${stderr} lacks ${text}`);
      assert.ok(!existsSync(join(here, 'map.lmdb')));
    });
  }
});
