import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { describe, test } from 'node:test';
import { parseNetworkList } from '../../src/base/network.ts';
import { Classifier, loadClassifier } from '../../src/classifier/classifier.ts';
import { parseMynetworks } from '../../src/classifier/mynetworks-parser.ts';
import type { TableQuery } from '../../src/postfix/table-query.ts';
import { assertRejects } from '../failure.ts';
import { ip } from '../map/addresses.ts';

const noTables: TableQuery = table => assert.fail(`${table} was asked`);

function classifier(mynetworks: string, exclude: string, query = noTables): Classifier {
  const context = { origin: '--mynetworks', readText: () => '', warn: assert.fail };
  return new Classifier({
    mynetworks: parseMynetworks(mynetworks, context),
    exclude: parseNetworkList(exclude, '--exclude'),
    query,
    warn: assert.fail,
  });
}

const ignored = (reason: string): object => ({ kind: 'ignored', reason });
const IN_MYNETWORKS = { kind: 'ignored', reason: 'in mynetworks' };
const EXCLUDED = { kind: 'ignored', reason: 'excluded' };
const GRANTABLE = { kind: 'grantable' };

describe('the classifier', () => {
  const VERDICTS = [
    ['10.0.0.1', IN_MYNETWORKS],
    ['127.0.0.1', IN_MYNETWORKS],
    ['127.0.0.9', EXCLUDED],
    ['fe80::1', EXCLUDED],
    ['192.0.2.1', GRANTABLE],
    ['2001:db8::1', GRANTABLE],
  ] as const;

  for (const [address, verdict] of VERDICTS) {
    test(`${address}: ${Object.values(verdict).join(', ')}`, () => {
      const subject = classifier('10.0.0.0/8 127.0.0.1', '127.0.0.0/8 fe80::/10');
      assert.equal(subject.prepare([ip(address)]), null);
      assert.deepEqual(subject.classify(ip(address)), verdict);
    });
  }

  test('asks each table once a batch, and only for what the networks leave open', async () => {
    const asked: [string, readonly string[]][] = [];
    const query: TableQuery = async (table, keys) => {
      asked.push([table, keys]);
      return new Set(table === 'hash:/b' ? keys.slice(0, 1) : []);
    };
    const subject = classifier('10.0.0.0/8 hash:/a hash:/b', '127.0.0.0/8', query);
    assert.equal(subject.prepare([ip('10.0.0.1')]), null);
    const batch = ['192.0.2.1', '10.0.0.1', '192.0.2.2', '192.0.2.1', '127.0.0.1'].map(ip);
    await subject.prepare(batch);
    const open = ['192.0.2.1', '192.0.2.2', '127.0.0.1'];
    assert.deepEqual(asked, [
      ['hash:/a', open],
      ['hash:/b', open],
    ]);
    assert.deepEqual(
      batch.map(address => subject.classify(address)),
      [IN_MYNETWORKS, IN_MYNETWORKS, GRANTABLE, IN_MYNETWORKS, EXCLUDED],
    );
  });
});

describe('addresses whose row would let in others', () => {
  const context = { origin: '--mynetworks', readText: () => '', warn: assert.fail };
  const parts = {
    mynetworks: parseMynetworks('198.51.100.0/24', context),
    exclude: parseNetworkList('203.0.113.8', '--exclude'),
    query: noTables,
    warn: assert.fail,
  };
  const own = {
    own: new Set(['203.0.113.2', '203.0.113.8', '198.51.100.1', 'fd00::7'].map(ip)),
    gateways: new Set(['203.0.113.1', '2001:db8::1'].map(ip)),
  };

  for (const [address, reason] of [
    ['198.51.100.1', 'in mynetworks'],
    ['203.0.113.8', 'excluded'],
    ['203.0.113.2', 'own address'],
    ['fd00::7', 'own address'],
    ['203.0.113.1', 'gateway'],
    ['2001:db8::1', 'gateway'],
    ['fd00::5', 'opens other networks'],
  ] as const)
    test(`${address}: ${reason}`, () => {
      const subject = new Classifier({ ...parts, own: () => own });
      assert.deepEqual(subject.classify(ip(address)), ignored(reason));
    });

  test('may have one where whole addresses are looked up, and nobody looks for his own', () => {
    const subject = new Classifier({ ...parts, wholeAddresses: true });
    for (const address of ['fd00::5', '203.0.113.2', '2001:db8::1'])
      assert.deepEqual(subject.classify(ip(address)), GRANTABLE);
  });

  test("are the machine's as they are at the moment", () => {
    let now = own;
    const subject = new Classifier({ ...parts, own: () => now });
    now = { own: new Set([ip('203.0.113.77')]), gateways: new Set() };
    assert.deepEqual(subject.classify(ip('203.0.113.2')), GRANTABLE);
    assert.deepEqual(subject.classify(ip('203.0.113.77')), ignored('own address'));
  });
});

describe('loading a classifier', () => {
  const settings = {
    mynetworks: 'none',
    mynetworksOrigin: '--mynetworks',
    postfixConfig: null,
    exclude: 'none',
    excludeOrigin: '--exclude',
    warn: assert.fail,
  };

  test('asks nobody when the user gives both lists', async () => {
    const subject = await loadClassifier(settings);
    assert.deepEqual(subject.classify(ip('127.0.0.1')), GRANTABLE);
  });

  test("finds this machine's addresses, and no loopback, unless they may have grants", async () => {
    const addresses = Object.values(networkInterfaces()).flatMap(found => found ?? []);
    const [refusing, allowing] = await Promise.all(
      [true, false].map(refuseOwn =>
        loadClassifier({ ...settings, refuseOwn, wholeAddresses: true }),
      ),
    );
    for (const { address, internal } of addresses) {
      const verdict = internal ? GRANTABLE : ignored('own address');
      assert.deepEqual(refusing?.classify(ip(address)), verdict, address);
      assert.deepEqual(allowing?.classify(ip(address)), GRANTABLE, address);
    }
  });

  test('names the list that is wrong', async () => {
    const exclude = loadClassifier({ ...settings, exclude: '10/8' });
    await assertRejects(exclude, 'NETWORK_LIST', '--exclude: "10/8"');
    const mynetworks = loadClassifier({ ...settings, mynetworks: '10/8' });
    await assertRejects(mynetworks, 'MYNETWORKS_ENTRY', '--mynetworks: "10/8"');
  });
});
