/** Writes values as Rust's bincode does with fixed sizes, little-endian: what EZKL's files are made of. */
import { mod, writeElement } from "../../../../src/zk/field.ts";

export class BincodeWriter {
  readonly #parts: Buffer[] = [];

  get bytes(): Uint8ClampedArray {
    return new Uint8ClampedArray(Buffer.concat(this.#parts));
  }

  u8(value: number): this {
    this.#parts.push(Buffer.of(value));
    return this;
  }

  bool(value: boolean): this {
    return this.u8(value ? 1 : 0);
  }

  none(): this {
    return this.u8(0);
  }

  some(): this {
    return this.u8(1);
  }

  u32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    this.#parts.push(part);
    return this;
  }

  i32(value: number): this {
    return this.u32(value >>> 0);
  }

  f32(value: number): this {
    const part = Buffer.alloc(4);
    part.writeFloatLE(value);
    this.#parts.push(part);
    return this;
  }

  usize(value: number): this {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt(value));
    this.#parts.push(part);
    return this;
  }

  i128(value: number): this {
    const part = Buffer.alloc(16);
    part.writeBigInt64LE(BigInt(value));
    part.writeBigInt64LE(value < 0 ? -1n : 0n, 8);
    this.#parts.push(part);
    return this;
  }

  element(value: bigint): this {
    const part = Buffer.alloc(32);
    writeElement(mod(value), part, 0);
    this.#parts.push(part);
    return this;
  }

  text(value: string): this {
    this.usize(value.length);
    this.#parts.push(Buffer.from(value));
    return this;
  }

  list<T>(values: readonly T[], write: (value: T) => unknown): this {
    this.usize(values.length);
    values.forEach(write);
    return this;
  }

  usizes(values: readonly number[]): this {
    return this.list(values, (value) => this.usize(value));
  }
}
