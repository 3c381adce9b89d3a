import { AppError } from './errors.ts';
import { cleanImage, imageTypeOf } from './images.ts';
import { cleanSvg } from './svg.ts';
import { usualLimits } from './sheets.ts';
import { checkWorkbook } from './workbook.ts';

/** Largest file that is taken, in bytes. */
export const MAX_UPLOAD_BYTES = 10 * 1024 * 1024;

/** Everything that may come in as a file; SVG only where a drawing is asked for. */
export const uploadTypes = {
  png: 'image/png',
  jpg: 'image/jpeg',
  webp: 'image/webp',
  svg: 'image/svg+xml',
  pdf: 'application/pdf',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  csv: 'text/csv',
} as const;
export type UploadType = keyof typeof uploadTypes;

/** A file that was looked at; pictures and drawings were written anew. */
export interface Upload {
  readonly type: UploadType;
  /** Of `bytes`: a picture is WebP, whatever it came as. */
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** Of pictures and drawings. */
  readonly width?: number;
  readonly height?: number;
}

/** What the first bytes say a file is, whatever its name or its sender says; undefined: nothing that is on the list. Pure. */
export function uploadTypeOf(bytes: Uint8Array): UploadType | undefined {
  const image = imageTypeOf(bytes);
  if (image) return ({ 'image/png': 'png', 'image/jpeg': 'jpg', 'image/webp': 'webp' } as const)[image];
  const start = Buffer.from(bytes.subarray(0, 1_024))
    .toString('utf8')
    .replace(/^\uFEFF/, '');
  if (start.startsWith('%PDF-')) return 'pdf';
  if (start.startsWith('PK\x03\x04')) return 'xlsx';
  if (isText(bytes)) return /^\s*<(?:\?xml|!--|!doctype svg|svg[\s>])/i.test(start) ? 'svg' : 'csv';
  return undefined;
}

/** Binary files have NULs, and text that is HTML is no table. */
function isText(bytes: Uint8Array): boolean {
  const isWide = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (isWide) return true;
  const head = Buffer.from(bytes.subarray(0, 4_096));
  if (head.length === 0 || bytes.includes(0)) return false;
  return !/^\s*<(?:!doctype html|html|head|body|script)/i.test(head.toString('latin1'));
}

/**
 * Takes a file in: its bytes say what it is, and it must be on the caller's list. Pictures are drawn anew (no EXIF, no other
 * file in their clothes), drawings cut down to what draws, workbooks measured before anybody unpacks them.
 * @throws AppError 'unsupported_media' or 'too_large', with `why`.
 */
export async function takeUpload(
  bytes: Uint8Array,
  { types, maxSide = 1_600 }: { readonly types: readonly UploadType[]; readonly maxSide?: number },
): Promise<Upload> {
  if (bytes.length > MAX_UPLOAD_BYTES) throw refusal('too_large', 'bytes');
  const type = uploadTypeOf(bytes);
  if (type === undefined || !types.includes(type)) throw refusal('unsupported_media', 'type');
  const mediaType = uploadTypes[type];
  switch (type) {
    case 'png':
    case 'jpg':
    case 'webp': {
      const result = await cleanImage(bytes, maxSide);
      if (!result.ok)
        throw refusal(result.why === 'too_many_pixels' ? 'too_large' : 'unsupported_media', result.why);
      return { type, mediaType: 'image/webp', ...result.image };
    }
    case 'svg': {
      const result = cleanSvg(
        Buffer.from(bytes)
          .toString('utf8')
          .replace(/^\uFEFF/, ''),
      );
      if (!result.ok)
        throw refusal(result.why === 'too_many_elements' ? 'too_large' : 'unsupported_media', result.why);
      const { text, width, height } = result.svg;
      return { type, mediaType, bytes: Buffer.from(text), width, height };
    }
    case 'xlsx': {
      const why = checkWorkbook(Buffer.from(bytes), usualLimits);
      if (why) throw refusal(why === 'too_large' ? 'too_large' : 'unsupported_media', why);
      return { type, mediaType, bytes: Buffer.from(bytes) };
    }
    default:
      return { type, mediaType, bytes: Buffer.from(bytes) };
  }
}

const refusal = (code: 'too_large' | 'unsupported_media', why: string): AppError =>
  new AppError(code, `file refused: ${why}`, { details: { why } });

/**
 * Headers under which a file of somebody's may be sent: the browser neither guesses what it is nor runs anything in it, also
 * when it is opened by itself.
 */
export const fileHeaders = (name: string): Readonly<Record<string, string>> => ({
  'content-disposition': `attachment; filename="${name}"`,
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; sandbox",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
});
