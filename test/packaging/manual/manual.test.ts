/**
 * That nothing of the tables is missing in what is made from them.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { CATALOGUE, EXIT, OF_ORIGIN } from '../../../src/base/errors.ts';
import { packageRoot } from '../../../src/base/package.ts';
import { COMMAND_NAMES, commandOf, isCommandName } from '../../../src/options/commands.ts';
import { FORMER_NAMES } from '../../../src/options/former-options.ts';
import { GENERAL_OPTIONS } from '../../../src/options/help.ts';
import { OPTION_NAMES, optionsOf, specOf } from '../../../src/options/options.ts';
import { COMMAND_TEXTS } from '../../../src/options/texts.ts';
import { manualFiles } from '../../../src/packaging/manual/manual.ts';
import { escapeRoff } from '../../../src/packaging/manual/roff.ts';
import { PAGES } from '../../../src/packaging/manual/written-page.ts';
import { BESIDE } from '../../../src/state/beside.ts';

const files = manualFiles({ version: '1.2.3', date: new Date('2026-03-22T11:00:00Z') });

function textOf(path: string): string {
  const text = files.get(path);
  assert.ok(text !== undefined, path);
  return text;
}

describe('popbsmtp(8)', () => {
  const page = textOf('man/man8/popbsmtp.8');

  test('says of which version and day it is', () => {
    assert.match(page, /^\.Dd March 22, 2026$/m);
    assert.match(page, /^\.Os popbsmtp 1\.2\.3$/m);
  });

  test('has every command, with its own options and examples', () => {
    const entries = page.slice(page.indexOf('.Sh COMMANDS'), page.indexOf('.Sh OPTIONS'));
    for (const name of COMMAND_NAMES) {
      const [, entry = ''] =
        new RegExp(`^\\.It Cm "\\\\&\\[?${name}\\b.*\\n([^]*?)^\\.(?:It|El)`, 'm').exec(entries) ??
        [];
      const flags = [...entry.matchAll(/^\.Fl Fl (\S+) [,.]$/gm)].map(([, flag]) => flag);
      assert.deepEqual(flags, optionsOf(name).map(escapeRoff), name);
      for (const { args } of COMMAND_TEXTS[name].examples) {
        assert.ok(page.includes(`\npopbsmtp ${escapeRoff(args)}\n`), args);
      }
    }
  });

  test('has every option once', () => {
    const options = page.slice(page.indexOf('.Sh OPTIONS'), page.indexOf('.Sh FILES'));
    const found = [...options.matchAll(/^\.It Fl Fl (\S+)/gm)].map(([, flag]) => flag);
    assert.deepEqual(found, [...OPTION_NAMES.map(escapeRoff), 'version']);
  });

  test('has every exit status, and every error with what to do', () => {
    for (const status of Object.values(EXIT))
      assert.match(page, new RegExp(`^\\.It ${status}$`, 'm'));
    const errors = page.slice(page.indexOf('.Sh DIAGNOSTICS'));
    assert.equal(errors.match(/^\.It /gm)?.length, Object.keys(CATALOGUE).length);
    for (const { text, hint, exit } of Object.values(CATALOGUE)) {
      const shown = errors
        .replaceAll('\\fI', '{')
        .replaceAll('\\fP', '}')
        .replace('{verb} ', '{verb}');
      assert.ok(shown.includes(escapeRoff(text)), text);
      assert.ok(shown.includes(escapeRoff(hint.slice(1))), hint);
      assert.ok(
        shown.includes(
          `exit status ${exit === OF_ORIGIN ? '64 on the command line, 78 in a file' : exit}`,
        ),
      );
    }
  });
});

test('popbsmtp.toml(5) has every key, and no other', () => {
  const page = textOf('man/man5/popbsmtp.toml.5');
  const found = [...page.matchAll(/^\.It Sy (\S+)$/gm)].map(([, key]) => key);
  const keys = OPTION_NAMES.filter(name => specOf(name).inFile);
  assert.deepEqual(found, keys.map(escapeRoff));
});

/** The text that a page is made of. */
const sourceOf = (name: string, section: number): string =>
  readFileSync(join(packageRoot(), `src/packaging/manual/pages/${name}.${section}.md`), 'utf8');

describe('the pages that are written and not made', () => {
  for (const { name, section, about } of PAGES) {
    const text = sourceOf(name, section);
    const page = textOf(`man/man${section}/${name}.${section}`);

    test(`${name}(${section}) says what it is, and has every section of its text in order`, () => {
      assert.ok(page.includes(`.Nd ${escapeRoff(about)}\n`));
      const titles = [...text.matchAll(/^## (.*)$/gm)].map(([, title = '']) =>
        escapeRoff(title.toUpperCase()),
      );
      const found = [...page.matchAll(/^\.Sh (.*)$/gm)].map(([, title = '']) =>
        title.replaceAll('\\%', ''),
      );
      assert.deepEqual(
        found.filter(title => titles.includes(title)),
        titles,
      );
      assert.ok(found.includes('DESCRIPTION'));
    });

    test(`${name}(${section}) names every other page`, () => {
      for (const other of PAGES) {
        const xr = `.Xr ${escapeRoff(other.name)} ${other.section}`;
        assert.equal(page.includes(xr), other.name !== name, xr);
      }
    });
  }

  test('what they name as a command or an option is one', () => {
    const known = [
      ...OPTION_NAMES,
      ...OPTION_NAMES.map(name => specOf(name).alias),
      ...GENERAL_OPTIONS.map(({ name }) => name),
      ...FORMER_NAMES,
    ];
    for (const { name, section } of PAGES) {
      const text = sourceOf(name, section);
      const commands = [...text.matchAll(/(?:`|^ {4})popbsmtp ([a-z]+)/gm)].map(([, word]) => word);
      const options = [...text.matchAll(/`(?:popbsmtp [^`]*)?--([a-z-]+)/g)].map(
        ([, word]) => word,
      );
      assert.deepEqual(
        commands.filter(word => !isCommandName(word ?? '')),
        [],
        name,
      );
      assert.deepEqual(
        options.filter(word => !known.includes(word ?? '')),
        [],
        name,
      );
    }
  });
});

test('popbsmtp(8) names every file beside the map', () => {
  const page = textOf('man/man8/popbsmtp.8');
  for (const { suffix } of Object.values(BESIDE))
    assert.ok(
      page.includes(`.It Pa "\\&${escapeRoff(`/var/popbsmtp/pop-before-smtp${suffix}`)}"`),
      suffix,
    );
});

test('the older name has a page', () => {
  assert.equal(textOf('man/man8/pop-before-smtp.8'), '.so man8/popbsmtp.8\n');
});

test('every completion names every command with its meaning, and every option', () => {
  const texts = {
    zsh: textOf('zsh/vendor-completions/_popbsmtp'),
    fish: textOf('fish/vendor_completions.d/popbsmtp.fish'),
    bash: textOf('bash-completion/completions/popbsmtp'),
  };
  for (const [shell, text] of Object.entries(texts)) {
    for (const name of [...COMMAND_NAMES, ...OPTION_NAMES]) {
      assert.ok(text.includes(name), `${shell}: ${name}`);
    }
  }
  for (const name of COMMAND_NAMES) {
    assert.ok(texts.zsh.includes(commandOf(name).about), name);
    assert.ok(texts.fish.includes(commandOf(name).about), name);
  }
});
