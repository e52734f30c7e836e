/**
 * The quotient of a Groth16 proof, as values on the domain's odd points: A * B - C there, which the vanishing polynomial divides where the
 * witness satisfies the constraints. Called by prove-groth16.ts. Pure but for the curve's threads.
 */
import type { Curve } from "ffjavascript";
import { fieldPrime, invert, writeElement } from "../field.ts";
import type { ProvingKey } from "./proving-key.ts";

const elementBytes = 32;
/** Elements are held times 2^256, coefficients times 2^512. */
const inverseOfRadix = invert(1n << 256n);

/** @returns scalars, one for each of the domain's points */
export async function computeQuotient(curve: Curve, key: ProvingKey, witness: readonly bigint[]): Promise<Uint8Array> {
  const onDomain = evaluateConstraints(key, witness);
  const shifted = await Promise.all(onDomain.map((values) => moveToOddPoints(curve, values)));
  return joinOddPoints(curve, shifted, key.domainSize);
}

/** A, B and their product C on the domain, in Montgomery form. */
function evaluateConstraints({ coefficients, domainSize }: ProvingKey, witness: readonly bigint[]): Uint8Array[] {
  const { sides, constraints, wires, values } = coefficients;
  const sums = [new Array<bigint>(domainSize).fill(0n), new Array<bigint>(domainSize).fill(0n)] as const;
  for (let index = 0; index < values.length; index++) {
    const wire = witness[wires[index] as number] as bigint;
    if (wire === 0n) continue;
    const side = sums[sides[index] as 0 | 1];
    const constraint = constraints[index] as number;
    side[constraint] = (side[constraint] as bigint) + wire * (values[index] as bigint);
  }
  const [a, b, c] = [0, 1, 2].map(() => new Uint8Array(domainSize * elementBytes)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  for (let constraint = 0; constraint < domainSize; constraint++) {
    const [left, right] = sums.map((side) => reduce(side[constraint] as bigint)) as [bigint, bigint];
    const offset = constraint * elementBytes;
    if (left !== 0n) writeElement(left, a, offset);
    if (right !== 0n) writeElement(right, b, offset);
    if (left !== 0n && right !== 0n) writeElement(reduce(left * right), c, offset);
  }
  return [a, b, c];
}

/** One factor of 2^256 less. */
function reduce(value: bigint): bigint {
  return value === 0n ? 0n : ((value % fieldPrime) * inverseOfRadix) % fieldPrime;
}

/** Interpolated, each coefficient times a power of the root between two of the domain's points, and evaluated again: on one thread, in place. */
async function moveToOddPoints({ Fr, tm }: Curve, values: Uint8Array): Promise<Uint8Array> {
  const size = values.length / elementBytes;
  const power = Math.log2(size);
  const root = power === Fr.s ? Fr.shift : Fr.w[power + 1];
  if (root === undefined) throw new RangeError(`There is no domain of 2^${power + 1} points.`);
  const [data, count, one, factor] = [{ var: 0 }, { val: size }, { var: 1 }, { var: 2 }];
  const [moved = values] = await tm.queueAction([
    { cmd: "ALLOCSET", var: 0, buff: values },
    { cmd: "ALLOCSET", var: 1, buff: Fr.e(1) },
    { cmd: "ALLOCSET", var: 2, buff: root },
    { cmd: "CALL", fnName: "frm_ifft", params: [data, count] },
    { cmd: "CALL", fnName: "frm_batchApplyKey", params: [data, count, one, factor, data] },
    { cmd: "CALL", fnName: "frm_fft", params: [data, count] },
    { cmd: "GET", out: 0, var: 0, len: values.length },
  ]);
  return moved;
}

async function joinOddPoints({ tm }: Curve, values: readonly Uint8Array[], domainSize: number): Promise<Uint8Array> {
  const perThread = Math.ceil(domainSize / tm.concurrency);
  const starts = Array.from({ length: Math.ceil(domainSize / perThread) }, (_, index) => index * perThread);
  const parts = await Promise.all(
    starts.map((start) => {
      const count = Math.min(perThread, domainSize - start);
      const part = (all: Uint8Array) => all.slice(start * elementBytes, (start + count) * elementBytes);
      const length = count * elementBytes;
      return tm.queueAction([
        ...values.map((all, index) => ({ cmd: "ALLOCSET", var: index, buff: part(all) }) as const),
        { cmd: "ALLOC", var: 3, len: length },
        {
          cmd: "CALL",
          fnName: "qap_joinABC",
          params: [{ var: 0 }, { var: 1 }, { var: 2 }, { val: count }, { var: 3 }],
        },
        { cmd: "CALL", fnName: "frm_batchFromMontgomery", params: [{ var: 3 }, { val: count }, { var: 3 }] },
        { cmd: "GET", out: 0, var: 3, len: length },
      ]);
    }),
  );
  const joined = new Uint8Array(domainSize * elementBytes);
  parts.forEach(([part], index) => {
    joined.set(part ?? [], (starts[index] as number) * elementBytes);
  });
  return joined;
}
