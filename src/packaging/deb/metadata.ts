/**
 * What dpkg and the administrator are told about the package.
 */
import type { Module } from './modules.ts';

export interface Facts {
  readonly version: string;
  /** As dpkg calls it: `amd64`. */
  readonly architecture: string;
  /** `Name <address>`. */
  readonly maintainer: string;
  /** The libraries that the addons need, as dpkg-shlibdeps tells. */
  readonly libraries: string;
  /** In KiB. */
  readonly installedSize: number;
  /** Of the last change. */
  readonly date: Date;
}

/** What it says in package.json; Node 18, which Debian 12 has, is too old. */
const NODE = 'nodejs (>= 20.19)';

export const control = (facts: Facts): string => `Package: popbsmtp
Version: ${facts.version}
Architecture: ${facts.architecture}
Maintainer: ${facts.maintainer}
Installed-Size: ${facts.installedSize}
Depends: ${NODE}, ${facts.libraries}
Recommends: postfix, postfix-lmdb | postfix (>= 3.11)
Suggests: logrotate
Section: mail
Priority: optional
Description: POP before SMTP for Postfix
 Some mail clients cannot authenticate when they send: scanners, controllers,
 old programs.  But they can fetch mail.  popbsmtp watches the log of the
 POP3/IMAP server; each successful login lets that client's address relay
 through Postfix for a grace period, and then the permission is taken back.
`;

/** The program is compiled anew when there is another Node (postinst). */
export const TRIGGERS = 'interest-noawait /usr/bin/node\n';

const titleOf = ({ name, version, license }: Module): string => `${name} ${version} (${license})`;

/** Debian has this text on every host, and wants it to be named and not repeated. */
const APACHE = 'The text of the Apache License is in /usr/share/common-licenses/Apache-2.0.';

/** One entry for all packages that say the same. */
function licenses(modules: readonly Module[]): string[] {
  const byText = new Map<string, string[]>();
  for (const module of modules) {
    const text = module.license === 'Apache-2.0' ? APACHE : module.licenseText;
    byText.set(text, [...(byText.get(text) ?? []), titleOf(module)]);
  }
  return [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}`.trim());
}

/** @param license the project's own */
export const copyright = (license: string, modules: readonly Module[]): string =>
  [
    `popbsmtp\n\n${license.trim()}`,
    'The packages of which the program has taken parts, and the addons below node_modules, are of their own authors:',
    ...licenses(modules),
  ].join(`\n\n${'-'.repeat(72)}\n\n`);
