// What a WebAssembly module is made of: its functions' code by Rust crate, and its other sections.

const CODE = 10;
const IMPORT = 2;
const FUNCTION_IMPORT = 0;
const SECTION_NAMES = ['custom', 'types', 'imports', 'functions', 'tables', 'memory', 'globals', 'exports', 'start',
  'elements', 'code', 'constant data', 'data count', 'tags'];

/**
 * @param {Uint8Array} module a module that still has its name section
 * @returns {{ name: string, bytes: number }[]} the parts, largest first; debugging sections are left out
 */
export function partsOf(module) {
  const parts = new Map();
  const add = (name, bytes) => parts.set(name, (parts.get(name) ?? 0) + bytes);
  let imported = 0;
  let bodies = [];
  let names = new Map();
  for (const { id, name, body } of sections(module)) {
    if (id === IMPORT) imported = importedFunctions(body);
    if (id === CODE) bodies = bodySizes(body);
    else if (name === 'name') names = functionNames(body);
    else if (id !== 0) add(SECTION_NAMES[id] ?? `section ${id}`, body.bytes.length);
  }
  bodies.forEach((bytes, index) => add(crateOf(names.get(imported + index)), bytes));
  return [...parts].map(([name, bytes]) => ({ name, bytes })).sort((a, b) => b.bytes - a.bytes);
}

/** Reads a module's own encoding: LEB128 numbers and names with their length before them. */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }
  get done() {
    return this.at >= this.bytes.length;
  }
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.bytes[this.at++];
      if (byte === undefined || shift > 28) throw new Error('a number in the module is cut off or too long');
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  }
  take(length) {
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  text() {
    return new TextDecoder().decode(this.take(this.number()));
  }
}

function* sections(module) {
  const reader = new Reader(module);
  reader.take(8);
  while (!reader.done) {
    const id = reader.number();
    const body = new Reader(reader.take(reader.number()));
    yield { id, name: id === 0 ? body.text() : '', body };
  }
}

// rustc's modules import functions only, each as module name, field name, kind, type.
function importedFunctions(reader) {
  const count = reader.number();
  for (let index = 0; index < count; index++) {
    reader.text();
    reader.text();
    if (reader.number() !== FUNCTION_IMPORT) throw new Error('the module imports more than functions');
    reader.number();
  }
  return count;
}

function bodySizes(reader) {
  return Array.from({ length: reader.number() }, () => reader.take(reader.number()).length);
}

function functionNames(reader) {
  const names = new Map();
  while (!reader.done) {
    const kind = reader.number();
    const map = new Reader(reader.take(reader.number()));
    if (kind !== 1) continue;
    for (let left = map.number(); left > 0; left--) names.set(map.number(), map.text());
  }
  return names;
}

/** The crate of a mangled name (both of rustc's schemes), of a type's method the type's crate. */
function crateOf(name = '') {
  const v0 = /^_R.*?C(?:s[0-9A-Za-z]*_)?(\d+)_?([A-Za-z_]\w*)/.exec(name);
  if (v0) return v0[2].slice(0, Number(v0[1]));
  const [, length, rest] = /^_ZN(\d+)(.+)/.exec(name) ?? [];
  if (length === undefined) return 'other';
  const plain = rest
    .slice(0, Number(length))
    .replaceAll('..', '::')
    .replace(/\$\w+?\$/g, ' ')
    .replace(/^[_\s[(]*((mut|const|dyn|impl) +)*/, '');
  return /^[A-Za-z_]\w*/.exec(plain)?.[0] ?? 'other';
}
