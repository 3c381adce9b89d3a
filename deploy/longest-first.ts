import { join, relative, sep } from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * How long files take that take long, s, where nothing else runs. Vitest knows it only where it has run before, and begins with
 * the largest files elsewhere; then all but one worker wait at the end for a small file that takes long.
 */
export const seconds: Readonly<Record<string, number>> = {
  'tests/e2e/scenarios.e2e.test.ts': 230,
  'tests/e2e/chain.e2e.test.ts': 150,
  'tests/e2e/start.e2e.test.ts': 120,
  'tests/e2e/start-parks.e2e.test.ts': 75,
  'tests/e2e/deadbands.e2e.test.ts': 55,
  'tests/e2e/provisioning.e2e.test.ts': 45,
  'tests/e2e/bundle.e2e.test.ts': 21,
  'tests/browser/looks-zh.test.ts': 80,
  'tests/browser/looks-en.test.ts': 75,
  'tests/browser/portal.test.ts': 60,
  'tests/browser/roles.test.ts': 50,
  'tests/browser/sign-in.test.ts': 30,
  'tests/browser/things.test.ts': 26,
  'cloud/src/worker.int.test.ts': 81,
  'cloud/src/telemetry/ingest.int.test.ts': 50,
  'edge/src/agent.int.test.ts': 30,
  'cloud/src/access.int.test.ts': 24,
  'cloud/src/main.int.test.ts': 17,
  'protocols/opcua/src/subscription.test.ts': 31,
  'protocols/bacnet/src/driver.test.ts': 20,
  'protocols/bacnet/src/cov.test.ts': 18,
  'cloud/src/cli/billing.test.ts': 17,
  'edge/src/history.test.ts': 14,
  'protocols/mqtt/src/client.test.ts': 14,
  'protocols/mqtt/src/conformance.test.ts': 13,
  'firmware-sim/src/main.test.ts': 11,
};

/** What orders files; in the tests of this repository every project runs by it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return longestFirst(await super.sort(files));
  }
}

interface Spec {
  readonly moduleId: string;
  readonly project: { readonly name: string };
}

/** @param files In the usual order, which stays as it is among files that take no time worth mentioning; projects stay one after another. */
export function longestFirst<T extends Spec>(files: readonly T[]): T[] {
  const projects = [...new Set(files.map(({ project }) => project.name))];
  return projects.flatMap((name) =>
    files.filter(({ project }) => project.name === name).toSorted((a, b) => lasts(b) - lasts(a)),
  );
}

const root = join(import.meta.dirname, '..');
const lasts = ({ moduleId }: Spec): number => seconds[relative(root, moduleId).replaceAll(sep, '/')] ?? 0;
