/** A key's coefficients of A and B, from which a prover computes the quotient: in the order of constraints. Called by first-key.ts. Pure. */
import { fieldPrime, readElement, writeElement } from "../field.ts";
import { one } from "./distinct-values.ts";
import type { CircuitSize, Terms } from "./read-terms.ts";

const [entryBytes, elementBytes] = [12 + 32, 32];
/** Files hold them times 2^512. */
const factor = (1n << 512n) % fieldPrime;

export function encodeCoefficients(terms: Terms, { publicCount, constraintCount }: CircuitSize): Uint8Array {
  const scaled = scaleValues(terms.values.bytes);
  const { wires, coefficients, ends } = terms;
  const end = (combination: number) => (combination < 0 ? 0 : (ends[combination] as number));
  let count = publicCount + 1;
  for (let constraint = 0; constraint < constraintCount; constraint++)
    count += end(3 * constraint + 1) - end(3 * constraint - 1);
  const bytes = new Uint8Array(4 + count * entryBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, count, true);
  let offset = 4;
  const write = (side: number, constraint: number, wire: number, coefficient: number) => {
    view.setUint32(offset, side, true);
    view.setUint32(offset + 4, constraint, true);
    view.setUint32(offset + 8, wire, true);
    bytes.set(scaled.subarray(coefficient * elementBytes, (coefficient + 1) * elementBytes), offset + 12);
    offset += entryBytes;
  };
  for (let constraint = 0; constraint < constraintCount; constraint++) {
    for (const side of [0, 1]) {
      for (let term = end(3 * constraint + side - 1); term < end(3 * constraint + side); term++) {
        write(side, constraint, wires[term] as number, coefficients[term] as number);
      }
    }
  }
  for (let wire = 0; wire <= publicCount; wire++) write(0, constraintCount + wire, wire, one);
  return bytes;
}

function scaleValues(values: Uint8Array): Uint8Array {
  const scaled = new Uint8Array(values.length);
  for (let offset = 0; offset < values.length; offset += elementBytes) {
    writeElement((readElement(values, offset) * factor) % fieldPrime, scaled, offset);
  }
  return scaled;
}
