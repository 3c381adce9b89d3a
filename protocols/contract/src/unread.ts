/** Why the file that somebody named cannot be read: what the file system said, in words. For the commands of cloud and gateway. Pure. */
export function whyUnread(path: string, cause: unknown): string {
  const { code, message } = cause as { readonly code?: unknown; readonly message: string };
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no file ${path}`;
  return code === 'EISDIR' ? `${path} is a folder and no file` : `cannot read ${path}: ${message}`;
}
