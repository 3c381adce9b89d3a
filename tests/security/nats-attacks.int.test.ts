import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { run } from '../../deploy/local/machine.ts';
import { isAtLeast } from '../../deploy/local/nats-server.ts';
import { natsAttacks } from './nats-attacks.ts';
import { openStage, type Stage } from './nats-stage.ts';

const { stdout } = await run(inject('natsServer'), ['--version']);
/** Older servers are for development on one machine alone. */
const isForProduction = isAtLeast(/v(\d+\.\d+\.\d+)/.exec(stdout)?.[1] ?? '0', '2.14.0');

// Every attempt on the nats-server that ships, with the configuration of deploy/nats and the users of the park.
describe.skipIf(!isForProduction)('a gateway that was taken over', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage.close());

  test.each(natsAttacks.map((one) => [one.attack, one] as const))(
    '%s',
    async (_name, { run: tryIt, expected }) => {
      stage.heard.length = 0;
      expect(await tryIt(stage)).toBe(expected);
    },
  );
});
