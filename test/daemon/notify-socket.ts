/**
 * The socket on which systemd listens for what services tell it (sd_notify(3)), without systemd.
 */
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../real/processes.ts';
import type { Rig } from '../real/rig.ts';

/** What it takes, for `requirePrograms`. */
export const NOTIFY_PROGRAMS = ['systemd-notify', 'perl'] as const;

/** Prints each message as one line; a descriptor that comes along, of a barrier, is closed by not being taken. */
const LISTENER = `
use IO::Socket::UNIX;
$| = 1;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die "$ARGV[0]: $!";
print "listening\\n";
while (defined $socket->recv(my $message, 4096)) { print join(" ", split(/\\n/, $message)), "\\n"; }
`;

export class NotifySocket {
  readonly path: string;
  readonly #listener: Daemon;

  private constructor(path: string, listener: Daemon) {
    this.path = path;
    this.#listener = listener;
  }

  static async listen(rig: Rig): Promise<NotifySocket> {
    const path = join(await rig.directory(), 'notify');
    const listener = startDaemon(rig, 'perl', ['-e', LISTENER, path]);
    await listener.waitForLine(/^listening$/);
    return new NotifySocket(path, listener);
  }

  /** What was told so far. */
  get told(): string[] {
    return this.#listener.lines.filter(line => /^(?:READY|WATCHDOG|STOPPING)=/.test(line));
  }

  async waitFor(message: string, from = 0): Promise<void> {
    await this.#listener.waitForLine(new RegExp(`^${message}$`), from);
  }

  /** Waits for one more ping than there are now. */
  async waitForPing(): Promise<void> {
    await this.waitFor('WATCHDOG=1', this.#listener.lines.length);
  }
}
