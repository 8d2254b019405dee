// What the browser says about its WebGPU adapter, beyond what the wasm module can ask. Runs in the worker.

/** Renderers that run on the CPU; browsers flag most of them, but not all. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b/i;

/** An adapter as seen before a device is asked of it. */
export interface Adapter {
  readonly name: string;
  readonly software: boolean;
  /** The subgroup widths, where the feature is there. */
  readonly subgroups: { min: number; max: number } | undefined;
}

/** The adapter that a device would be opened on, or undefined where there is none. */
export async function findAdapter(): Promise<Adapter | undefined> {
  const gpu: GPU | undefined = navigator.gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' }).catch(() => null);
  if (!adapter) return undefined;
  const { vendor, architecture, device, description, isFallbackAdapter, subgroupMinSize, subgroupMaxSize } = adapter.info;
  const names = [vendor, architecture, device, description].filter((name, index, all) => name && all.indexOf(name) === index);
  const subgroups = adapter.features.has('subgroups') && subgroupMinSize > 0;
  return {
    name: description || names.join(' ') || 'unnamed adapter',
    software: isFallbackAdapter || SOFTWARE.test(names.join(' ')),
    subgroups: subgroups ? { min: subgroupMinSize, max: subgroupMaxSize } : undefined,
  };
}

/** Has every device of this worker opened with subgroups: the wasm module's own graphics layer cannot ask for them. */
export function requestSubgroups(): void {
  const plain = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = function (this: GPUAdapter, descriptor: GPUDeviceDescriptor = {}) {
    const features = new Set<GPUFeatureName>(descriptor.requiredFeatures as Iterable<GPUFeatureName>);
    if (this.features.has('subgroups')) features.add('subgroups');
    return plain.call(this, { ...descriptor, requiredFeatures: [...features] });
  };
}
