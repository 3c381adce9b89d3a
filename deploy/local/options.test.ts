import { describe, expect, test } from 'vitest';
import { readOptions, StartError } from './options.ts';

describe('readOptions', () => {
  test('starts the demo park on port 8080 in .parkline when nothing is said', () => {
    expect(readOptions([], {}, '/repo')).toEqual({
      home: '/repo/.parkline',
      port: 8080,
      host: '127.0.0.1',
      park: '/repo/firmware-sim/parks/demo.yaml',
      isParkNamed: false,
      neighbour: '/repo/firmware-sim/parks/riverside.yaml',
      historyMonths: 13,
      reportEvery: false,
      logServed: false,
      databaseUrl: undefined,
      natsUrl: undefined,
    });
  });

  test('--no-demo leaves the park empty', () => {
    expect(readOptions(['--no-demo'], { PORT: '0', PARKLINE_HOME: '/data' }, '/repo')).toMatchObject({
      park: undefined,
      isParkNamed: true,
      neighbour: undefined,
      port: 0,
      home: '/data',
    });
  });

  test('a park of one’s own has no neighbour, the demo park by its name has', () => {
    const neighbour = (park: string) => readOptions(['--park', park], {}, '/repo').neighbour;
    expect(neighbour('my.yaml')).toBeUndefined();
    expect(readOptions(['--park', 'my.yaml'], {}, '/repo').isParkNamed).toBe(true);
    expect(neighbour('firmware-sim/parks/demo.yaml')).toBe('/repo/firmware-sim/parks/riverside.yaml');
  });

  test.each([
    ['an unknown option', ['--demo'], {}, /--demo/],
    ['an empty park that is a simulated one', ['--no-demo', '--park', 'my.yaml'], {}, /name one of them/],
    ['a port that is none', [], { PORT: 'http' }, /PORT=http/],
    ['a port out of range', [], { PORT: '70000' }, /PORT=70000/],
    ['a database address of another kind', [], { DATABASE_URL: 'mysql://u:secret@h/d' }, /DATABASE_URL/],
    ['a message server address that is none', [], { NATS_URL: 'localhost' }, /NATS_URL/],
  ])('refuses %s and names it', (_what, args, env, named) => {
    expect(() => readOptions(args, env, '/repo')).toThrow(StartError);
    expect(() => readOptions(args, env, '/repo')).toThrow(named);
  });

  test('a refused address is not repeated, because it may hold a password', () => {
    expect(() => readOptions([], { DATABASE_URL: 'mysql://u:secret@h/d' }, '/repo')).not.toThrow(/secret/);
  });
});
