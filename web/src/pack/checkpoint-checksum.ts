// The checksum by which a checkpoint is known again, as the command line has it and `convert` writes it into packs.

import { digest, hex } from './sha256.js';

/** Bytes of each tensor that are looked at: enough to tell trainings apart, and soon read. */
const LOOKED_AT = 4096;

/** Of `config.json` and, file by file, the headers of the weights and the first 4 KiB of every tensor. */
export async function checkpointChecksum(files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<string> {
  const parts: Uint8Array[] = [files.get('config.json') ?? new Uint8Array()];
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.endsWith('.safetensors')) continue;
    const start = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    parts.push(bytes.subarray(0, start));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Record<string, { data_offsets?: [number, number] }>;
    for (const { data_offsets: place } of Object.values(header)) {
      if (place) parts.push(bytes.subarray(start + place[0], start + Math.min(place[1], place[0] + LOOKED_AT)));
    }
  }
  return hex(await digest(new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer())));
}
