import { csrfTokenIn } from './csrf.ts';
import { ApiError } from './errors.ts';

export interface Upload {
  readonly url: string;
  readonly body: Blob;
  /** How much has gone out: 0..1. */
  onProgress(part: number): void;
}

/**
 * Sends a file as the raw body of a POST, with progress, which `fetch` cannot tell.
 * Rejects with {@link ApiError}, offline where nothing came back.
 */
export function upload({ url, body, onProgress }: Upload): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.setRequestHeader('content-type', body.type || 'application/octet-stream');
    request.setRequestHeader('accept-language', document.documentElement.lang);
    const token = csrfTokenIn(document.cookie);
    if (token) request.setRequestHeader('x-csrf-token', token);
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    request.onerror = () => reject(new ApiError(0, { code: 'offline', message: 'no reply from the server' }));
    request.onload = () => {
      if (request.status < 300) resolve();
      else reject(refusal(request.status, request.responseText));
    };
    request.send(body);
  });
}

function refusal(status: number, text: string): ApiError {
  try {
    return new ApiError(status, JSON.parse(text));
  } catch {
    return new ApiError(status, { code: 'unreadable_reply', message: String(status) });
  }
}
