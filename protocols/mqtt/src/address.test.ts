import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress, parseAddress } from './address.ts';

describe('an address', () => {
  test.each([
    ['state:/open', 'state', ['open']],
    ['state:/count/in', 'state', ['count', 'in']],
    ['meter/l1:/values/0', 'meter/l1', ['values', '0']],
    ['power', 'power', []],
    ['power:', 'power', []],
    ['state:/a~1b/c~0d', 'state', ['a/b', 'c~d']],
    ['state:/with:colon', 'state', ['with:colon']],
    ['state:/', 'state', ['']],
    ['state:/~01', 'state', ['~1']],
    ['漏水:/值', '漏水', ['值']],
  ])('%s', (text, subtopic, path) => {
    expect(parseAddress(text)).toEqual({ subtopic, path });
  });

  test.each([
    ['', /'' is not a topic/],
    [':/open', /'' is not a topic/],
    ['state/#:/open', /'state\/#' is not a topic/],
    ['+:/open', /'\+' is not a topic/],
    ['/state:/open', /'\/state' is not a topic/],
    ['state//x', /is not a topic/],
    ['state\n', /is not a topic/],
    ['state:open', /'open' does not begin with \//],
    ['state:/a~2', /~ is written ~0/],
    ['state:/a~', /~ is written ~0/],
    [`${'x'.repeat(201)}`, /is not a topic/],
  ])('%j is refused with the reason', (text, why) => {
    expect(() => parseAddress(text)).toThrow(why);
  });

  test('of a point that can be written names its command', () => {
    expect(parseAddress('state:/open -> cmd/barrier:/open')).toEqual({
      ...{ subtopic: 'state', path: ['open'] },
      command: { subtopic: 'cmd/barrier', path: ['open'] },
    });
    expect(() => parseAddress('state -> cmd -> cmd')).toThrow(/more than one ->/);
    expect(() => parseAddress('state -> cmd/#')).toThrow(/'cmd\/#' is not a topic/);
  });

  test('is written as it is read', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (path) => {
        expect(parseAddress(formatAddress({ subtopic: 'state', path }))).toEqual({ subtopic: 'state', path });
      }),
    );
  });
});
