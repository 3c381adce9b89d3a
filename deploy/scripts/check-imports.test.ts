import { describe, expect, test } from 'vitest';
import { fault, pathsByHand, specifiers } from './check-imports.mjs';

describe('import directions', () => {
  test.each([
    ['a driver may not know another', 'protocols/modbus/src/a.ts', '@parkline/bacnet', 'protocols/bacnet'],
    ['the cloud may not know the kit', 'cloud/src/telemetry/a.ts', '@parkline/kit', 'protocols/kit'],
    ['the simulator shares nothing', 'firmware-sim/src/a.ts', '@parkline/templates', 'protocols/templates'],
    ['edge may not know the cloud', 'edge/src/a.ts', '../../cloud/src/main.ts', 'cloud/src/main.ts'],
    ['the contract knows nobody', 'protocols/contract/src/a.ts', '@parkline/kit', 'protocols/kit'],
    [
      'packages go by name',
      'edge/src/a.ts',
      '../../protocols/kit/src/index.ts',
      'protocols/kit/src/index.ts',
    ],
    [
      'a lower slice may not know a higher',
      'cloud/src/places/a.ts',
      '../billing/index.ts',
      'cloud/src/billing/index.ts',
    ],
    ['slices meet at index.ts', 'cloud/src/billing/a.ts', '../metering/vee.ts', 'cloud/src/metering/vee.ts'],
    ['platform knows no slice', 'cloud/src/platform/a.ts', '../places/index.ts', 'cloud/src/places/index.ts'],
    [
      'areas do not share',
      'dashboards/src/routes/engineer/a.ts',
      '../tenant/b.ts',
      'dashboards/src/routes/tenant/b.ts',
    ],
    [
      'lib/ui never fetches',
      'dashboards/src/lib/ui/a.svelte',
      '#lib/api/client.ts',
      'dashboards/src/lib/api/client.ts',
    ],
    [
      'production code may not use test support',
      'edge/src/a.ts',
      '../../tests/support/nats.ts',
      'tests/support/nats.ts',
    ],
  ])('%s', (_rule, from, spec, to) => {
    expect(fault(from, spec, to)).toBeTypeOf('string');
  });

  test.each([
    ['a driver uses the kit', 'protocols/modbus/src/a.ts', '@parkline/kit', 'protocols/kit'],
    ['edge uses a driver', 'edge/src/a.ts', '@parkline/modbus', 'protocols/modbus'],
    [
      'what arranges a test uses test support',
      'cloud/src/testing-people.ts',
      '../../tests/support/mail.ts',
      'tests/support/mail.ts',
    ],
    ['a slice uses the platform', 'cloud/src/billing/a.ts', '../platform/db.ts', 'cloud/src/platform/db.ts'],
    [
      'a slice uses a lower one',
      'cloud/src/billing/a.ts',
      '../metering/index.ts',
      'cloud/src/metering/index.ts',
    ],
    [
      'a test uses test support',
      'edge/src/a.int.test.ts',
      '../../tests/support/nats.ts',
      'tests/support/nats.ts',
    ],
  ])('%s', (_rule, from, spec, to) => {
    expect(fault(from, spec, to)).toBeUndefined();
  });

  test('finds every way to import', () => {
    const source = `import a from 'a';\nimport 'b';\nexport * from "c";\nconst d = await import('d');\nimport {\n  e,\n} from 'e';`;
    expect(specifiers(source).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

describe('paths of the API', () => {
  test.each([
    ['in the functions of the portal', 'dashboards/src/lib/api/work.ts', "call('/api/faults')"],
    ['in a link', 'dashboards/src/routes/a.svelte', '<a href="/api/exports/{kind}.csv">'],
    ['in a template', 'dashboards/src/lib/a.ts', 'open(`/api/live${query}`)'],
    ['behind an address', 'cloud/src/cli/a.ts', 'fetch(`${url}/api/login`)'],
    ['on the gateway', 'edge/src/identity/a.ts', "cloud.post('/api/claims', {})"],
  ])('are not written by hand %s', (_where, from, source) => {
    expect(pathsByHand(from, source)).toHaveLength(1);
  });

  test.each([
    [
      'an import',
      'dashboards/src/lib/a.ts',
      "import { getApi } from '#lib/api/client.ts'; import '../api/b.ts';",
    ],
    ['a test', 'dashboards/src/lib/a.test.ts', "expect(url).toBe('/api/live')"],
    ['the server', 'cloud/src/fleet/routes.ts', "app.get('/api/points')"],
    ['a name', 'cloud/src/cli/a.ts', "ask('getFault', { path: { id } })"],
  ])('%s is none', (_what, from, source) => {
    expect(pathsByHand(from, source)).toEqual([]);
  });
});
