import { defineConfig } from 'vitest/config';
import { LongestFirst } from './deploy/longest-first.ts';

const homes = '{protocols/*,edge,cloud,firmware-sim,deploy,bin}';
const services = ['tests/support/services.ts'];
const integration = [`${homes}/**/*.int.test.ts`];
const onReadings = [
  'cloud/src/{telemetry,metering,billing,faults,commissioning}/**/*.int.test.ts',
  'cloud/src/platform/{migrate,policies}.int.test.ts',
  'cloud/src/cli/{cli,readings,plain-owner}.int.test.ts',
  'cloud/src/{main,tenant-sight,building-sight}.int.test.ts',
  'edge/src/agent.int.test.ts',
];

// The portal's unit tests have a configuration of their own (dashboards/): Kit takes its working folder for the project.
export default defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: [`${homes}/**/*.test.ts`, 'tests/interop/**/*.test.ts'],
          exclude: ['**/node_modules/**', '**/*.int.test.ts'],
          // A worker keeps what it loaded for its next file: most of these files take less time than a process takes to start.
          isolate: false,
          // Some start processes; a busy machine takes its time.
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'int',
          // Loading the cloud costs more than most of these files: a worker keeps it for the next. What belongs to a file, it makes
          // and closes itself: its database, its server, its processes.
          isolate: false,
          // The attacks ask nothing of the database: once is enough.
          include: [...integration, 'tests/security/**/*.int.test.ts'],
          globalSetup: services,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        // Again where readings lie in PostgreSQL's own partitions: whatever writes, reads or drops them, and the schema itself.
        test: {
          name: 'int-native',
          isolate: false,
          include: process.env['NATIVE_ALL'] === '1' ? integration : onReadings,
          globalSetup: services,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup: services,
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Long; not part of `npm test` but of `npm run test:chaos`.
        test: {
          name: 'chaos',
          include: ['tests/chaos/**/*.test.ts'],
          globalSetup: services,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        // The attempts to break in: `npm run test:security`, with a table at the end.
        test: {
          name: 'security',
          include: ['tests/security/**/*.security.test.ts'],
          globalSetup: services,
          testTimeout: 300_000,
          hookTimeout: 180_000,
        },
      },
      {
        test: {
          name: 'browser',
          include: ['tests/browser/**/*.test.ts'],
          globalSetup: ['tests/support/demo-park.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
