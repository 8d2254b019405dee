// Writes docs/api.md: what the package exports, with its comments, by TypeDoc. `node api.mjs [--check]` after the WebAssembly
// module was built, whose types the sources name; `--check` writes nothing and fails where the page is out of date.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const PAGE = join(WEB, 'docs/api.md');
const tool = createRequire(join(WEB, 'tools/api/package.json'));

const ENTRIES = [
  ['ocelli', 'index', 'The model, its calls and what they give.'],
  ['ocelli/element', 'element', 'Importing it defines `<vision-caption>`.'],
  ['ocelli/react', 'react', 'Hooks; React is not brought along.'],
  ['ocelli/transformers', 'transformers', 'Pipelines that are called as those of transformers.js.'],
  ['ocelli/search', 'search', 'Search among many pictures and texts by their vectors.'],
];

const TABLES = ['parameters', 'interfaceProperties', 'classProperties', 'typeAliasProperties', 'propertyMembers', 'typeDeclaration'];
const STYLE = {
  router: 'module', readme: 'none', githubPages: false,
  hidePageHeader: true, hideBreadcrumbs: true, hidePageTitle: true, hideGroupHeadings: true,
  disableSources: true, excludePrivate: true, excludeInternal: true, excludeExternals: true,
  useCodeBlocks: true, expandObjects: true,
  ...Object.fromEntries(TABLES.map((what) => [`${what}Format`, 'table'])),
  tableColumnSettings: { hideDefaults: true, hideInherited: true, hideModifiers: true, hideOverrides: true, hideSources: true, leftAlignHeaders: true },
  groupOrder: ['Functions', 'Variables', 'Classes', 'Interfaces', 'Type Aliases'],
  sort: ['source-order'],
};

/** Names a type that only the worker's messages have. */
const WIRE = new RegExp(`\\b(${[...readFileSync(join(WEB, 'src/wire.ts'), 'utf8').matchAll(/^export \w+ (\w+)/gm)].map(([, name]) => name).join('|')})\\b`);

/** The page as the sources say it. */
async function made() {
  const out = mkdtempSync(join(tmpdir(), 'ocelli-api-'));
  try {
    const { Application } = await import(pathToFileURL(tool.resolve('typedoc')).href);
    const app = await Application.bootstrapWithPlugins({
      ...STYLE,
      entryPoints: ENTRIES.map(([, entry]) => join(WEB, 'src', `${entry}.ts`)),
      tsconfig: join(WEB, 'tsconfig.json'),
      plugin: [tool.resolve('typedoc-plugin-markdown')],
      logLevel: 'Warn',
      treatWarningsAsErrors: true,
      out,
    });
    const project = await app.convert();
    if (!project || app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('TypeDoc cannot read the sources; see above');
    // What a class has of its parent stands there, where the parent is on the page.
    for (const reflection of Object.values(project.reflections).filter(({ inheritedFrom }) => inheritedFrom?.reflection)) {
      for (const group of reflection.parent.groups ?? []) group.children = group.children.filter((child) => child !== reflection);
      project.removeReflection(reflection);
    }
    // What is not, such as the types that are made of Rust's, is of no use to readers.
    for (const reflection of Object.values(project.reflections).filter(({ typeHierarchy }) => typeHierarchy && !typeHierarchy.isTarget)) {
      const parents = reflection.typeHierarchy;
      parents.types = parents.types.filter((type) => type.reflection || !WIRE.test(type.toString()));
      if (parents.types.length === 0) reflection.typeHierarchy = parents.next;
    }
    await app.generateOutputs(project);
    const chapters = ENTRIES.map(([module, entry, says]) => `## ${module}\n\n${says}\n\n${below(readFileSync(join(out, `${entry}.md`), 'utf8'))}`);
    return `# API\n\nMade from the sources by \`scripts/api.mjs\`.\n\n${chapters.join('\n\n')}\n`;
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** A module's page as a chapter: its headings one lower, its links within the one page. */
function below(page) {
  return page
    .replace(/^(#{1,5}) /gm, '#$1 ')
    .replace(/\]\((?:\w+\.md)?(#[\w-]+)\)/g, ']($1)')
    .replace(/^\*\*\*\n\n/gm, '')
    .trim();
}

const text = await made();
if (!process.argv.includes('--check')) writeFileSync(PAGE, text);
else if (readFileSync(PAGE, 'utf8') !== text) {
  console.error('api: docs/api.md is not what the sources say; run node web/scripts/api.mjs');
  process.exitCode = 1;
}
