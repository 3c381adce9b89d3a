import sharp from 'sharp';

/** Largest picture that is taken, in bytes. */
export const MAX_IMAGE_BYTES = 10 * 1024 * 1024;
/** Longest side of a photo that is kept. */
const MAX_SIDE = 1_600;
/** Above any phone's camera, below what would fill the memory: a small file may claim any size. */
const MAX_PIXELS = 64_000_000;

export const imageTypes = ['image/png', 'image/jpeg', 'image/webp'] as const;
export type ImageType = (typeof imageTypes)[number];

export interface CleanImage {
  /** WebP. */
  readonly bytes: Buffer;
  readonly width: number;
  readonly height: number;
}
export type CleanResult =
  | { readonly ok: true; readonly image: CleanImage }
  | { readonly ok: false; readonly why: 'type' | 'too_many_pixels' | 'unreadable' };

/** What the first bytes say the file is, whatever its sender calls it. Pure. */
export function imageTypeOf(bytes: Uint8Array): ImageType | undefined {
  const text = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png';
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg';
  if (text.startsWith('RIFF') && text.slice(8) === 'WEBP') return 'image/webp';
  return undefined;
}

/**
 * Draws the picture anew: upright, at most `maxSide` pixels long, first frame only, and without what else was in the file
 * (place, camera, a script behind the last pixel).
 */
export async function cleanImage(bytes: Uint8Array, maxSide = MAX_SIDE): Promise<CleanResult> {
  if (!imageTypeOf(bytes)) return { ok: false, why: 'type' };
  try {
    const { width = 0, height = 0 } = await sharp(bytes, { limitInputPixels: false }).metadata();
    if (width * height > MAX_PIXELS) return { ok: false, why: 'too_many_pixels' };
    const { data, info } = await sharp(bytes, { limitInputPixels: MAX_PIXELS, failOn: 'truncated' })
      .autoOrient()
      .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
      .webp({ quality: 80 })
      .toBuffer({ resolveWithObject: true });
    return { ok: true, image: { bytes: data, width: info.width, height: info.height } };
  } catch {
    return { ok: false, why: 'unreadable' }; // The library's words would tell a stranger more than is good.
  }
}
