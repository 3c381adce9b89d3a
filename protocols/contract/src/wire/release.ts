import { type Static, Type } from 'typebox';
import { SignedText } from './signed.ts';

const Sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
/** Semantic version without build metadata: '1.4.0', '1.5.0-rc.2'. */
export const ReleaseVersion = Type.String({
  pattern: '^(0|[1-9]\\d{0,5})(\\.(0|[1-9]\\d{0,5})){2}(-[0-9A-Za-z-]+(\\.[0-9A-Za-z-]+)*)?$',
  maxLength: 60,
});
/** A path inside the bundle: no dot folders, nothing absolute. */
const BundlePath = Type.String({
  pattern: '^[A-Za-z0-9_@][A-Za-z0-9._@+-]*(/[A-Za-z0-9_@][A-Za-z0-9._@+-]*)*$',
  maxLength: 250,
});

/** Bytes of one piece of a release on its way to a gateway. Below what a message may hold. */
export const RELEASE_CHUNK_BYTES = 256 * 1024;
/** Chunks of one release at most: 256 MiB packed. */
export const MOST_RELEASE_CHUNKS = 1_024;

/** One version of the gateway's program: body of a {@link SignedText} signed by the release key, which no server holds. */
export const ReleaseManifest = Type.Object({
  format: Type.Literal(1),
  product: Type.Literal('parkline-gateway'),
  version: ReleaseVersion,
  /** '<process.platform>-<process.arch>' it runs on. */
  platforms: Type.Array(Type.String({ pattern: '^[a-z0-9]+-[a-z0-9]+$', maxLength: 40 }), {
    minItems: 1,
    maxItems: 10,
  }),
  /** Oldest Node.js it runs with. */
  minNode: ReleaseVersion,
  /** The versions it may replace, both ends inclusive; null: no end. */
  predecessor: Type.Object({
    min: Type.Union([ReleaseVersion, Type.Null()]),
    max: Type.Union([ReleaseVersion, Type.Null()]),
  }),
  /** Versions that were healthy and that it may replace though it is older: the only way down. */
  downgradeFrom: Type.Array(ReleaseVersion, { maxItems: 20 }),
  /** Unix ms. */
  madeAt: Type.Integer({ minimum: 0 }),
  /** SHA-256 over path and hash of every file: the same for two builds of the same source. */
  contentSha256: Sha256,
  /** In order of path. */
  files: Type.Array(
    Type.Object({
      path: BundlePath,
      bytes: Type.Integer({ minimum: 0, maximum: 100_000_000 }),
      sha256: Sha256,
    }),
    { minItems: 1, maxItems: 5_000 },
  ),
  /** All files, one after the other in that order, as one zstd frame. */
  pack: Type.Object({
    bytes: Type.Integer({ minimum: 1 }),
    sha256: Sha256,
    /** Of each RELEASE_CHUNK_BYTES. */
    chunks: Type.Array(Sha256, { minItems: 1, maxItems: MOST_RELEASE_CHUNKS }),
  }),
});
export type ReleaseManifest = Static<typeof ReleaseManifest>;

/** The cloud asks a gateway to replace its program: body of a {@link SignedText} signed by the cloud. */
export const UpdateOffer = Type.Object({
  gatewayId: Type.String({ format: 'uuid' }),
  /** Unix ms of the cloud's clock; an older offer never replaces a newer one. */
  at: Type.Integer(),
  /** Signed {@link ReleaseManifest}; null takes the offer back, as long as nothing was replaced. */
  release: Type.Union([SignedText, Type.Null()]),
  /** Where the release file lies too, https; else it comes through the message server. */
  url: Type.Optional(Type.String({ pattern: '^https://', maxLength: 1_000 })),
});
export type UpdateOffer = Static<typeof UpdateOffer>;

/** A gateway asks for one chunk of a pack; the reply is its bytes, or nothing where there is no such chunk. */
export const UpdateChunkQuery = Type.Object({
  /** SHA-256 of the pack. */
  pack: Sha256,
  chunk: Type.Integer({ minimum: 0, maximum: MOST_RELEASE_CHUNKS - 1 }),
});
export type UpdateChunkQuery = Static<typeof UpdateChunkQuery>;
