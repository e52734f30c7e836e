/**
 * BN254's arithmetic over a memory of its own: ffjavascript's WebAssembly, called without its threads and queues. Who opens an instance
 * says how much memory it needs; nothing grows later, so that views stay valid. Called by setup-thread.ts. Effects: that memory.
 */

type Call = (...pointers: readonly number[]) => void;

export type GroupName = "g1m" | "g2m";

export interface GroupCalls {
  readonly name: GroupName;
  readonly affineBytes: number;
  readonly jacobianBytes: number;
  readonly zero: Call;
  readonly double: Call;
  /** Of two in Jacobian coordinates. */
  readonly add: Call;
  /** An affine point to or from one in Jacobian coordinates. */
  readonly addMixed: Call;
  readonly subMixed: Call;
  /** Of two affine ones, to Jacobian coordinates. */
  readonly subAffine: Call;
  /** From, number, to; in place if wanted. Zero becomes zeros. */
  readonly batchToAffine: Call;
  /** Affine points as transcripts hash them: big-endian and not in Montgomery form. From, number, to. */
  readonly batchLEMtoU: Call;
  /** An x times an element of the prime field. */
  readonly scaleX: Call;
}

const pageBytes = 65_536;
const elementBytes = 32;
/** For what the code takes at the end of its memory while points become affine: two elements for each, of the second group. */
const scratchBytesPerPoint = 4 * elementBytes;

export class CurveInstance {
  readonly bytes: Uint8Array;
  readonly g1: GroupCalls;
  readonly g2: GroupCalls;
  readonly #exports: WebAssembly.Instance["exports"];
  /** The code keeps its own first free address in the first word. */
  readonly #free: Uint32Array;

  private constructor(exports: WebAssembly.Instance["exports"], memory: WebAssembly.Memory) {
    this.#exports = exports;
    this.bytes = new Uint8Array(memory.buffer);
    this.#free = new Uint32Array(memory.buffer, 0, 1);
    this.g1 = this.#group("g1m", elementBytes, "f1m_mul");
    this.g2 = this.#group("g2m", 2 * elementBytes, "f2m_mul1");
  }

  /** @param bytes all that `allocate` will be asked for @param points the most that become affine at once */
  static async open(
    module: WebAssembly.Module,
    { bytes, points }: { readonly bytes: number; readonly points: number },
  ): Promise<CurveInstance> {
    // 25 pages are what ffjavascript gives its code for constants and intermediate values.
    const pages = 25 + Math.ceil((bytes + points * scratchBytesPerPoint) / pageBytes) + 1;
    const memory = new WebAssembly.Memory({ initial: pages });
    const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
    return new CurveInstance(exports, memory);
  }

  allocate(bytes: number): number {
    const start = ((this.#free[0] as number) + 7) & ~7;
    this.#free[0] = start + bytes;
    if (start + bytes > this.bytes.length) throw new RangeError(`The curve's memory has no ${bytes} bytes left.`);
    return start;
  }

  call(name: string): Call {
    const found = this.#exports[name];
    if (typeof found === "function") return found as Call;
    throw new Error(`ffjavascript's WebAssembly has no ${name}: this is written for version 0.3.`);
  }

  #group(name: GroupName, coordinateBytes: number, scaleX: string): GroupCalls {
    return {
      name,
      affineBytes: 2 * coordinateBytes,
      jacobianBytes: 3 * coordinateBytes,
      zero: this.call(`${name}_zero`),
      double: this.call(`${name}_double`),
      add: this.call(`${name}_add`),
      addMixed: this.call(`${name}_addMixed`),
      subMixed: this.call(`${name}_subMixed`),
      subAffine: this.call(`${name}_subAffine`),
      batchToAffine: this.call(`${name}_batchToAffine`),
      batchLEMtoU: this.call(`${name}_batchLEMtoU`),
      scaleX: this.call(scaleX),
    };
  }
}
