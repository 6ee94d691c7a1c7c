import { after, before, describe, test } from 'node:test';
import { type Expected, good, Installation } from './doctor-world.ts';
import { requirePrograms } from './programs.ts';
import { Rig } from './rig.ts';

const skip = requirePrograms(['postconf', 'postmap'], { root: true });

describe('doctor', { skip }, () => {
  const rig = new Rig();
  let installation: Installation;

  before(async () => {
    ({ installation } = await Installation.make(rig));
  });
  after(() => rig.close());

  describe('main.cf and master.cf', () => {
    const relay = (list: string): string => `smtpd_relay_restrictions = ${list}`;
    const table: readonly {
      readonly name: string;
      readonly mainCf: (map: string) => string;
      readonly masterCf?: string;
      readonly expected: readonly Expected[];
    }[] = [
      {
        name: 'the map behind reject_unauth_destination',
        mainCf: spec =>
          relay(`permit_mynetworks, reject_unauth_destination, check_client_access ${spec}`),
        expected: [['restrictions', 'error', /refuses its addresses before lmdb:/]],
      },
      {
        name: 'no map',
        mainCf: () => relay('permit_mynetworks, reject_unauth_destination'),
        expected: [['restrictions', 'error', /does not name lmdb:/]],
      },
      {
        name: 'a map of another name',
        mainCf: spec =>
          relay(`permit_mynetworks, check_client_access ${spec}-old, reject_unauth_destination`),
        expected: [
          ['restrictions', 'error', /names lmdb:.*-old, and there is no /],
          ['restrictions', 'error', /does not name lmdb:.*it names lmdb:.*-old/],
        ],
      },
      {
        name: 'hash: instead of lmdb:',
        mainCf: spec =>
          relay(
            `permit_mynetworks, check_client_access ${spec.replace('lmdb', 'hash')}, reject_unauth_destination`,
          ),
        expected: [['restrictions', 'error', /names hash:.*but the map is lmdb:/]],
      },
      {
        name: 'a permit before the map',
        mainCf: spec =>
          relay(
            `permit_mynetworks, permit, check_client_access ${spec}, reject_unauth_destination`,
          ),
        expected: [['restrictions', 'error', /smtpd answers nobody.* behind permit/]],
      },
      {
        name: 'a table that permits everybody before the map',
        mainCf: spec =>
          relay(
            `check_client_access static:OK, check_client_access ${spec}, reject_unauth_destination`,
          ),
        expected: [['restrictions', 'error', /static:OK" in .* lets everybody/]],
      },
      {
        name: 'warn_if_reject before what refuses',
        mainCf: spec =>
          relay(
            `permit_mynetworks, check_client_access ${spec}, warn_if_reject reject_unauth_destination`,
          ),
        expected: [['restrictions', 'error', /smtpd answers nobody.* behind warn_if_reject/]],
      },
      {
        name: 'warn_if_reject before the map',
        mainCf: spec =>
          relay(
            `permit_mynetworks, warn_if_reject check_client_access ${spec}, reject_unauth_destination`,
          ),
        expected: [['restrictions', 'warning', /warn_if_reject stands before the map/]],
      },
      {
        name: 'a second list that refuses',
        mainCf: spec =>
          `${good(spec)}\nsmtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination`,
        expected: [['restrictions', 'error', /in smtpd_recipient_restrictions, where it is not/]],
      },
      {
        name: 'the map asked for recipients',
        mainCf: spec => relay(`permit_mynetworks, ${spec}, reject_unauth_destination`),
        expected: [['restrictions', 'error', /asks lmdb:.* for the recipient/]],
      },
      {
        name: 'a service of master.cf that overrides it all',
        mainCf: good,
        masterCf:
          'smtp inet n - n - - smtpd\n  -o smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination\n',
        expected: [['restrictions', 'error', /^master\.cf for smtp\/inet does not name lmdb:/]],
      },
      {
        name: 'port 25 that overrides it, while another port does not',
        mainCf: good,
        masterCf:
          'smtp inet n - n - - smtpd\n  -o { smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination }\n' +
          'submission inet n - n - - smtpd\n',
        expected: [
          ['restrictions', 'warning', /master\.cf for smtp\/inet: restrictions of its own/],
        ],
      },
      {
        name: 'a port for a filter, which is as it should be',
        mainCf: good,
        masterCf:
          'smtp inet n - n - - smtpd\n127.0.0.1:10025 inet n - n - - smtpd\n' +
          '  -o smtpd_client_restrictions=permit_mynetworks,reject\n',
        expected: [],
      },
      {
        name: 'a submission port for SMTP AUTH only, which is as it should be',
        mainCf: good,
        masterCf:
          'smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\n' +
          '  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n',
        expected: [],
      },
      {
        name: 'a restriction class that names the map, which is as good',
        mainCf: spec =>
          `smtpd_restriction_classes = pop\npop = check_client_access ${spec}\n` +
          relay('permit_mynetworks, pop, reject_unauth_destination'),
        expected: [],
      },
      {
        name: 'mynetworks = 0.0.0.0/0',
        mainCf: spec => `mynetworks = 127.0.0.0/8, 0.0.0.0/0\n${good(spec)}`,
        expected: [['mynetworks', 'error', /0\.0\.0\.0\/0/]],
      },
      {
        name: 'mynetworks of a service that is the world',
        mainCf: good,
        masterCf: 'smtp inet n - n - - smtpd\n  -o mynetworks=[::]/0\n',
        expected: [['mynetworks', 'error', /master\.cf for smtp\/inet: .*::\/0/]],
      },
      {
        name: 'a main.cf that Postfix cannot read',
        mainCf: () => 'smtpd_relay_restrictions permit',
        expected: [
          ['postfix', 'error', /missing '=' after attribute name/],
          ['lookup', 'skipped', /no Postfix that reads lmdb:.* can be asked/],
        ],
      },
    ];
    for (const { name, mainCf, masterCf, expected } of table) {
      test(name, async () => {
        await installation.assertFinds(
          { '--postfix-config': await installation.configure(mainCf(installation.map), masterCf) },
          ...expected,
        );
      });
    }
  });
});
