// What a model has the GPU do, written down as it does it: every dispatch, with all that it takes to do it again.

/**
 * @typedef {object} Dispatch
 * @property {string} kernel its name
 * @property {string} stage the part of the answer that it belongs to
 * @property {GPUComputePipeline} pipeline
 * @property {readonly (readonly [GPUBindGroup, readonly number[]])[]} groups with their dynamic offsets
 * @property {readonly number[]} grid workgroups by x, y and z
 * @property {(() => void) | undefined} setStep writes what changes from token to token as it was
 */

/** Writes down what happens on the page's own GPU device until `stop`. It must be one model's alone. */
export class Recording {
  /** @type {Dispatch[]} */
  dispatches = [];
  /** @type {GPUDevice | undefined} */
  device;
  #undo = [];
  /** Of the passes that are open: what is set in them. */
  #passes = new WeakMap();
  #setStep;
  #sent = 0;

  constructor() {
    const recording = this;
    this.#follow(GPUDevice.prototype, 'createCommandEncoder', function () {
      recording.device = this;
    });
    this.#follow(GPUComputePassEncoder.prototype, 'setPipeline', function (pipeline) {
      recording.#passes.set(this, { pipeline, groups: [] });
    });
    this.#follow(GPUComputePassEncoder.prototype, 'setBindGroup', function (index, group, offsets = [], start = 0, length = offsets.length) {
      // The offsets lie in the module's memory, which goes on changing.
      recording.#passes.get(this).groups[index] = [group, [...offsets.slice(start, start + length)]];
    });
    this.#follow(GPUComputePassEncoder.prototype, 'dispatchWorkgroups', function (...grid) {
      const { pipeline, groups } = recording.#passes.get(this);
      recording.dispatches.push({ kernel: pipeline.label, stage: this.label, pipeline, groups, grid, setStep: undefined });
    });
    this.#follow(GPUQueue.prototype, 'writeBuffer', function (buffer, offset, data, ...range) {
      if (buffer.label === 'step') recording.#note(this, buffer, offset, data, range);
    });
    this.#follow(GPUQueue.prototype, 'submit', () => {
      for (const dispatch of recording.dispatches.slice(recording.#sent)) dispatch.setStep = recording.#setStep;
      recording.#sent = recording.dispatches.length;
    });
  }

  /** Leaves the page's GPU interface as it was. */
  stop() {
    for (const undo of this.#undo) undo();
  }

  #follow(prototype, name, heard) {
    const original = prototype[name];
    prototype[name] = function (...args) {
      heard.apply(this, args);
      return original.apply(this, args);
    };
    this.#undo.push(() => {
      prototype[name] = original;
    });
  }

  #note(queue, buffer, offset, data, [from = 0, length = data.length - from]) {
    const bytes = data.slice(from, from + length);
    this.#setStep = () => queue.writeBuffer(buffer, offset, bytes);
  }
}
