/**
 * The question that all these tests ask of Postfix: may this address relay?
 *
 * Promises: one connection from the address given, with EHLO, MAIL FROM and RCPT TO a foreign domain;
 * the answer to RCPT TO is returned; `askToRelay` sends no message (RSET, QUIT, never DATA).
 */
import { Dialog, type Endpoint } from './dialog.ts';

export interface Reply {
  readonly code: number;
  readonly text: string;
}

/** A domain that no server under test takes mail for, in the zone that is never delegated. */
const FOREIGN = '<someone@elsewhere.example>';

async function ask(dialog: Dialog, command: string): Promise<Reply> {
  dialog.send(`${command}\r\n`);
  return reply(dialog);
}

async function reply(dialog: Dialog): Promise<Reply> {
  const text = await dialog.until(/^\d{3}(?: |$)/);
  return { code: Number(text.slice(0, 3)), text };
}

function expect(found: Reply, code: number): void {
  if (found.code !== code) throw new Error(`expected ${code} from SMTP, got ${found.text}`);
}

/** A message: to whom, and with whose password, if with any. */
export interface Sending {
  readonly to: readonly string[];
  readonly password?: { readonly user: string; readonly password: string };
}

/** Sends a message, which must be taken for all of its recipients. */
export async function sendMail(endpoint: Endpoint, { to, password }: Sending): Promise<void> {
  const dialog = await Dialog.open(endpoint);
  try {
    expect(await reply(dialog), 220);
    expect(await ask(dialog, 'EHLO client.example.org'), 250);
    if (password !== undefined) {
      const plain = Buffer.from(`\0${password.user}\0${password.password}`).toString('base64');
      expect(await ask(dialog, `AUTH PLAIN ${plain}`), 235);
    }
    expect(await ask(dialog, 'MAIL FROM:<anna@example.org>'), 250);
    for (const one of to) expect(await ask(dialog, `RCPT TO:<${one}>`), 250);
    expect(await ask(dialog, 'DATA'), 354);
    expect(await ask(dialog, 'Subject: test\r\n\r\ntest\r\n.'), 250);
    expect(await ask(dialog, 'QUIT'), 221);
  } finally {
    await dialog.close();
  }
}

/** A session in which a client asks again and again. */
export interface RelaySession {
  /** What the server answers when the client wants to send mail to a foreign domain. */
  ask(): Promise<Reply>;
  quit(): Promise<void>;
}

/** @param sender as it stands in MAIL FROM */
export async function openRelaySession(endpoint: Endpoint, sender = '<>'): Promise<RelaySession> {
  const dialog = await Dialog.open(endpoint);
  try {
    expect(await reply(dialog), 220);
    expect(await ask(dialog, 'EHLO client.example.org'), 250);
  } catch (error) {
    await dialog.close();
    throw error;
  }
  return {
    ask: async () => {
      expect(await ask(dialog, `MAIL FROM:${sender}`), 250);
      const answer = await ask(dialog, `RCPT TO:${FOREIGN}`);
      expect(await ask(dialog, 'RSET'), 250);
      return answer;
    },
    quit: async () => {
      try {
        expect(await ask(dialog, 'QUIT'), 221);
      } finally {
        await dialog.close();
      }
    },
  };
}

/** What Postfix answers this client when it wants to send mail to a foreign domain. */
export async function askToRelay(endpoint: Endpoint, sender = '<>'): Promise<Reply> {
  const dialog = await Dialog.open(endpoint);
  try {
    expect(await reply(dialog), 220);
    expect(await ask(dialog, 'EHLO client.example.org'), 250);
    expect(await ask(dialog, `MAIL FROM:${sender}`), 250);
    const answer = await ask(dialog, `RCPT TO:${FOREIGN}`);
    expect(await ask(dialog, 'RSET'), 250);
    expect(await ask(dialog, 'QUIT'), 221);
    return answer;
  } finally {
    await dialog.close();
  }
}
