/** The protobuf wire format: tags, varints, doubles and length-delimited bytes, each checked against the end. Pure. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

const varintType = 0;
const fixed64Type = 1;
const bytesType = 2;
const fixed32Type = 5;

export class ProtobufReader {
  readonly #buffer: Buffer;
  #position = 0;

  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  get done(): boolean {
    return this.#position >= this.#buffer.length;
  }

  tag(): { number: number; wireType: number } {
    const tag = Number(this.#rawVarint());
    return { number: tag >>> 3, wireType: tag & 7 };
  }

  /** A signed 64-bit value; those of Kubernetes fit a double exactly. */
  varint(wireType: number): number {
    expectType(wireType, varintType);
    return Number(BigInt.asIntN(64, this.#rawVarint()));
  }

  double(wireType: number): number {
    expectType(wireType, fixed64Type);
    return this.#take(8).readDoubleLE(0);
  }

  bytes(wireType: number): Buffer {
    expectType(wireType, bytesType);
    return this.#take(Number(this.#rawVarint()));
  }

  skip(wireType: number): void {
    if (wireType === varintType) this.#rawVarint();
    else if (wireType === fixed64Type) this.#take(8);
    else if (wireType === bytesType) this.#take(Number(this.#rawVarint()));
    else if (wireType === fixed32Type) this.#take(4);
    else throw new ProtobufError(`wire type ${wireType} is not supported`);
  }

  #rawVarint(): bigint {
    let result = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#buffer[this.#position++];
      if (byte === undefined) throw new ProtobufError("the message ends inside of a number");
      result |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return result;
    }
    throw new ProtobufError("a number is longer than ten bytes");
  }

  #take(length: number): Buffer {
    const end = this.#position + length;
    if (end > this.#buffer.length) throw new ProtobufError("the message ends inside of a field");
    const part = this.#buffer.subarray(this.#position, end);
    this.#position = end;
    return part;
  }
}

function expectType(got: number, wanted: number): void {
  if (got !== wanted) throw new ProtobufError(`a field has wire type ${got}, expected ${wanted}`);
}
