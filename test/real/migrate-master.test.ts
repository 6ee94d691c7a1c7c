/**
 * From the Perl pop-before-smtp on a host whose master.cf names the map in a list with blanks, which `postconf -P` shows and does not take.
 */
import assert from 'node:assert/strict';
import { appendFile, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { FormerHost } from './former-host.ts';
import { mustRun } from './processes.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms(['postconf', 'postmap', 'perl'], { root: true });

const NAME = 'smtpd_recipient_restrictions';

const rig = new Rig();
after(() => rig.close());

for (const how of ['--apply', 'the commands, pasted'] as const)
  test(`a list of master.cf with blanks is changed: ${how}`, { skip }, async () => {
    const host = await new FormerHost(await rig.directory()).make();
    await host.writeOld('198.51.100.9', 'ok');
    const master = join(host.postfix, 'master.cf');
    const list = (map: string): string => `permit_mynetworks, check_client_access ${map}, reject`;
    await appendFile(master, `  -o { ${NAME} = ${list(`hash:${host.old}`)} }\n`);
    await utimes(master, 1e9, 1e9);
    const { code, stdout, stderr } = await host.migrate(...(how === '--apply' ? [how] : []));
    assert.deepEqual([code, stderr], [0, ''], stdout);
    if (how !== '--apply') {
      const commands = [...stdout.matchAll(/^ {4}(postconf .*)$/gm)].map(([, each]) => each);
      await mustRun('sh', ['-euc', commands.join('\n')]);
    }
    const commas = list(`lmdb:${host.map}`).replaceAll(/,? /g, ',');
    assert.equal(
      await mustRun('postconf', ['-c', host.postfix, '-P']),
      `smtp/inet/${NAME} = ${commas}\n`,
    );
  });
