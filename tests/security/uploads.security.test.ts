import { deflateRawSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, expect, test } from 'vitest';
import { clonedDatabase } from '../../cloud/src/platform/testing.ts';
import { serveApi } from '../../cloud/src/testing-api.ts';
import { givenFullAccount } from '../../cloud/src/testing.ts';
import { type Attack, tryAll } from './attempts.ts';

const database = await clonedDatabase();
const ours = await givenFullAccount(database.pool());
const { app, url } = await serveApi(database);
afterAll(() => app.close());

const photos = `/api/work-orders/${ours.ids['/api/work-orders']}/photos?kind=after`;
const plan = `/api/floors/${ours.ids['/api/floors']}/plan/image`;
const table = '/api/imports?kind=spaces&dryRun=true';
const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

const versionOfPlan = async (): Promise<string> =>
  (await fetch(url + plan.replace('/image', ''), { headers: ours.as.account_admin })).headers.get('etag') ??
  '"0"';

async function send(
  where: 'photo' | 'plan' | 'table',
  type: string,
  bytes: Uint8Array | string,
): Promise<{ status: number; text: string }> {
  const version = where === 'plan' ? await versionOfPlan() : '"0"';
  const reply = await fetch(url + { photo: photos, plan, table }[where], {
    method: where === 'plan' ? 'PUT' : 'POST',
    headers: {
      ...ours.as[where === 'photo' ? 'technician' : 'account_admin'],
      'content-type': type,
      'if-match': version,
    },
    body: typeof bytes === 'string' ? bytes : new Uint8Array(bytes),
  }).catch(() => undefined); // The server hangs up on what is far too large.
  return reply ? { status: reply.status, text: await reply.text() } : { status: 413, text: '' };
}

const refused = ({ status, text }: { status: number; text: string }): string =>
  status === 413 || status === 415 || status === 400 ? 'refused' : `${status} ${text.slice(0, 80)}`;

const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
  .png()
  .toBuffer();

/** A picture that says it is larger than anybody's memory. */
function hugePng(): Buffer {
  const bytes = Buffer.from(png);
  bytes.writeUInt32BE(60_000, 16);
  bytes.writeUInt32BE(60_000, 20);
  return bytes;
}

/** One file in a ZIP that unpacks to `size` bytes of spaces; a few kilobytes of it are sent. */
function zipBomb(size: number, said = size): Buffer {
  const name = Buffer.from('xl/worksheets/sheet1.xml');
  const packed = deflateRawSync(Buffer.alloc(size, ' '), { level: 9 });
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(20, 4);
  local.writeUInt16LE(8, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(said, 22);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(20, 4);
  central.writeUInt16LE(20, 6);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(said, 24);
  central.writeUInt16LE(name.length, 28);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length + packed.length, 16);
  return Buffer.concat([local, name, packed, central, name, end]);
}

const html = '<!doctype html><script>alert(1)</script>';
const attempt = (attack: string, ...what: Parameters<typeof send>): Attack => ({
  attack,
  expected: 'refused',
  run: async () => refused(await send(...what)),
});

const attacks: Attack[] = [
  attempt('a web page as a photo', 'photo', 'image/png', html),
  attempt(
    'a drawing with a script as a photo',
    'photo',
    'image/png',
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
  ),
  attempt('a program as a photo', 'photo', 'image/png', Buffer.from('\x7fELF\x02\x01\x01', 'latin1')),
  attempt('a photo that says it has 3,600 million pixels', 'photo', 'image/png', hugePng()),
  attempt('a photo of 11 MiB', 'photo', 'image/png', Buffer.concat([png, Buffer.alloc(11 * 1024 * 1024)])),
  attempt('half a photo', 'photo', 'image/png', png.subarray(0, 40)),
  attempt('a web page as a plan', 'plan', 'image/svg+xml', html),
  attempt(
    'a plan with entities that grow a million times',
    'plan',
    'image/svg+xml',
    `<!DOCTYPE svg [<!ENTITY a "${'x'.repeat(1_000)}"><!ENTITY b "${'&a;'.repeat(1_000)}"><!ENTITY c "${'&b;'.repeat(1_000)}">]><svg xmlns="http://www.w3.org/2000/svg"><text>&c;</text></svg>`,
  ),
  attempt('a workbook that unpacks to 2 GiB', 'table', XLSX, zipBomb(300 * 1024 * 1024, 0xffff_fff0)),
  attempt('a workbook that unpacks to 300 MiB', 'table', XLSX, zipBomb(300 * 1024 * 1024)),
  attempt('a workbook that lies about its size', 'table', XLSX, zipBomb(300 * 1024 * 1024, 1_000)),
  attempt('a table of 11 MiB', 'table', 'text/csv', `key\n${'x,'.repeat(6 * 1024 * 1024)}`),
  attempt('a program as a table', 'table', 'text/csv', Buffer.from('\x7fELF\x02\x01\x01\x00', 'latin1')),
  {
    attack: 'a plan with scripts, links and pictures from elsewhere',
    expected: 'none of them is kept',
    run: async () => {
      const evil = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9" onload="alert(1)">
        <script>alert(1)</script><a xlink:href="javascript:alert(1)"><rect width="5" height="5"/></a>
        <image href="https://evil.example/x.png"/><use href="https://evil.example/x.svg#a"/><foreignObject><body onload="alert(1)"/></foreignObject>
        <style>@import url(https://evil.example/x.css);</style><rect width="3" height="3" style="background:url(https://evil.example)"/>
        <animate attributeName="href" to="javascript:alert(1)"/><set attributeName="onmouseover" to="alert(1)"/></svg>`;
      const sent = await send('plan', 'image/svg+xml', evil);
      if (sent.status >= 400)
        return sent.status === 415 || sent.status === 400 ? 'none of them is kept' : refused(sent);
      const reply = await fetch(url + plan, { headers: ours.as.account_admin });
      const text = await reply.text();
      const policy = reply.headers.get('content-security-policy') ?? '';
      if (/script|onload|javascript:|evil\.example|foreignObject|onmouseover/i.test(text))
        return text.slice(0, 120);
      return policy.includes('sandbox') && reply.headers.get('x-content-type-options') === 'nosniff'
        ? 'none of them is kept'
        : `served with ${policy}`;
    },
  },
  {
    attack: 'what a photo tells of its camera and place',
    expected: 'not kept',
    run: async () => {
      const withPlace = await sharp(png)
        .withExif({ IFD0: { Copyright: 'Somebody', Make: 'TellTale' } })
        .jpeg()
        .toBuffer();
      const { status, text } = await send('photo', 'image/jpeg', withPlace);
      if (status >= 400) return `${status} ${text.slice(0, 80)}`;
      const { rows } = await database
        .pool()
        .query<{ bytes: Buffer }>('select bytes from file order by created_at desc limit 1');
      return rows[0]!.bytes.includes('TellTale') ? 'kept' : 'not kept';
    },
  },
  {
    attack: 'stop the server with any of them',
    expected: 'it answers',
    run: async () => ((await fetch(`${url}/healthz`)).ok ? 'it answers' : 'it does not'),
  },
];

test('a file is what its bytes say, and never more than it may be', async (context) => {
  expect(await tryAll(context, 'uploads', attacks)).toEqual([]);
}, 300_000);
