/** Whether this runs as TypeScript in the repository, and not as a bundle, where every file lies flat in one folder. */
export const isSource = import.meta.filename.endsWith('.ts');
