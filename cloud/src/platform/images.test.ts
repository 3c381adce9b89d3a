import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { cleanImage, imageTypeOf } from './images.ts';

const draw = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: '#0a7d7d' } });

const samples = {
  png: await draw(2, 2).png().toBuffer(),
  jpeg: await draw(2, 2).jpeg().toBuffer(),
  webp: await draw(2, 2).webp().toBuffer(),
  gif: await draw(2, 2).gif().toBuffer(),
};

describe('imageTypeOf', () => {
  test.each([
    ['png', samples.png, 'image/png'],
    ['jpeg', samples.jpeg, 'image/jpeg'],
    ['webp', samples.webp, 'image/webp'],
    ['gif', samples.gif, undefined],
    ['svg', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), undefined],
    ['a wave file, which begins alike', Buffer.from('RIFF\0\0\0\0WAVEfmt '), undefined],
    ['nothing', Buffer.alloc(0), undefined],
  ])('%s', (_what, bytes, type) => expect(imageTypeOf(bytes)).toBe(type));
});

describe('cleanImage', () => {
  test('draws upright, no longer than 1,600 pixels, and leaves out where it was taken', async () => {
    const taken = await draw(3_000, 2_000)
      .withExif({ IFD0: { Make: 'Phone' }, IFD3: { GPSLatitudeRef: 'N' } })
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const result = await cleanImage(taken);
    if (!result.ok) throw new Error(result.why);
    expect(result.image).toMatchObject({ width: 1_067, height: 1_600 });
    const { format, exif, orientation, hasProfile } = await sharp(result.image.bytes).metadata();
    expect({ format, exif, orientation, hasProfile }).toEqual({
      ...{ format: 'webp', exif: undefined, orientation: undefined, hasProfile: false },
    });
    expect(result.image.bytes.includes('Phone')).toBe(false);
  });

  test('does not enlarge', async () => {
    expect(await cleanImage(await draw(40, 30).png().toBuffer())).toMatchObject({
      ...{ ok: true, image: { width: 40, height: 30 } },
    });
  });

  test('does not open what claims more pixels than a camera has', async () => {
    const bomb = await draw(9_000, 9_000).png({ compressionLevel: 9 }).toBuffer();
    expect(bomb.length).toBeLessThan(1_000_000);
    expect(await cleanImage(bomb)).toEqual({ ok: false, why: 'too_many_pixels' });
  });

  test('refuses another type, and a picture that ends in the middle', async () => {
    const whole = await draw(800, 800).jpeg().toBuffer();
    expect(await cleanImage(whole.subarray(0, whole.length / 2))).toEqual({ ok: false, why: 'unreadable' });
    expect(await cleanImage(Buffer.from('GIF89a'))).toEqual({ ok: false, why: 'type' });
  });
});
