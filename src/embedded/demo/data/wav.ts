/** Reads the one kind of WAV file that the speech demo uses: 16 bit PCM, mono. Pure. */
import { InferiumError } from "../../../base/errors.ts";

export interface Recording {
  readonly sampleRate: number;
  /** In [-1, 1). */
  readonly samples: Float32Array;
}

interface Chunk {
  readonly id: string;
  readonly data: DataView;
}

/** @throws InferiumError InvalidData */
export function readWav(bytes: Uint8Array): Recording {
  const chunks = listChunks(bytes);
  const format = requireChunk(chunks, "fmt ");
  const data = requireChunk(chunks, "data");
  const [encoding, channels, bits] = [format.getUint16(0, true), format.getUint16(2, true), format.getUint16(14, true)];
  if (encoding !== 1 || channels !== 1 || bits !== 16) {
    throw invalid(
      `has encoding ${encoding}, ${channels} channels of ${bits} bits; expected PCM (1), 1 channel of 16 bits`,
    );
  }
  const samples = Float32Array.from({ length: data.byteLength >> 1 }, (_, i) => data.getInt16(2 * i, true) / 32768);
  return { sampleRate: format.getUint32(4, true), samples };
}

function listChunks(bytes: Uint8Array): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 12 || textAt(view, 0) !== "RIFF" || textAt(view, 8) !== "WAVE")
    throw invalid("is not RIFF/WAVE");
  const chunks: Chunk[] = [];
  for (let offset = 12; offset + 8 <= bytes.byteLength; ) {
    const length = view.getUint32(offset + 4, true);
    if (length > bytes.byteLength - offset - 8) throw invalid(`is cut off in its chunk "${textAt(view, offset)}"`);
    chunks.push({ id: textAt(view, offset), data: new DataView(bytes.buffer, bytes.byteOffset + offset + 8, length) });
    // Chunks begin at even offsets.
    offset += 8 + length + (length % 2);
  }
  return chunks;
}

function requireChunk(chunks: readonly Chunk[], id: string): DataView {
  const chunk = chunks.find((candidate) => candidate.id === id);
  if (chunk === undefined || (id === "fmt " && chunk.data.byteLength < 16)) throw invalid(`has no whole chunk "${id}"`);
  return chunk.data;
}

function textAt(view: DataView, offset: number): string {
  return String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(offset + i)));
}

function invalid(what: string): InferiumError {
  return new InferiumError("InvalidData", `The WAV file ${what}.`);
}
