import { expect, test } from 'vitest';
import { addressOf, nodeIdOf, parseAddress, rootNodeId } from './address.ts';

const lift = { root: 'Lift1', namespaceUri: 'urn:maker' };
const namespaces = ['http://opcfoundation.org/UA/', 'urn:server', 'urn:maker'];

test.each([
  ['Position', 'ns=2;s=Lift1.Position'],
  ['Door.State', 'ns=2;s=Lift1.Door.State'],
  ['ns=1;s=Line.Flow', 'ns=1;s=Line.Flow'],
  ['nsu=urn:maker;i=1001', 'ns=2;i=1001'],
  ['i=2258', 'ns=0;i=2258'],
  ['ns=2;g=09087e75-8e5e-499b-954f-f2a9603db28a', 'ns=2;g=09087e75-8e5e-499b-954f-f2a9603db28a'],
  ['ns=2;s=with=sign;and semicolon', 'ns=2;s=with=sign;and semicolon'],
] as const)('finds %s', (text, nodeId) => {
  expect(nodeIdOf(parseAddress(text), lift, namespaces)).toBe(nodeId);
});

test('the index of a namespace is looked up, for a server may count them anew', () => {
  expect(nodeIdOf(parseAddress('Position'), lift, ['ua', 'urn:maker'])).toBe('ns=1;s=Lift1.Position');
  expect(nodeIdOf(parseAddress('Position'), lift, ['ua'])).toBeUndefined();
  expect(rootNodeId(lift, namespaces)).toBe('ns=2;s=Lift1');
});

test.each([
  ['', "nothing in address ''"],
  ['ns=2', 'no node id'],
  ['ns=2;Position', 'no node id'],
  ['nsu=urn:maker', 'no node id'],
  ['ns=70000;i=1', "'70000' is not a namespace index"],
  ['i=abc', "'abc' is not a number"],
  ['i=4294967296', "'4294967296' is not a number"],
  ['ns=2;g=1234', "'1234' is not a GUID"],
] as const)('refuses %s and says why', (text, why) => {
  expect(() => parseAddress(text)).toThrow(
    expect.objectContaining({ code: 'config', message: expect.stringContaining(why) as string }),
  );
});

test.each([
  [{ namespace: 2, id: 's=Lift1.Position' }, 'Position'],
  [{ namespace: 2, id: 's=Lift10.Position' }, 'nsu=urn:maker;s=Lift10.Position'],
  [{ namespace: 2, id: 's=Lift1.s=odd' }, 'nsu=urn:maker;s=Lift1.s=odd'],
  [{ namespace: 1, id: 's=Lift1.Position' }, 'nsu=urn:server;s=Lift1.Position'],
  [{ namespace: 7, id: 'i=5' }, 'ns=7;i=5'],
] as const)('an address that browsing gave leads back to the node: %o', (node, address) => {
  expect(addressOf(node, lift, namespaces)).toBe(address);
  expect(nodeIdOf(parseAddress(address), lift, namespaces)).toBe(`ns=${node.namespace};${node.id}`);
});
