/**
 * Keccak-256, as the chain hashes. Receipts, leaves and trees are hashed several times for each task by each who checks them, so
 * this is WebAssembly, made when it is first needed. Pure.
 */
import { blockBytes, buildKeccakModule, inputAt, pageBytes } from "./keccak-module.ts";

interface Engine {
  readonly memory: WebAssembly.Memory;
  /** Of the memory, which is another one after it grew. */
  bytes: Buffer;
  readonly hash: (blocks: number) => void;
}

let engine: Engine | undefined;

/** @param length of what is hashed, from the beginning. @returns 0x-hex of 32 bytes */
export function keccak256(data: Uint8Array, length = data.length): string {
  const { bytes } = reserve(length);
  bytes.set(length === data.length ? data : data.subarray(0, length), inputAt);
  return finish(length);
}

/** Of its UTF-8. */
export function keccakText(text: string): string {
  const { bytes } = reserve(3 * text.length);
  return finish(bytes.write(text, inputAt, "utf8"));
}

function reserve(length: number): Engine {
  engine ??= open();
  const missing = inputAt + length + blockBytes - engine.bytes.length;
  if (missing > 0) {
    engine.memory.grow(Math.ceil(missing / pageBytes));
    engine.bytes = Buffer.from(engine.memory.buffer);
  }
  return engine;
}

function finish(length: number): string {
  const { bytes, hash } = engine as Engine;
  const blocks = Math.floor(length / blockBytes) + 1;
  const end = inputAt + blocks * blockBytes;
  bytes.fill(0, inputAt + length, end);
  bytes[inputAt + length] = 1;
  bytes[end - 1] = (bytes[end - 1] ?? 0) | 0x80;
  hash(blocks);
  return `0x${bytes.toString("hex", 0, 32)}`;
}

function open(): Engine {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(buildKeccakModule()));
  const { m, f } = exports as { m: WebAssembly.Memory; f: (blocks: number) => void };
  return { memory: m, bytes: Buffer.from(m.buffer), hash: f };
}
