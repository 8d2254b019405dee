// Every kernel compiles in Chromium. Its checks are stricter than those of the crate's own build, which does not know
// that a barrier must be reached by all: only this test sees that fault.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launchChromium } from '../scripts/chromium.mjs';
import { serve } from '../scripts/serve.mjs';

let browser;
let page;
let site;

before(async () => {
  site = await serve({ port: 0, mounts: { '/blank': new URL('pages', import.meta.url).pathname } });
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`${site.url}blank/`);
});

after(async () => {
  await browser?.close();
  await site?.close();
});

/**
 * Runs in the page: compiles texts as the player does, with its layouts, and gives the complaints by kernel. Where the
 * adapter has no f16, what needs it is compiled with f32 under that name: barriers, bindings, workgroup memory and every
 * other rule of the text are judged, only what f16 itself forbids is not.
 */
async function compileAll(texts) {
  const adapter = await navigator.gpu.requestAdapter();
  const has = (feature) => adapter.features.has(feature);
  const limits = ['maxStorageBuffersPerShaderStage', 'maxComputeWorkgroupStorageSize', 'maxComputeInvocationsPerWorkgroup'];
  const device = await adapter.requestDevice({
    requiredFeatures: ['subgroups', 'shader-f16'].filter(has),
    requiredLimits: Object.fromEntries(limits.map((name) => [name, adapter.limits[name]])),
  });
  const visibility = GPUShaderStage.COMPUTE;
  const uniform = (binding, hasDynamicOffset) => ({ binding, visibility, buffer: { type: 'uniform', hasDynamicOffset } });
  const constants = device.createBindGroupLayout({ entries: [uniform(0, true), uniform(1, false)] });
  const complaints = {};
  for (const { name, wgsl, readOnly, shaderF16, subgroups } of texts) {
    const said = [];
    if (subgroups && !has('subgroups')) {
      complaints[name] = ['this adapter has no subgroups'];
      continue;
    }
    const code = shaderF16 && !has('shader-f16') ? wgsl.replace('enable f16;', 'alias f16 = f32;') : wgsl;
    if (shaderF16 && !code.includes(has('shader-f16') ? 'enable f16;' : 'alias f16 = f32;')) said.push('it does not enable f16');
    const entries = readOnly.map((read, binding) => ({ binding, visibility, buffer: { type: read ? 'read-only-storage' : 'storage' } }));
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code, label: name });
    for (const { type, message, lineNum } of (await module.getCompilationInfo()).messages) said.push(`${type} in line ${lineNum}: ${message}`);
    try {
      const layout = device.createPipelineLayout({ bindGroupLayouts: [device.createBindGroupLayout({ entries }), constants] });
      await device.createComputePipelineAsync({ layout, compute: { module } });
    } catch (error) {
      said.push(error.message);
    }
    const invalid = await device.popErrorScope();
    if (invalid && said.length === 0) said.push(invalid.message);
    if (said.length > 0) complaints[name] = said;
  }
  device.destroy();
  return complaints;
}

test('Chromium compiles every kernel without a word', async (t) => {
  const texts = await page.evaluate(async () => {
    const { Extra } = await import('/dist/extra.js');
    const extra = new Extra();
    return extra.call('kernels', {}).finally(() => extra.close());
  });
  assert.ok(texts.length >= 40, `only ${texts.length} kernels`);
  assert.equal(new Set(texts.map(({ name }) => name)).size, texts.length);
  const halves = texts.filter(({ shaderF16 }) => shaderF16).map(({ name }) => name);
  assert.equal(halves.length, 3);
  assert.equal(texts.filter(({ subgroups }) => subgroups).length, 6);
  assert.deepEqual(await page.evaluate(compileAll, texts), {});
  t.diagnostic(`${texts.length} kernels compiled; SwiftShader has no f16, so with f32 in its place ${halves.join(', ')}`);
});

test('this check sees a barrier that not all may reach, in kernels of f16 too', async () => {
  const wgsl = `
    @group(0) @binding(0) var<storage, read_write> out: array<u32>;
    @compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) {
      if (out[i] > 0u) { workgroupBarrier(); }
      out[i] = i;
    }`;
  const half = `enable f16;${wgsl.replace('out[i] = i;', 'out[i] = u32(f32(f16(i) * f16(2)));')}`;
  const texts = [{ name: 'plain', wgsl, readOnly: [false] }, { name: 'half', wgsl: half, readOnly: [false], shaderF16: true }];
  const found = await page.evaluate(compileAll, texts);
  for (const { name } of texts) {
    assert.match(found[name].join('\n'), /error in line \d+: 'workgroupBarrier' must only be called from uniform control flow/);
  }
});
