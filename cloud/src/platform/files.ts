import { createHash } from 'node:crypto';
import type { Db } from './db.ts';
import type { CleanImage } from './images.ts';

declare module './db.ts' {
  interface Tables {
    file: {
      id: string;
      accountId: string;
      mediaType: 'image/webp';
      width: number;
      height: number;
      sha256: Buffer;
      sourceSha256: Buffer;
      bytes: Buffer;
      createdAt: Date;
      personId: string;
    };
  }
}

export interface NewFile {
  readonly id: string;
  readonly accountId: string;
  readonly personId: string;
  readonly createdAt: Date;
  /** Of the bytes that came in. */
  readonly sourceSha256: Buffer;
  readonly image: CleanImage;
}

export const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

export const files = {
  /** In the transaction of the row that names it. */
  async add(trx: Db, { image, ...file }: NewFile): Promise<void> {
    await trx
      .insertInto('file')
      .values({ ...file, ...image, mediaType: 'image/webp', sha256: sha256(image.bytes) })
      .execute();
  },

  bytesOf: (db: Db, accountId: string, id: string) =>
    db
      .selectFrom('file')
      .select(['mediaType', 'bytes', 'sha256'])
      .where('accountId', '=', accountId)
      .where('id', '=', id)
      .executeTakeFirst(),
};
