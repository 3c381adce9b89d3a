import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { natsAttacks } from './nats-attacks.ts';
import { openStage, type Stage } from './nats-stage.ts';

// Every attempt on the nats-server that ships, with the configuration of deploy/nats and the users of the park.
describe('a gateway that was taken over', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await openStage();
  });
  afterAll(() => stage.close());

  test.each(natsAttacks.map((one) => [one.attack, one] as const))('%s', async (_name, { run, expected }) => {
    stage.heard.length = 0;
    expect(await run(stage)).toBe(expected);
  });
});
