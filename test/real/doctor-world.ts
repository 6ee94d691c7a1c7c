/**
 * An installation for the doctor to examine: a log, a map with its daemon, and a configuration of Postfix's, all good.
 *
 * A test spoils one thing of it, or puts another in its place, and says all that the doctor may find then: whatever
 * else it finds is a mistake of the doctor's.
 * Leaves to others: a Postfix that runs (the relay test needs one, the other checks do not).
 */
import assert from 'node:assert/strict';
import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runSettings } from '../../src/daemon/settings.ts';
import { examine } from '../../src/doctor/examination.ts';
import type { Finding } from '../../src/doctor/finding.ts';
import { relayCheck } from '../../src/doctor/relay.ts';
import type { Endpoint } from '../../src/doctor/smtp-session.ts';
import { subjectOf } from '../../src/doctor/subject.ts';
import { parseCommandLine } from '../../src/options/command-line.ts';
import { loginLine } from '../cli/watched-log.ts';
import { popbsmtp, startPopbsmtp } from './popbsmtp.ts';
import { type Daemon, mustRun, type Result } from './processes.ts';
import type { Rig } from './rig.ts';

/** Postfix reads a main.cf of the last seconds for two seconds, until it is older. */
const LONG_AGO = new Date(2020, 0, 1);

/** What is expected besides `ok`: check, level, what is said, and what to do about it. */
export type Expected = readonly [Finding['check'], Finding['level'], RegExp, RegExp?];

/** Options, in place of those of the good installation. */
export type Given = Readonly<Record<string, string>>;

/** The lines of main.cf that the README asks for. */
export const good = (map: string): string =>
  `smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,\n  check_client_access ${map}, reject_unauth_destination`;

export const fileOf = (map: string): string => `${map.replace('lmdb:', '')}.lmdb`;

/** Makes Postfix's commands read it at once. */
export const backdate = (config: string): Promise<void> =>
  utimes(join(config, 'main.cf'), LONG_AGO, LONG_AGO);

export const keys = (map: string): Promise<string> => mustRun('postmap', ['-s', map]);

export class Installation {
  readonly base: string;
  readonly log: string;
  /** The daemon has it. */
  map = '';
  #config = '';
  #count = 0;

  private constructor(base: string) {
    this.base = base;
    this.log = join(base, 'mail.log');
  }

  /** @returns it, with its daemon running until the rig closes */
  static async make(rig: Rig): Promise<{ installation: Installation; daemon: Daemon }> {
    const made = new Installation(await rig.directory());
    await writeFile(made.log, loginLine('198.51.100.7'));
    made.map = await made.newMap();
    made.#config = await made.configure(good(made.map));
    const { log: watchlog, map } = made;
    const daemon = await startPopbsmtp(rig, {
      watchlog,
      map,
      grace: '15m',
      postfixConfig: made.#config,
    });
    return { installation: made, daemon };
  }

  /** A map as a daemon leaves it that has been stopped. */
  async newMap(): Promise<string> {
    const directory = join(this.base, `map-${++this.#count}`);
    await mkdir(directory);
    const map = `lmdb:${directory}/pop-before-smtp`;
    const made = await popbsmtp('run', '--watchlog', '-', '--map', map, '--mynetworks', 'none');
    assert.equal(made.code, 0, made.stderr);
    return map;
  }

  /** A configuration directory; mynetworks is one address unless main.cf says otherwise. */
  async configure(mainCf: string, masterCf = 'smtp inet n - n - - smtpd\n'): Promise<string> {
    const directory = join(this.base, `postfix-${++this.#count}`);
    await mkdir(directory);
    await writeFile(join(directory, 'master.cf'), masterCf);
    const mynetworks = mainCf.includes('mynetworks =') ? '' : 'mynetworks = 127.0.0.1/32\n';
    await writeFile(
      join(directory, 'main.cf'),
      `compatibility_level = 3.6\nmydestination = example.org\n${mynetworks}${mainCf}\n`,
    );
    await backdate(directory);
    return directory;
  }

  /** A log with this text, last written to so many seconds ago. */
  async newLog(text: string, secondsAgo = 0): Promise<string> {
    const path = join(this.base, `log-${++this.#count}`);
    await writeFile(path, text);
    const time = Date.now() / 1000 - secondsAgo;
    await utimes(path, time, time);
    return path;
  }

  /** The command line behind `doctor`. */
  options(given: Given): string[] {
    const { map, log } = this;
    const all = { '--map': map, '--watchlog': log, '--postfix-config': this.#config, ...given };
    return Object.entries(all).flat();
  }

  /** Runs the command as a user does. */
  doctor(given: Given, ...more: string[]): Promise<Result> {
    return popbsmtp('doctor', '--json', ...this.options(given), ...more);
  }

  /** Examines without a process of its own and without a relay test, and says what should be found. */
  assertFinds(given: Given, ...expected: readonly Expected[]): Promise<void> {
    return this.#assertFinds(given, null, expected);
  }

  /** The same with a relay test at this port of 127.0.0.1. */
  assertFindsAt(port: number, ...expected: readonly Expected[]): Promise<void> {
    return this.#assertFinds({}, { host: '127.0.0.1', port }, expected);
  }

  /** What the relay test alone finds at this port of a Postfix with this configuration, whose other services are not judged. */
  async assertRelayFindsAt(port: number, config: string, expected: Expected): Promise<void> {
    const { values } = await parseCommandLine(
      ['doctor', ...this.options({ '--postfix-config': config })],
      '',
    );
    const smtp = { host: '127.0.0.1', port };
    const subject = subjectOf(runSettings(values), smtp, new AbortController().signal);
    const verdicts = await relayCheck.run(subject);
    assertFindings(
      verdicts.map(verdict => ({ check: relayCheck.name, ...verdict })),
      [expected],
    );
  }

  async #assertFinds(
    given: Given,
    smtp: Endpoint | null,
    expected: readonly Expected[],
  ): Promise<void> {
    const { values } = await parseCommandLine(['doctor', ...this.options(given)], '');
    const subject = subjectOf(runSettings(values), smtp, new AbortController().signal);
    const findings: Finding[] = [];
    for await (const finding of examine(subject)) findings.push(finding);
    assertFindings(findings, expected);
  }
}

/** What the doctor says of the relay test that a test has not asked for. */
const LEFT_OUT = 'not tried: --no-smtp';

export function findingsOf({ stdout, stderr }: Result): Finding[] {
  assert.equal(stderr, '');
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line): Finding => JSON.parse(line));
}

/** What the command has found, and its status. */
export function assertFound(result: Result, expected: readonly Expected[]): void {
  assertFindings(findingsOf(result), expected);
  assert.equal(result.code, expected.some(([, level]) => level === 'error') ? 1 : 0);
}

function assertFindings(findings: readonly Finding[], expected: readonly Expected[]): void {
  const found = findings.filter(({ level, what }) => level !== 'ok' && what !== LEFT_OUT);
  const shown = JSON.stringify(found, null, 1);
  assert.equal(found.length, expected.length, shown);
  for (const [index, [check, level, what, hint = /^/]] of expected.entries()) {
    assert.equal(found[index]?.check, check, shown);
    assert.equal(found[index]?.level, level, shown);
    assert.match(found[index]?.what ?? '', what);
    assert.match(found[index]?.hint ?? '', hint);
  }
}
