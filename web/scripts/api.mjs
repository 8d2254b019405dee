// Writes docs/api.md from the package's own type declarations: what is exported, with its comments. `node api.mjs [--check]`
// after the TypeScript was compiled; `--check` writes nothing and fails where the page is out of date.

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const PAGE = join(WEB, 'docs/api.md');

const ENTRIES = [
  ['ocelli', 'index', 'The model, its calls and what they give.'],
  ['ocelli/element', 'element', 'Importing it defines `<vision-caption>`.'],
  ['ocelli/react', 'react', 'Hooks; React is not brought along.'],
  ['ocelli/transformers', 'transformers', 'Pipelines in the manner of transformers.js.'],
];

/** Top-level declarations of a file by name: `{ comment, text }`, overloads together. */
function declarations(path) {
  const found = new Map();
  let comment = [];
  let block = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (block.length === 0) {
      if (/^\/\*\*/.test(line)) comment = [line];
      else if (comment.length > 0 && !comment.at(-1).endsWith('*/')) comment.push(line);
      else if (/^export (declare |type |interface |abstract )/.test(line)) block = [line];
      else comment = [];
    } else block.push(line);
    const ended = block.length > 0 && (block.length === 1 ? /;$|\{\}$/.test(line) && !/\{$/.test(line) : /^\}|^[^\s].*;$/.test(line));
    if (!ended) continue;
    const name = /(?:class|interface|type|function|const)\s+(\w+)/.exec(block[0])?.[1];
    if (name) found.set(name, [...(found.get(name) ?? []), { comment: words(comment), text: tidy(block) }]);
    [comment, block] = [[], []];
  }
  return found;
}

/** A comment's own words. */
const words = (lines) => lines.join('\n').replace(/^\/\*\*\s?|\s*\*\/$/g, '').replace(/^ \* ?/gm, '').trim();

/** Without what is not for callers. */
function tidy(lines) {
  const kept = [];
  for (let at = 0; at < lines.length; at++) {
    if (/^\s+#private;$/.test(lines[at])) continue;
    if (/\/\*\* For `\w+` only/.test(lines[at])) {
      at++;
      continue;
    }
    kept.push(lines[at].replace(/^export (declare )?/, ''));
  }
  return kept.join('\n');
}

/** The names a file exports, and the file of each. */
function exported(entry) {
  const own = join(WEB, 'dist', `${entry}.d.ts`);
  const names = [];
  for (const [, list, from] of readFileSync(own, 'utf8').matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g)) {
    for (const name of list.split(',').map((part) => part.trim().replace(/^type /, '')).filter(Boolean)) names.push([name, join(dirname(own), from.replace(/\.js$/, '.d.ts'))]);
  }
  for (const name of declarations(own).keys()) names.push([name, own]);
  return names;
}

const page = ['# API', '', 'Made from the sources by `scripts/api.mjs`.', ''];
for (const [module, entry, says] of ENTRIES) {
  page.push(`## ${module}`, '', says, '');
  for (const [name, path] of exported(entry)) {
    const all = declarations(path).get(name);
    if (!all) throw new Error(`${path} declares no ${name}`);
    page.push(`### ${name}`, '');
    for (const { comment, text } of all) page.push(...(comment ? [comment, ''] : []), '```ts', text, '```', '');
  }
}
const text = `${page.join('\n').trimEnd()}\n`;
if (!process.argv.includes('--check')) writeFileSync(PAGE, text);
else if (readFileSync(PAGE, 'utf8') !== text) {
  console.error('api: docs/api.md is not what the sources say; run node web/scripts/api.mjs');
  process.exitCode = 1;
}
