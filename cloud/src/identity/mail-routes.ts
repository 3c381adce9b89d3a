import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { MailSetup } from '@parkline/contract';

/** Tells who invites people where their mails go; `folder`: undefined where a mail server takes them. */
export const mailRoutes =
  ({ folder }: { readonly folder?: string | undefined }): FastifyPluginAsyncTypebox =>
  (app) => {
    app.get(
      '/api/mail-setup',
      {
        config: { permission: 'person.read' },
        schema: { summary: 'Read where mails go', response: { 200: MailSetup } },
      },
      () => ({ folder: folder ?? null }),
    );
    return Promise.resolve();
  };
