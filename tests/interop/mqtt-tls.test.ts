// MQTT over TLS: mosquitto's client at our broker, and our client at mosquitto.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { paramsOf, tokenOf } from '../support/mqtt.ts';
import {
  createMosquittoBench,
  describeWithMosquitto,
  type MosquittoBench,
  never,
  patience,
  point,
  read,
} from './mosquitto.ts';

/** A certificate for this machine that nobody else signed. */
function makeCertificate(cert: string, key: string): void {
  const how =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost';
  execFileSync('openssl', [...how.split(' '), '-keyout', key, '-out', cert], {
    stdio: ['ignore', 'ignore', 'pipe'],
    // Not with what other libraries in this process set for an openssl of theirs.
    env: { PATH: process.env['PATH'] },
  });
}

describeWithMosquitto('mosquitto over TLS', () => {
  let bench: MosquittoBench;
  let cert: string;
  let key: string;

  beforeEach(async () => {
    bench = await createMosquittoBench();
    [cert, key] = [join(bench.folder, 'cert.pem'), join(bench.folder, 'key.pem')];
    makeCertificate(cert, key);
  });
  afterEach(() => bench.end());

  test('its client at our broker: encrypted, and not in the clear', async () => {
    const { connection } = bench.open({ port: bench.port, tls: { certFile: cert, keyFile: key } });
    const gate = connection.device(paramsOf('gate'));
    await gate.connect(never).catch(() => undefined);
    const login = `-V mqttv311 -u gate -P ${tokenOf('gate')}`;
    const telling = `${login} -t devices/gate/state -q 1 -m 7`;
    expect((await bench.run('mosquitto_pub', `${telling} --cafile ${cert}`)).code).toBe(0);
    expect((await bench.run('mosquitto_pub', telling)).code).not.toBe(0);
    bench.keep('mosquitto_sub', `${login} -t devices/gate/cmd --cafile ${cert}`);
    await expect.poll(() => read(gate, 'state'), patience).toBe(7);
  });

  test('our client at its broker, which it must know', async () => {
    await bench.startBroker(`certfile ${cert}`, `keyfile ${key}`, 'allow_anonymous true');
    const params = { mode: 'client', url: `mqtts://localhost:${bench.port}` };
    const trusted = bench.open({ ...params, clientId: 'gateway', caFile: cert, timeoutMs: 500 });
    const device = trusted.connection.device({ topic: 'plant/pump' });
    await bench.run('mosquitto_pub', `--cafile ${cert} -t plant/pump/rpm -m 1450 -r`);
    await expect.poll(() => read(device, 'rpm'), patience).toBe(1450);
    const stranger = bench.open({ ...params, clientId: 'other', timeoutMs: 1_500 });
    const message = await stranger.connection
      .device({ topic: 'x' })
      .read([point('a')], never)
      .catch(String);
    expect(message).toMatch(/self-signed|unable to verify/);
  });
});
