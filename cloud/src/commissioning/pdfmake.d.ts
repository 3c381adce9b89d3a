// What we use of pdfmake 0.3. The published types pull those of a browser into every file of ours.

declare module 'pdfmake/interfaces.js' {
  /** A text, a column, a table: see pdfmake.github.io/docs/0.3/document-definition-object. */
  export type Content = string | readonly Content[] | Readonly<Record<string, unknown>>;
  export type TableCell = Content;
  export interface TDocumentDefinitions {
    readonly content: Content;
    readonly footer?: (page: number, pages: number) => Content;
    readonly [property: string]: unknown;
  }
}

declare module 'pdfmake' {
  import type { TDocumentDefinitions } from 'pdfmake/interfaces.js';

  interface Weights {
    readonly normal: string;
    readonly bold: string;
    readonly italics: string;
    readonly bolditalics: string;
  }
  const pdfmake: {
    /** Files that it may read; without a policy every one. */
    setLocalAccessPolicy(policy: (path: string) => boolean): void;
    /** Addresses that it may load; without a policy every one. */
    setUrlAccessPolicy(policy: (url: string) => boolean): void;
    /** Paths of font files by name. */
    setFonts(fonts: Readonly<Record<string, Weights>>): void;
    createPdf(definition: TDocumentDefinitions): { getBuffer(): Promise<Buffer> };
  };
  export default pdfmake;
}
