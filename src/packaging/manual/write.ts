/**
 * `npm run manual`: writes them below dist/share, or the directory that is named.
 *
 * The date of the pages is SOURCE_DATE_EPOCH where that is set, so that a package can be built twice with the same
 * bytes (reproducible-builds.org, "SOURCE_DATE_EPOCH").
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot, version } from '../../base/package.ts';
import { manualFiles } from './manual.ts';

const SHARE = join(packageRoot(), 'dist/share');

const [target = SHARE] = process.argv.slice(2);
const epoch = process.env['SOURCE_DATE_EPOCH'];
const date = epoch === undefined ? new Date() : new Date(Number(epoch) * 1000);

for (const [name, text] of manualFiles({ version: version(), date })) {
  const path = join(target, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
