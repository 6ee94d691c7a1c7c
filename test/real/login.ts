/**
 * Logs in over POP3 and IMAP, rightly or wrongly, as a mail client would.
 *
 * Promises: the outcome is what the server said, never guessed; the session is ended politely (QUIT,
 * LOGOUT) or dropped, as the test says; a refused one is dropped.  User names go out byte for byte: an
 * IMAP name that an atom or a quoted string cannot carry is sent as a literal.
 */
import { Dialog, type Endpoint } from './dialog.ts';

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** A session after the server has answered the login. */
export interface Session {
  readonly accepted: boolean;
  /** The server's answer, as it came. */
  readonly answer: string;
  /** For what else the test has to say in it. */
  readonly dialog: Dialog;
  logout(): Promise<void>;
  /** Hangs up without a word. */
  drop(): Promise<void>;
}

async function askPop(dialog: Dialog, command: string): Promise<string> {
  dialog.send(`${command}\r\n`);
  return dialog.until(/^(?:\+OK|-ERR)/);
}

/** Opens a POP3 session and keeps it open. */
export async function openPop3(endpoint: Endpoint, account: Account): Promise<Session> {
  const dialog = await Dialog.open(endpoint);
  await dialog.until(/^\+OK/);
  const user = await askPop(dialog, `USER ${account.user}`);
  const answer = user.startsWith('+OK') ? await askPop(dialog, `PASS ${account.password}`) : user;
  return {
    accepted: answer.startsWith('+OK'),
    answer,
    dialog,
    logout: async () => {
      await askPop(dialog, 'QUIT');
      await dialog.close();
    },
    drop: () => dialog.close(),
  };
}

/** A quoted string cannot hold line ends, NUL or bytes above 127 (RFC 9051, section 4.3). */
const quotable = (text: string): boolean =>
  [...text].every(character => character >= ' ' && character <= '~');

/** Sends one astring, as a literal when it has to be; the server asks for a literal's bytes. */
async function sendAstring(dialog: Dialog, text: string): Promise<void> {
  if (quotable(text) && text.length < 200) {
    dialog.send(`"${text.replace(/["\\]/g, '\\$&')}"`);
    return;
  }
  dialog.send(`{${text.length}}\r\n`);
  await dialog.until(/^\+/);
  dialog.send(text);
}

/** Opens an IMAP session and keeps it open. */
export async function openImap(endpoint: Endpoint, account: Account): Promise<Session> {
  const dialog = await Dialog.open(endpoint);
  await dialog.until(/^\* OK/);
  dialog.send('a1 LOGIN ');
  await sendAstring(dialog, account.user);
  dialog.send(' ');
  await sendAstring(dialog, account.password);
  dialog.send('\r\n');
  const answer = await dialog.until(/^a1 /);
  return {
    accepted: answer.startsWith('a1 OK'),
    answer,
    dialog,
    logout: async () => {
      dialog.send('a2 LOGOUT\r\n');
      await dialog.until(/^a2 |^\* BYE/);
      await dialog.close();
    },
    drop: () => dialog.close(),
  };
}

/** What both protocols have in common: log in, and log out again. */
export type Open = typeof openPop3;

/** Logs in with an account that the server must accept, and out again. */
export async function logIn(open: Open, endpoint: Endpoint, account: Account): Promise<void> {
  const session = await open(endpoint, account);
  if (!session.accepted) throw new Error(`the server refused a good login: ${session.answer}`);
  await session.logout();
}

/** Tries to log in with an account that the server must refuse. */
export async function failToLogIn(open: Open, endpoint: Endpoint, account: Account): Promise<void> {
  const session = await open(endpoint, account);
  if (session.accepted) throw new Error(`the server accepted a bad login: ${account.user}`);
  await session.drop();
}
