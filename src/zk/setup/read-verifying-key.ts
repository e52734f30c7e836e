/** The verifying key that a proving key's file holds. Called by set-up.ts. Pure. */
import { decodeCoordinate } from "../coordinates.ts";
import type { PointG1, PointG2, VerifyingKey } from "../proving/groth16.ts";
import { g1Bytes, type KeySections, keySection, readHeadPoints, sectionBytes } from "./key-sections.ts";

export function readVerifyingKey(sections: KeySections): VerifyingKey {
  const { alpha1, beta2, gamma2, delta2 } = readHeadPoints(sectionBytes(sections, keySection.head));
  const points = sectionBytes(sections, keySection.ic);
  const ic = Array.from({ length: points.length / g1Bytes }, (_, index) => readG1(points, index * g1Bytes));
  return { alpha: readG1(alpha1, 0), beta: readG2(beta2), gamma: readG2(gamma2), delta: readG2(delta2), ic };
}

function readG1(bytes: Uint8Array, offset: number): PointG1 {
  return [String(decodeCoordinate(bytes, offset)), String(decodeCoordinate(bytes, offset + 32))];
}

function readG2(bytes: Uint8Array): PointG2 {
  return [readG1(bytes, 0), readG1(bytes, 64)];
}
