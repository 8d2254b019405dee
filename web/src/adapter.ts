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

/** What the wasm module calls its devices. */
const LABEL = 'ocelli';
/** Devices being opened now. */
let opening = 0;

/**
 * Opens a device with subgroups, which the wasm module's own graphics layer cannot ask for. Only the module's devices get
 * them, and once all are open the browser's method is as it was: in a page it is not this package's alone.
 */
export async function withSubgroups<T>(open: () => Promise<T>): Promise<T> {
  if (opening++ === 0) restore = replace();
  try {
    return await open();
  } finally {
    if (--opening === 0) restore();
  }
}

let restore: () => void;

function replace(): () => void {
  const { prototype } = GPUAdapter;
  const plain = prototype.requestDevice;
  const asking = function (this: GPUAdapter, descriptor: GPUDeviceDescriptor = {}) {
    const own = opening > 0 && descriptor.label === LABEL && this.features.has('subgroups');
    return plain.call(this, own ? { ...descriptor, requiredFeatures: [...(descriptor.requiredFeatures ?? []), 'subgroups'] } : descriptor);
  };
  prototype.requestDevice = asking;
  return () => {
    // Whoever replaced it meanwhile keeps calling this one, which then changes nothing.
    if (prototype.requestDevice === asking) prototype.requestDevice = plain;
  };
}
