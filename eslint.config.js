// Lint rules of the whole repository. Formatting is Prettier's; types are tsc's; import directions are check-imports'.
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

const node = [
  'bin/**/*.js',
  '.ci/*.mjs',
  'deploy/**/*.{mjs,ts}',
  'tests/**/*.ts',
  '{protocols/*,edge,cloud,firmware-sim}/src/**/*.ts',
];

export default ts.config(
  {
    ignores: [
      '**/node_modules/',
      'dashboards/build/',
      'dashboards/.svelte-kit/',
      'tests/fixtures/',
      'protocols/client/src/generated/',
      '.parkline/',
    ],
  },
  js.configs.recommended,
  ...ts.configs.strict,
  ...ts.configs.stylistic,
  ...svelte.configs.recommended,
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unified-signatures': 'off',
      'no-console': 'error',
      'max-lines': ['warn', { max: 300, skipBlankLines: true, skipComments: true }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  { files: node, languageOptions: { globals: globals.node } },
  { files: ['dashboards/**/*.{js,ts,svelte}'], languageOptions: { globals: globals.browser } },
  // The portal is served at the root of its host: there is no base path for resolve() to put in front.
  { files: ['dashboards/**/*.svelte'], rules: { 'svelte/no-navigation-without-resolve': 'off' } },
  {
    files: ['dashboards/**/*.svelte', 'dashboards/**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: ts.parser } },
  },
  {
    files: ['{protocols/*,edge,cloud,firmware-sim}/src/**/*.ts', 'deploy/**/*.ts', 'tests/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
    },
  },
  {
    // A driver runs in a thread of its own: what it loads is in memory once for each (ADR 0026).
    files: ['protocols/{kit,modbus,bacnet,opcua,mqtt,dlt645,cjt188}/src/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: ['typebox', 'typebox/value', '@parkline/contract'].map((name) => ({
            ...{ name, allowTypeImports: true },
            message:
              'Costs 13 MB in each driver: use Type and parseParams of the kit, or a part of the contract.',
          })),
        },
      ],
    },
  },
);
