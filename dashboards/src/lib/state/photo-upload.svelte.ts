import type { Upload } from '../api/upload.ts';
import { ApiError } from '../api/errors.ts';

export interface PhotoUploadDeps {
  /** Sends one file; rejects with ApiError. */
  upload(upload: Upload): Promise<void>;
  /** Told when a photo has arrived. */
  onSent(): Promise<unknown>;
}

/** One photo on its way. What failed is kept, so that it can be sent again without taking it again. */
export class PhotoUpload {
  state = $state<'idle' | 'sending' | 'failed'>('idle');
  /** How much has gone out: 0..1. */
  progress = $state(0);
  error = $state.raw<ApiError>();
  readonly #url: string;
  readonly #deps: PhotoUploadDeps;
  #photo: Blob | undefined;

  constructor(url: string, deps: PhotoUploadDeps) {
    this.#url = url;
    this.#deps = deps;
  }

  async send(photo: Blob): Promise<void> {
    if (this.state === 'sending') return;
    this.#photo = photo;
    this.state = 'sending';
    this.progress = 0;
    this.error = undefined;
    try {
      await this.#deps.upload({
        url: this.#url,
        body: photo,
        onProgress: (part) => (this.progress = part),
      });
      await this.#deps.onSent();
      this.#photo = undefined;
      this.state = 'idle';
    } catch (error) {
      this.state = 'failed';
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
    }
  }

  /** Sends what failed once more. */
  async retry(): Promise<void> {
    if (this.#photo) await this.send(this.#photo);
  }
}
