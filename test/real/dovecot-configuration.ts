/**
 * The configuration of a Dovecot of the test's own, in the language of 2.3 and in that of 2.4, which differ in most names.
 */

export interface Ports {
  readonly pop3: number;
  readonly imap: number;
  /** 0 for none, as for Dovecot. */
  readonly pop3s: number;
  readonly imaps: number;
}

export interface Choices {
  /** The directory of the instance; `users`, `cert.pem`, `key.pem` and `home` are in it. */
  readonly base: string;
  readonly ports: Ports;
  /** `auth_username_chars`, where it is not the default. */
  readonly usernameChars: string | null;
  /** `login_log_format_elements` in the spelling of 2.3, where it is not the default. */
  readonly elements: string | null;
  /** `instance_name`, where it is not the default. */
  readonly instance: string | null;
  /** `log_path`, where it is not syslog. */
  readonly logPath: string | null;
}

const services = ({ pop3, imap, pop3s, imaps }: Ports): string => `
# No growing delay for an address that failed before: the tests fail often, and on purpose.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service pop3-login {
  inet_listener pop3 {
    port = ${pop3}
  }
  inet_listener pop3s {
    port = ${pop3s}
    ssl = yes
  }
}
service imap-login {
  inet_listener imap {
    port = ${imap}
  }
  inet_listener imaps {
    port = ${imaps}
    ssl = yes
  }
}
`;

const setting = (name: string, value: string | null): string =>
  value === null ? '' : `${name} = ${value}\n`;

const usesTls = ({ imaps }: Ports): boolean => imaps !== 0;

const language23 = ({
  base,
  ports,
  usernameChars,
  elements,
  instance,
  logPath,
}: Choices): string => `
protocols = imap pop3
listen = 127.0.0.1, ::1
base_dir = ${base}/run
state_dir = ${base}/state
syslog_facility = mail
${setting('log_path', logPath)}ssl = ${usesTls(ports) ? `yes\nssl_cert = <${base}/cert.pem\nssl_key = <${base}/key.pem` : 'no'}
disable_plaintext_auth = no
auth_failure_delay = 0
# As much as it can log.
auth_verbose = yes
imap_id_log = *
mail_location = maildir:~/Maildir
first_valid_uid = 1
${usernameChars === null ? '' : 'auth_username_format = %u\n'}${setting('auth_username_chars', usernameChars)}
${setting('login_log_format_elements', elements)}${setting('instance_name', instance)}
passdb {
  driver = passwd-file
  args = scheme=PLAIN ${base}/users
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${base}/home/%u
}
${services(ports)}`;

/** The variables of one letter that have other names in 2.4. */
const VARIABLES: Readonly<Record<string, string>> = {
  u: 'user',
  m: 'mechanism',
  r: 'remote_ip',
  l: 'local_ip',
  e: 'mail_pid',
  c: 'secured',
  a: 'local_port',
  b: 'remote_port',
};

const renamed = (elements: string): string =>
  elements.replace(/%([a-z])/g, (_, letter: string) => `%{${VARIABLES[letter] ?? letter}}`);

const language24 = ({
  base,
  ports,
  usernameChars,
  elements,
  instance,
  logPath,
}: Choices): string => `
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = imap pop3
listen = 127.0.0.1, ::1
base_dir = ${base}/run
state_dir = ${base}/state
syslog_facility = mail
${setting('log_path', logPath)}ssl = ${usesTls(ports) ? `yes\nssl_server_cert_file = ${base}/cert.pem\nssl_server_key_file = ${base}/key.pem` : 'no'}
auth_allow_cleartext = yes
auth_failure_delay = 0
# As much as it can log.
auth_verbose = yes
mail_driver = maildir
mail_path = ~/Maildir
first_valid_uid = 1
${usernameChars === null ? '' : 'auth_username_format = %{user}\n'}${setting('auth_username_chars', usernameChars)}
${setting('login_log_format_elements', elements === null ? null : renamed(elements))}${setting('instance_name', instance)}
passdb passwd-file {
  default_password_scheme = plain
  passwd_file_path = ${base}/users
}
userdb static {
  fields {
    uid = mail
    gid = mail
    home = ${base}/home/%{user}
  }
}
${services(ports)}`;

/** @param version as `dovecot --version` prints it */
export const configurationOf = (version: string, choices: Choices): string =>
  (version.startsWith('2.3.') ? language23 : language24)(choices).trimStart();
