/**
 * All that is made from tables and texts to be installed: manual pages, completions, the sample configuration.
 *
 * Names are those under /usr/share.
 */
import { bashCompletion } from './bash-completion.ts';
import { configPage } from './config-page.ts';
import { fishCompletion } from './fish-completion.ts';
import { type Edition, linkPage } from './page.ts';
import { programPage } from './program-page.ts';
import { sampleConfig } from './sample-config.ts';
import { PAGES, writtenPage } from './written-page.ts';
import { zshCompletion } from './zsh-completion.ts';

/** The one that an administrator copies to /etc. */
export const SAMPLE_CONFIG = 'popbsmtp/popbsmtp.toml';

/** The texts of the files, by their paths. */
export function manualFiles(edition: Edition): ReadonlyMap<string, string> {
  return new Map([
    ...PAGES.map((written): [string, string] => [
      `man/man${written.section}/${written.name}.${written.section}`,
      writtenPage(written, edition),
    ]),
    ['man/man8/popbsmtp.8', programPage(edition)],
    ['man/man8/pop-before-smtp.8', linkPage('man8/popbsmtp.8')],
    ['man/man5/popbsmtp.toml.5', configPage(edition)],
    ['bash-completion/completions/popbsmtp', bashCompletion()],
    // Looked up by the name of the command.
    ['bash-completion/completions/pop-before-smtp', `. "\${BASH_SOURCE[0]%/*}/popbsmtp"\n`],
    ['zsh/vendor-completions/_popbsmtp', zshCompletion()],
    ['fish/vendor_completions.d/popbsmtp.fish', fishCompletion()],
    ['fish/vendor_completions.d/pop-before-smtp.fish', 'complete -c pop-before-smtp -w popbsmtp\n'],
    [SAMPLE_CONFIG, sampleConfig()],
  ]);
}
