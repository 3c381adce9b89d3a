import { expect, test } from 'vitest';
import { freePort, mqttClient, paramsOf, tokenOf } from '../../../tests/support/mqtt.ts';
import { encodePayload } from './sparkplug-codec.ts';
import { connectionTo, never, point } from './testing.ts';

const host = '127.0.0.1';
const patience = { timeout: 10_000 };

test('a device whose driver was closed is let in no more, and may be configured anew on the same connection', async () => {
  const port = await freePort();
  const connection = connectionTo({ port, timeoutMs: 50 });
  const options = { host, port, username: 'gate', password: tokenOf('gate') };
  try {
    const first = connection.device(paramsOf('gate'));
    await first.connect(never()).catch(() => undefined);
    const device = await mqttClient(options);
    expect(() => connection.device(paramsOf('gate'))).toThrow('username gate is there twice');
    await first.close();
    await expect.poll(() => device.connected, patience).toBe(false);
    await expect(mqttClient(options)).rejects.toMatchObject({ code: 4 });

    const second = connection.device({ ...paramsOf('gate'), words: { AUF: 1 } });
    const again = await mqttClient(options);
    await again.publishAsync('devices/gate/barrier', 'Auf', { qos: 1 });
    const read = async (): Promise<unknown> => (await second.read([point('barrier')], never()))[0]?.value;
    await expect.poll(() => read().catch(String), patience).toBe(1);
    await expect(first.connect(never())).rejects.toMatchObject({
      message: 'another device has taken its place',
    });
    await again.endAsync(true);
  } finally {
    await connection.close();
  }
});

test('a Sparkplug node logs in once for all its devices, tells under its own topics, and gets commands', async () => {
  const port = await freePort();
  const connection = connectionTo({ port, timeoutMs: 50 });
  try {
    const given = { ...paramsOf('edge'), confirmMs: 5_000 };
    const [node, meter] = [undefined, 'meter'].map((device) =>
      connection.device({ ...given, sparkplug: { group: 'site', node: 'edge', ...(device && { device }) } }),
    ) as [ReturnType<typeof connection.device>, ReturnType<typeof connection.device>];
    await node.connect(never()).catch(() => undefined);
    const client = await mqttClient({ host, port, username: 'edge', password: tokenOf('edge') });
    await client.subscribeAsync(['spBv1.0/site/NCMD/edge', 'spBv1.0/site/DCMD/edge/#'], { qos: 1 });
    await expect(client.subscribeAsync('spBv1.0/#')).rejects.toThrow();
    const tell = (type: string, payload: Parameters<typeof encodePayload>[0]): void =>
      void client.publish(`spBv1.0/site/${type}`, Buffer.from(encodePayload(payload)));
    const limit = { name: 'Limit', alias: 1n, datatype: 3 };
    client.on('message', (topic) => {
      if (topic.endsWith('/meter'))
        tell('DDATA/edge/meter', { seq: 2, metrics: [{ alias: 1n, value: 40n }] });
      else if (topic.includes('NCMD'))
        tell('NBIRTH/edge', { seq: 0, metrics: [{ name: 'cpu', datatype: 9, value: 1.5 }] });
    });
    tell('NDATA/edge', { seq: 9, metrics: [] }); // Data before birth: it is asked for that.
    const read = (driver: typeof node, address: string): Promise<unknown> =>
      driver.read([point(address)], never()).then(([one]) => one?.value, String);
    await expect.poll(() => read(node, 'cpu'), patience).toBe(1.5);
    tell('DBIRTH/edge/meter', { seq: 1, metrics: [{ ...limit, value: -3n }] });
    await expect.poll(() => read(meter, 'Limit'), patience).toBe(-3);
    const written = await meter.write!({ ref: point('Limit'), value: 40 }, never());
    expect(written).toMatchObject({ state: 'done', readBack: 40 });
    await expect(meter.write!({ ref: point('Limit'), value: 0.5 }, never())).rejects.toMatchObject({
      code: 'config',
    });
    await client.endAsync(true);
  } finally {
    await connection.close();
  }
});
