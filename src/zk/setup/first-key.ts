/**
 * The first key of a circuit's set-up (Groth 2016, section 3.2, with delta one): what everybody makes alike, and nobody may use. It is
 * byte for byte what snarkjs makes; so is its hash over all points, which every later step carries on. Called by set-up.ts.
 * Effects: reads both files, threads while it works.
 */
import { createHash, type Hash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Curve } from "ffjavascript";
import type { CurveCode } from "./curve-code.ts";
import { encodeCoefficients } from "./encode-coefficients.ts";
import { groupRows, type RowGroups } from "./group-rows.ts";
import { encodeHead, encodeProtocol, g1Bytes, g2Bytes, type KeySections, keySection } from "./key-sections.ts";
import { mostSums, type PointSums } from "./point-summer.ts";
import { PowersFile } from "./powers-file.ts";
import { type CircuitSize, readTerms } from "./read-terms.ts";
import { SetupThreads } from "./setup-threads.ts";
import type { CircuitData, SetupTask, WireSum } from "./sum-task.ts";

export interface FirstKeyFiles {
  readonly r1csPath: string;
  readonly powersOfTauPath: string;
}

/** Wires are summed in parts of about so many terms. */
const termsAtOnce = 4096;

/** @throws InferiumError InvalidBinaryFile, InvalidR1cs, InvalidPowersOfTau, CircuitTooLarge, SetupFailed */
export async function makeFirstKey(
  { r1csPath, powersOfTauPath }: FirstKeyFiles,
  code: CurveCode,
): Promise<KeySections> {
  const { size, terms } = readTerms(await readFile(r1csPath));
  const coefficients = encodeCoefficients(terms, size);
  const groups = groupRows(terms, size);
  return PowersFile.use(powersOfTauPath, size.domainSize, async (powers) => {
    const lagrange = await powers.readLagrange(size.domainSize);
    const circuit = { groups, lagrange, groupPoints: allocateGroupPoints(groups) };
    const threads = new SetupThreads({ module: code.module, circuit });
    try {
      return await new FirstKey({ curve: code.curve, size, circuit, powers, threads }).make(coefficients);
    } finally {
      await threads.close();
    }
  });
}

function allocateGroupPoints({ groupCount }: RowGroups): CircuitData["groupPoints"] {
  const allocate = (bytes: number) => new Uint8Array(new SharedArrayBuffer(groupCount * bytes));
  return { a: allocate(g1Bytes), b1: allocate(g1Bytes), b2: allocate(g2Bytes), statement: allocate(g1Bytes) };
}

interface FirstKeyInput {
  readonly curve: Curve;
  readonly size: CircuitSize;
  readonly circuit: CircuitData;
  readonly powers: PowersFile;
  readonly threads: SetupThreads;
}

class FirstKey {
  readonly #curve: Curve;
  readonly #size: CircuitSize;
  readonly #circuit: CircuitData;
  readonly #powers: PowersFile;
  readonly #threads: SetupThreads;
  readonly #hash: Hash = createHash("blake2b512");

  constructor({ curve, size, circuit, powers, threads }: FirstKeyInput) {
    this.#curve = curve;
    this.#size = size;
    this.#circuit = circuit;
    this.#powers = powers;
    this.#threads = threads;
  }

  /** Hashed in this order, and kept in the order of snarkjs' file. */
  async make(coefficients: Uint8Array): Promise<KeySections> {
    const { wireCount, publicCount, domainSize } = this.#size;
    await Promise.all((["statement", "b2", "a", "b1"] as const).map((sum) => this.#sumGroups(sum)));
    const head = await this.#makeHead();
    const firstPrivate = publicCount + 1;
    const ic = await this.#sumWires("statement", 0, firstPrivate);
    const h = await this.#powers.readOddLagrange(domainSize);
    await this.#hashPowers();
    const c = await this.#sumWires("statement", firstPrivate, wireCount);
    const a = await this.#sumWires("a", 0, wireCount);
    const b1 = await this.#sumWires("b1", 0, wireCount);
    const b2 = await this.#sumWires("b2", 0, wireCount);
    const noSteps = Buffer.concat([this.#hash.digest(), Buffer.alloc(4)]);
    return new Map([
      [keySection.protocol, encodeProtocol()],
      [keySection.head, head],
      [keySection.coefficients, coefficients],
      [keySection.ic, ic],
      [keySection.h, h],
      [keySection.c, c],
      [keySection.a, a],
      [keySection.b1, b1],
      [keySection.b2, b2],
      [keySection.steps, noSteps],
    ]);
  }

  async #makeHead(): Promise<Uint8Array> {
    const { G1, G2 } = this.#curve;
    const { alphaG1, betaG1, betaG2 } = await this.#powers.readFirst();
    const [one1, one2] = [G1.toAffine(G1.g).slice(0, g1Bytes), G2.toAffine(G2.g).slice(0, g2Bytes)];
    const inG1 = [alphaG1, betaG1];
    for (const point of inG1) this.#hashPoint("G1", point);
    for (const point of [betaG2, one2]) this.#hashPoint("G2", point);
    this.#hashPoint("G1", one1);
    this.#hashPoint("G2", one2);
    const points = { alpha1: alphaG1, beta1: betaG1, beta2: betaG2, gamma2: one2, delta1: one1, delta2: one2 };
    return encodeHead(this.#size, points);
  }

  #hashPoint(group: "G1" | "G2", point: Uint8Array): void {
    const bytes = new Uint8Array(point.length);
    this.#curve[group].toRprUncompressed(bytes, 0, point);
    this.#hash.update(bytes);
  }

  #hashCount(count: number): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(count);
    this.#hash.update(bytes);
  }

  async #sumGroups(sum: WireSum): Promise<void> {
    const points = this.#circuit.groupPoints[sum];
    const tasks = splitPoints(this.#circuit.groups.groupCount);
    await Promise.all(
      tasks.map(async ([from, to]) => {
        const sums = await this.#threads.sum({ kind: "groups", sum, from, to });
        points.set(sums.points, (from * sums.points.length) / (to - from));
      }),
    );
  }

  async #sumWires(sum: WireSum, from: number, to: number): Promise<Uint8Array> {
    const pointBytes = sum === "b2" ? g2Bytes : g1Bytes;
    const points = new Uint8Array((to - from) * pointBytes);
    const parts = splitWires(this.#circuit.groups, from, to);
    const tasks = parts.map(([start, end]) => ({ kind: "wires", sum, from: start, to: end }) as const);
    this.#hashCount(to - from);
    await this.#inOrder(tasks, (sums, task) => points.set(sums.points, (task.from - from) * pointBytes));
    return points;
  }

  /** The vanishing polynomial times powers of the secret. In parts of the size of snarkjs', the last of which is as long as all others. */
  async #hashPowers(): Promise<void> {
    const { domainSize } = this.#size;
    const partSize = Math.min(domainSize - 1, 1 << 14);
    this.#hashCount(domainSize - 1);
    for (let start = 0; start < domainSize - 1; start += partSize) {
      const [points, less] = [
        await this.#powers.readTau(start + domainSize, partSize),
        await this.#powers.readTau(start, partSize),
      ];
      const tasks = splitPoints(partSize).map(([from, to]) => {
        const part = (all: Uint8Array) => all.slice(from * g1Bytes, to * g1Bytes);
        return { kind: "subtract", points: part(points), less: part(less) } as const;
      });
      await this.#inOrder(tasks, () => undefined);
    }
  }

  /** Tasks run on all threads; what they give is hashed and taken in their order. */
  async #inOrder<T extends SetupTask>(tasks: readonly T[], take: (sums: PointSums, task: T) => void): Promise<void> {
    const answers = tasks.map((task) => this.#threads.sum(task));
    // Of a task that fails, the first to be awaited tells.
    for (const answer of answers) answer.catch(() => undefined);
    for (const [index, task] of tasks.entries()) {
      const sums = (await answers[index]) as PointSums;
      this.#hash.update(sums.uncompressed);
      take(sums, task);
    }
  }
}

function splitWires({ wireStarts }: RowGroups, from: number, to: number): (readonly [number, number])[] {
  const parts: (readonly [number, number])[] = [];
  let start = from;
  for (let wire = from; wire < to; wire++) {
    const terms = (wireStarts[wire + 1] as number) - (wireStarts[start] as number);
    if (terms < termsAtOnce && wire + 1 - start < mostSums && wire + 1 < to) continue;
    parts.push([start, wire + 1]);
    start = wire + 1;
  }
  return parts;
}

export function splitPoints(count: number): (readonly [number, number])[] {
  const starts = Array.from({ length: Math.ceil(count / mostSums) }, (_, index) => index * mostSums);
  return starts.map((start) => [start, Math.min(count, start + mostSums)]);
}
