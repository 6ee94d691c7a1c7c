/**
 * Asks an SMTP server to relay, up to RCPT TO: no message is ever begun.
 */
import type { IpText } from '../base/address.ts';
import type { Form } from './relay-forms.ts';
import { type Endpoint, type Reply, SmtpSession, SmtpTrouble } from './smtp-session.ts';

export interface Answer {
  readonly form: Form;
  readonly reply: Reply;
}

/** smtpd makes a client wait after 10 errors (smtpd_soft_error_limit), and hangs up after 20. */
const FORMS_A_SESSION = 8;

/**
 * What the server answers to each form, asked in as many sessions as it takes.
 *
 * @param from the address to come from
 * @param ended breaks off when it is aborted
 * @throws SmtpTrouble
 */
export async function askAll(
  endpoint: Endpoint,
  from: IpText,
  forms: readonly Form[],
  ended: AbortSignal,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  while (answers.length < forms.length) {
    const some = forms.slice(answers.length, answers.length + FORMS_A_SESSION);
    answers.push(...(await askInSession(endpoint, from, some, ended)));
  }
  return answers;
}

/** @returns the answers to at least the first of them: some servers break off after a few that they take for errors (Exim after three, 4.96) */
async function askInSession(
  endpoint: Endpoint,
  from: IpText,
  forms: readonly Form[],
  ended: AbortSignal,
): Promise<Answer[]> {
  const session = await SmtpSession.open(endpoint, from, ended);
  try {
    expectOk(await session.hear('the greeting'));
    expectOk(await session.ask(`EHLO [${from.includes(':') ? 'IPv6:' : ''}${from}]`));
    const answers: Answer[] = [];
    try {
      for (const form of forms) answers.push({ form, reply: await askOne(session, form) });
      await session.ask('QUIT');
    } catch (problem) {
      if (answers.length === 0 || ended.aborted || !(problem instanceof SmtpTrouble)) throw problem;
    }
    return answers;
  } finally {
    session.close();
  }
}

function expectOk({ code, text }: Reply): void {
  if (code >= 300) throw new SmtpTrouble(`it will not talk: ${text}`);
}

/** What is said to the sender or else to the recipient; a message is never begun. */
async function askOne(session: SmtpSession, { sender, recipient }: Form): Promise<Reply> {
  const mail = await session.ask(`MAIL FROM:<${sender}>`);
  if (mail.code === 421) throw new SmtpTrouble(`it breaks off: ${mail.text}`);
  if (mail.code >= 300) return mail;
  const reply = await session.ask(`RCPT TO:<${recipient}>`);
  if (reply.code === 421) throw new SmtpTrouble(`it breaks off: ${reply.text}`);
  await session.ask('RSET');
  return reply;
}
