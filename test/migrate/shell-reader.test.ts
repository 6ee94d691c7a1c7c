import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type PathKind, readStarts } from '../../src/migrate/shell-reader.ts';

const FILES: Readonly<Record<string, PathKind>> = {
  '/etc/pop-before-smtp-conf.pl': 'file',
  '/var/run': 'directory',
  '/var/log/mail.log': 'file',
};

/** What the starts have behind the program; null for what cannot be known. */
const starts = (text: string, files = FILES): (string | null)[][] =>
  readStarts(text, 'pop-before-smtp', path => files[path] ?? null).map(({ words }) =>
    words.map(({ value }) => value),
  );

/** The script that comes with the program, in its parts that count. */
const SHIPPED = `#!/bin/sh
# pop-before-smtp daemon
progname=pop-before-smtp
pgm=/usr/sbin/$progname
pid=/var/adm/$progname.pid
test -d /var/run && pid=/var/run/$progname.pid

if test -f /etc/$progname-conf.pl; then
	# If there is a config file, let it do its job.
	:
else
	db=/etc/postfix/pop-before-smtp
	#dbfile=--dbfile=$db
	mail=/var/log/maillog
	test -f $mail || mail=/var/log/mail.log
	test -f $mail || mail=/var/log/messages
	watchlog=--watchlog=$mail
	logto=--logto=/var/log/$progname
fi

die(){ echo "$progname: $*">&2; exit 1; }

case "$1" in
start)
	echo -n "Starting $progname: "
	$pgm $dbfile $watchlog $logto --daemon=$pid
	if test $? -eq 0; then
		echo done
	fi
	;;
stop)
	p=\`cat $pid 2>/dev/null\`; test -n "$p" && ( kill $p || exit 0 )
	;;
esac
`;

describe('the shipped script', () => {
  test('leaves it to the configuration where there is one', () => {
    assert.deepEqual(starts(SHIPPED), [['--daemon=/var/run/pop-before-smtp.pid']]);
  });

  test('says itself where things are, where there is none', () => {
    const files = { '/var/run': 'directory', '/var/log/mail.log': 'file' } as const;
    assert.deepEqual(starts(SHIPPED, files), [
      [
        '--watchlog=/var/log/mail.log',
        '--logto=/var/log/pop-before-smtp',
        '--daemon=/var/run/pop-before-smtp.pid',
      ],
    ]);
  });
});

describe('ways to start it', () => {
  const table: readonly (readonly [string, (string | null)[][]])[] = [
    ['/usr/sbin/pop-before-smtp --noflock >/dev/null 2>&1 & echo $! >$pid', [['--noflock']]],
    ['nohup pop-before-smtp --grace=60 &', [['--grace=60']]],
    ['daemon /usr/sbin/pop-before-smtp $OPTIONS', [[]]],
    [
      'start-stop-daemon --start --quiet --exec /usr/sbin/pop-before-smtp -- --grace 900 "--logto=/a b"',
      [['--grace', '900', '--logto=/a b']],
    ],
    ['start-stop-daemon --stop --exec /usr/sbin/pop-before-smtp', []],
    ['killall pop-before-smtp', []],
    ['echo pop-before-smtp', []],
    ['start) /usr/sbin/pop-before-smtp --debug ;;', [['--debug']]],
    [
      'OPTS="--grace=60 --noflock"\npop-before-smtp $OPTS \\\n  --reprocess',
      [['--grace=60', '--noflock', '--reprocess']],
    ],
    [`A='--grace=60'\npop-before-smtp \${A}`, [['--grace=60']]],
    ['/usr/bin/perl -T /usr/sbin/pop-before-smtp --grace=60', [['--grace=60']]],
    ['/usr/bin/nohup /usr/sbin/pop-before-smtp --grace=60 &', [['--grace=60']]],
    [
      '[Service]\nExecStart=-/usr/sbin/pop-before-smtp --daemon=/run/p.pid\n',
      [['--daemon=/run/p.pid']],
    ],
  ];
  for (const [text, expected] of table)
    test(JSON.stringify(text), () => assert.deepEqual(starts(text), expected));
});

describe('a unit of systemd', () => {
  const unit = (text: string): (string | null)[][] => starts(`[Service]\n${text}\n`);
  const table: readonly (readonly [string, (string | null)[][]])[] = [
    ['ExecStart=/usr/bin/perl /usr/sbin/pop-before-smtp --noflock', [['--noflock']]],
    // Quotes are taken away, and are no part of a value.
    [
      `ExecStart=/usr/sbin/pop-before-smtp --watchlog="/var/log/a b" '--logto=/c d'`,
      [['--watchlog=/var/log/a b', '--logto=/c d']],
    ],
    // What continues a line belongs to it, comments between do not.
    [
      'ExecStart=/usr/sbin/pop-before-smtp --a \\\n# --b\n  --grace=60 \\\n  --c',
      [['--a', '--grace=60', '--c']],
    ],
    [
      'ExecStart=/usr/sbin/pop-before-smtp --grace=$G $OPTS %i "a\\x20b"',
      [[null, null, null, null]],
    ],
    ['ExecStartPre=/usr/sbin/pop-before-smtp --a', []],
    [`ExecStart=/bin/sh -c 'pop-before-smtp --a'`, []],
  ];
  for (const [text, expected] of table)
    test(JSON.stringify(text), () => assert.deepEqual(unit(text), expected));

  test('its line is that of ExecStart', () => {
    const [start] = readStarts(
      '[Service]\n\nExecStart=pop-before-smtp\n',
      'pop-before-smtp',
      () => null,
    );
    assert.equal(start?.line, 3);
  });
});

describe('what cannot be known is not guessed', () => {
  const table: readonly (readonly [string, (string | null)[][]])[] = [
    ['pop-before-smtp --dbfile=$(cat /x)', [[null]]],
    ['pop-before-smtp --dbfile=`cat /x`', [[null]]],
    ['pop-before-smtp --grace=$1', [[null]]],
    [`pop-before-smtp --grace=\${G:-60}`, [[null]]],
    ['. /etc/default/pop-before-smtp\npop-before-smtp $OTHER', [[null]]],
    ['G=60\nif is_yes x; then\n  G=90\nfi\npop-before-smtp --grace=$G', [[null]]],
    ['G=60\nif is_yes x; then\n  :\nelse\n  G=90\nfi\npop-before-smtp --grace=$G', [[null]]],
    ['G=60\nis_yes x && G=90\npop-before-smtp --grace=$G', [[null]]],
    ['for x in 1 2; do\n  G=$x\ndone\npop-before-smtp --grace=$G', [[null]]],
    // Known: the branch is not taken.
    ['G=60\nif [ -f /none ]; then\n  G=90\nfi\npop-before-smtp --grace=$G', [['--grace=60']]],
    ['G=60\n[ ! -f /none ] && G=90\npop-before-smtp --grace=$G', [['--grace=90']]],
    [
      'if [ -f /none ]; then\n  pop-before-smtp --a\nelif [ -d /var/run ]; then\n  pop-before-smtp --b\nelse\n  pop-before-smtp --c\nfi',
      [['--b']],
    ],
  ];
  for (const [text, expected] of table)
    test(JSON.stringify(text), () => assert.deepEqual(starts(text), expected));
});
