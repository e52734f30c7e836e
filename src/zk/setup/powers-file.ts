/**
 * The parts of a prepared powers-of-tau file that a circuit's key is made from, which are no more than its domain needs. Format: iden3's
 * ptau version 1, over BN254. Called by first-key.ts. Effects: reads the file.
 */
import { type FileHandle, open } from "node:fs/promises";
import { InferiumError } from "../../base/errors.ts";
import { basePrime } from "../coordinates.ts";
import { readElement } from "../field.ts";
import type { LagrangePoints } from "./sum-task.ts";

interface SectionPlace {
  readonly start: number;
  readonly size: number;
}

const [g1Bytes, g2Bytes] = [64, 128];
/** Powers of tau; then alpha and beta times them; Lagrange polynomials of every domain, times one, alpha and beta. */
const section = {
  tauG1: 2,
  alphaG1: 4,
  betaG1: 5,
  betaG2: 6,
  lagrangeG1: 12,
  lagrangeG2: 13,
  lagrangeAlpha: 14,
  lagrangeBeta: 15,
};

export class PowersFile {
  readonly #file: FileHandle;
  readonly #sections: ReadonlyMap<number, SectionPlace>;
  readonly #path: string;
  readonly power: number;

  private constructor(file: FileHandle, path: string, sections: ReadonlyMap<number, SectionPlace>, power: number) {
    this.#file = file;
    this.#path = path;
    this.#sections = sections;
    this.power = power;
  }

  /** @throws InferiumError InvalidPowersOfTau, CircuitTooLarge */
  static async use<T>(path: string, domainSize: number, work: (powers: PowersFile) => Promise<T>): Promise<T> {
    const file = await open(path);
    try {
      const sections = await readSections(file, path);
      const header = await readAt(file, path, sections.get(1)?.start ?? 0, 4 + 32 + 4);
      const isBn254 = header.readUInt32LE(0) === 32 && readElement(header, 4) === basePrime;
      if (!isBn254) throw invalid(path, "are not over BN254");
      const power = header.readUInt32LE(36);
      if (!sections.has(section.lagrangeG1)) throw invalid(path, "are not prepared for the second phase");
      if (domainSize > 2 ** power) throw tooLarge(domainSize, power);
      return await work(new PowersFile(file, path, sections, power));
    } finally {
      await file.close();
    }
  }

  /** In shared memory. Those of a domain follow those of all smaller ones. */
  async readLagrange(domainSize: number): Promise<LagrangePoints> {
    const read = (type: number, bytes: number) =>
      this.#read(type, domainSize - 1, { count: domainSize, bytes, isShared: true });
    return {
      g1: await read(section.lagrangeG1, g1Bytes),
      g2: await read(section.lagrangeG2, g2Bytes),
      alphaG1: await read(section.lagrangeAlpha, g1Bytes),
      betaG1: await read(section.lagrangeBeta, g1Bytes),
    };
  }

  /** The polynomials of the domain twice as large that are not of this one: every other of them. */
  async readOddLagrange(domainSize: number): Promise<Uint8Array> {
    const all = await this.#read(section.lagrangeG1, 2 * domainSize - 1, { count: 2 * domainSize, bytes: g1Bytes });
    const odd = new Uint8Array(domainSize * g1Bytes);
    for (let index = 0; index < domainSize; index++) {
      const from = (2 * index + 1) * g1Bytes;
      odd.set(all.subarray(from, from + g1Bytes), index * g1Bytes);
    }
    return odd;
  }

  /** Powers of the secret from one on. snarkjs reads past the last, into the next section, and so must we: it is hashed. */
  readTau(first: number, count: number): Promise<Uint8Array> {
    return this.#read(section.tauG1, first, { count, bytes: g1Bytes, isPastEnd: true });
  }

  async readFirst(): Promise<{
    readonly alphaG1: Uint8Array;
    readonly betaG1: Uint8Array;
    readonly betaG2: Uint8Array;
  }> {
    return {
      alphaG1: await this.#read(section.alphaG1, 0, { count: 1, bytes: g1Bytes }),
      betaG1: await this.#read(section.betaG1, 0, { count: 1, bytes: g1Bytes }),
      betaG2: await this.#read(section.betaG2, 0, { count: 1, bytes: g2Bytes }),
    };
  }

  async #read(
    type: number,
    first: number,
    { count, bytes, isShared = false, isPastEnd = false }: Reading,
  ): Promise<Uint8Array> {
    const place = this.#sections.get(type);
    const [offset, length] = [first * bytes, count * bytes];
    if (place === undefined || (!isPastEnd && offset + length > place.size)) {
      throw invalid(this.#path, `hold less in section ${type} than a domain of this power takes`);
    }
    const target = isShared ? new Uint8Array(new SharedArrayBuffer(length)) : new Uint8Array(length);
    await fill(this.#file, this.#path, place.start + offset, target);
    return target;
  }
}

interface Reading {
  readonly count: number;
  readonly bytes: number;
  readonly isShared?: boolean;
  readonly isPastEnd?: boolean;
}

async function readSections(file: FileHandle, path: string): Promise<Map<number, SectionPlace>> {
  const head = await readAt(file, path, 0, 12);
  if (head.toString("latin1", 0, 4) !== "ptau" || head.readUInt32LE(4) !== 1)
    throw invalid(path, "are no ptau file of version 1");
  const sections = new Map<number, SectionPlace>();
  let offset = 12;
  for (let left = head.readUInt32LE(8); left > 0; left--) {
    const sectionHead = await readAt(file, path, offset, 12);
    const size = Number(sectionHead.readBigUInt64LE(4));
    sections.set(sectionHead.readUInt32LE(0), { start: offset + 12, size });
    offset += 12 + size;
  }
  return sections;
}

async function readAt(file: FileHandle, path: string, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await fill(file, path, position, bytes);
  return bytes;
}

/** One call reads 2 GiB at most. */
const mostBytesAtOnce = 2 ** 30;

async function fill(file: FileHandle, path: string, position: number, target: Uint8Array): Promise<void> {
  for (let done = 0; done < target.length; ) {
    const length = Math.min(mostBytesAtOnce, target.length - done);
    const { bytesRead } = await file.read(target, done, length, position + done);
    if (bytesRead === 0) throw invalid(path, "end before what their sections say");
    done += bytesRead;
  }
}

function invalid(path: string, what: string): InferiumError {
  return new InferiumError("InvalidPowersOfTau", `The powers of tau at ${path} ${what}. Fetch them again.`);
}

function tooLarge(domainSize: number, power: number): InferiumError {
  return new InferiumError(
    "CircuitTooLarge",
    `The circuit is larger than the powers of tau: it takes a domain of ${domainSize}, they are for 2^${power}. Use larger ones, or prove fewer rows at once.`,
  );
}
