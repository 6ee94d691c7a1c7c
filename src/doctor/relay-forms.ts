/**
 * The ways in which strangers have made mail servers relay: what a relay test asks, as data.
 *
 * Sources: RFC 5321 section 3.6.1 and appendix C (source routes), RFC 1123 section 5.2.16 (the percent hack), RFC 976
 * (bang paths), postconf(5) allow_percent_hack, swap_bangpath, allow_untrusted_routing.
 * All recipients are under example.com, which is nobody's (RFC 2606).
 */

export interface Form {
  /** For people. */
  readonly name: string;
  /** What stands between the brackets of MAIL FROM and of RCPT TO. */
  readonly sender: string;
  readonly recipient: string;
}

const USER = 'relaytest';
const DOMAIN = 'example.com';
const FOREIGN = `${USER}@${DOMAIN}`;

/** What a granted client asks, too: no rule about senders is in the way of an empty one. */
export const PLAIN: Form = { name: 'plain address', sender: '', recipient: FOREIGN };

/**
 * @param own a domain that the server takes mail for
 * @param ip the server's own address, in brackets as SMTP has it
 */
export function relayForms(own: string, ip: string): Form[] {
  const senders: readonly [string, string][] = [
    ['foreign sender', `${USER}@example.net`],
    ['sender of the own domain', `${USER}@${own}`],
    ["sender at the server's address", `${USER}@${ip}`],
    ['sender without a domain', USER],
  ];
  const recipients: readonly [string, string][] = [
    ['percent hack', `${USER}%${DOMAIN}@${own}`],
    ["percent hack at the server's address", `${USER}%${DOMAIN}@${ip}`],
    ['percent hack alone', `${USER}%${DOMAIN}`],
    ['percent hack twice', `${USER}%${DOMAIN}%${own}@${own}`],
    ['source route', `@${own}:${FOREIGN}`],
    ["source route through the server's address", `@${ip}:${FOREIGN}`],
    ['source route of two', `@${own},@${own}:${FOREIGN}`],
    ['quoted address', `"${FOREIGN}"`],
    ['quoted percent hack', `"${USER}%${DOMAIN}"`],
    ['quoted address at the own domain', `"${FOREIGN}"@${own}`],
    ["quoted address at the server's address", `"${FOREIGN}"@${ip}`],
    ['nested quotes', `"\\"${FOREIGN}\\""@${own}`],
    ['two domains', `${FOREIGN}@${own}`],
    ["a domain and the server's address", `${FOREIGN}@${ip}`],
    ['bang path', `${DOMAIN}!${USER}`],
    ['bang path at the own domain', `${DOMAIN}!${USER}@${own}`],
    ["bang path at the server's address", `${DOMAIN}!${USER}@${ip}`],
    ['bang path in quotes', `"${DOMAIN}!${USER}"@${own}`],
  ];
  return [
    PLAIN,
    ...senders.map(([name, sender]): Form => ({ name, sender, recipient: FOREIGN })),
    ...recipients.map(([name, recipient]): Form => ({ name, sender: '', recipient })),
  ];
}
