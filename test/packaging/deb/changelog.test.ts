import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../../src/base/package.ts';
import { changelog } from '../../../src/packaging/deb/changelog.ts';

const facts = (version: string) => ({
  version,
  maintainer: 'A. Builder <builder@example.org>',
  date: new Date('2026-03-22T11:00:00Z'),
});

const TEXT = `# Changelog

What changes.

## Unreleased

Look first.

### Added

- The option \`new\`, which says **much** and [more](x.md), so that the line that it stands in gets longer than
  eighty characters.

## 1.1.0 - 2026-02-01

### Added

- One thing.

### Fixed

- Another.

## 1.0.0 - 2026-01-02

- The first.
`;

test('what is not released stands with the version that is built, and the older ones below it', () => {
  assert.equal(
    changelog(TEXT, facts('1.1.0')),
    `popbsmtp (1.1.0) unstable; urgency=medium

  * Look first.

  [ Added ]
  * The option new, which says much and more, so that the line that it stands in
    gets longer than eighty characters.
  * One thing.

  [ Fixed ]
  * Another.

 -- A. Builder <builder@example.org>  Sun, 22 Mar 2026 11:00:00 +0000

popbsmtp (1.0.0) unstable; urgency=medium

  * The first.

 -- A. Builder <builder@example.org>  Fri, 02 Jan 2026 00:00:00 +0000
`,
  );
});

test('a version of which nothing is said has an entry all the same', () => {
  const released =
    TEXT.slice(0, TEXT.indexOf('## Unreleased')) + TEXT.slice(TEXT.indexOf('## 1.1.0'));
  assert.match(
    changelog(released, facts('1.1.1')),
    /^popbsmtp \(1\.1\.1\) unstable; urgency=medium\n\n {2}\* No changes for whoever runs it\.\n\n -- .*\n\npopbsmtp \(1\.1\.0\) /,
  );
});

test('another form is an error', () => {
  assert.throws(() => changelog('## Next week\n\n- x\n', facts('1')), /"Next week" is no heading/);
  assert.throws(() => changelog('## Unreleased\n\n    x\n', facts('1')), /a literal has no place/);
});

test('CHANGELOG.md has what is built, and all of it is in the changelog of the package', () => {
  const text = readFileSync(join(packageRoot(), 'CHANGELOG.md'), 'utf8');
  const made = changelog(text, facts('1.0.0'));
  assert.equal(made.match(/^ {2}\* /gm)?.length, (text.match(/^- /gm)?.length ?? 0) + 1);
  assert.ok(made.split('\n').every(line => line.length <= 80));
  assert.doesNotMatch(made, /`/);
});
