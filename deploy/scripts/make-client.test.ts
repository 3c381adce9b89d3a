import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { apiDocument } from '../../cloud/src/api-document.ts';
import { generated, operationsText, forClient } from './make-client.ts';

test('the generated client is that of the routes as they are', async () => {
  const wanted = operationsText(forClient(await apiDocument()));
  const found = readFileSync(join(generated, 'operations.gen.ts'), 'utf8');
  // Its first line names all that the types were made of, too. When this fails: node deploy/scripts/make-client.ts
  expect(found).toBe(wanted);
});
