/**
 * `popbsmtp migrate`: from the Perl pop-before-smtp, as one command.
 *
 * Without `--apply` it changes nothing, and says what it would do; the commands that it prints can be pasted.
 */
import { existsSync } from 'node:fs';
import { systemClock } from '../base/clock.ts';
import { EXIT } from '../base/errors.ts';
import { rulesOf } from '../daemon/settings.ts';
import { mapsOf, parseMapSpec } from '../map/spec.ts';
import { applyMigration } from '../migrate/apply.ts';
import { planMigration, type Request } from '../migrate/migration.ts';
import { USUAL_FILE, withConfig } from '../options/config.ts';
import { settingsOf } from '../options/settings.ts';
import type { Values } from '../options/values.ts';
import { migrationJson, migrationText, stepsText } from '../report/migration-text.ts';
import { print } from '../report/print.ts';

/** @throws Failure of a setting; as `planMigration` and `applyMigration` do */
export async function migrate(typed: Values): Promise<number> {
  const { request, json, apply } = requestOf(typed);
  const migration = await planMigration(request);
  if (!apply) {
    await print(json ? migrationJson(migration, null) : migrationText(migration, request));
    return EXIT.ok;
  }
  const done: string[] = [];
  await applyMigration(migration, request, text => {
    done.push(text);
    if (!json) process.stdout.write(`${text}\n`);
  });
  await print(json ? migrationJson(migration, done) : stepsText(migration, done, request));
  return EXIT.ok;
}

function requestOf(typed: Values): {
  readonly request: Request;
  readonly json: boolean;
  readonly apply: boolean;
} {
  const named = typed.given('config')?.value;
  const configuration = typeof named === 'string' ? named : USUAL_FILE;
  // One that is not there yet is made.
  const values = existsSync(configuration) ? withConfig(typed) : typed;
  const { json, apply, perlConfig, initScript, oldMap, ...settings } = settingsOf(
    values,
    'migrate',
  );
  const { postfixConfig } = settings;
  const maps = mapsOf(settings);
  const isGraceGiven = typed.given('grace')?.origin === '--grace';
  const request = {
    perlConfig,
    initScript,
    oldMap: oldMap && parseMapSpec(oldMap.value, oldMap.origin, postfixConfig),
    grace: isGraceGiven ? settings.grace : null,
    map: maps.map,
    rules: rulesOf(values, maps),
    configuration,
    postfixConfig,
    now: systemClock().now().wall,
  };
  return { request, json, apply };
}
