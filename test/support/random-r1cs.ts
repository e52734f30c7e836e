/** Constraint systems of no meaning, drawn from a seed: coefficients small and large, rows that repeat, wires that stand nowhere. For tests. */
import { createRandom } from "../../src/inference/training/exact-math.ts";
import { fieldPrime } from "../../src/zk/field.ts";
import { type Combination, ConstraintSystem, type Term } from "../../src/zk/r1cs/constraint-system.ts";
import { encodeR1cs, type WireLayout } from "../../src/zk/r1cs/r1cs-file.ts";

export interface RandomR1csPlan {
  readonly seed: number;
  readonly constraints: number;
  readonly wires: number;
  readonly layout: WireLayout;
}

export function drawR1cs({ seed, constraints, wires, layout }: RandomR1csPlan): Uint8Array {
  const random = createRandom(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const drawLarge = () =>
    Array.from({ length: 5 }, () => BigInt(below(2 ** 53))).reduce((sum, part) => (sum << 53n) | part, 0n);
  const kinds: readonly (() => bigint)[] = [
    () => 1n,
    () => -1n,
    () => 0n,
    () => BigInt(below(256) - 128),
    () => 1n << BigInt(below(253)),
    () => drawLarge() % fieldPrime,
  ];
  const drawRow = (): Combination => {
    const count = below(6);
    const chosen = [...new Set(Array.from({ length: count }, () => below(wires - 1)))].sort(
      (left, right) => left - right,
    );
    return chosen.map((wire): Term => [wire, (kinds[below(kinds.length)] ?? drawLarge)()]);
  };
  /** Bits over a large number, as a compiler leaves them. */
  const drawScaled = (): Combination => {
    const factor = drawLarge() % fieldPrime;
    return Array.from(
      { length: Math.min(8, wires - 1) },
      (_, bit): Term => [bit, (factor << BigInt(bit)) % fieldPrime],
    );
  };
  const system = new ConstraintSystem();
  for (let wire = 1; wire < wires; wire++) system.addWire(`wire${wire}`);
  const rows: Combination[] = [];
  for (let constraint = 0; constraint < constraints; constraint++) {
    const row = () => {
      const kept = rows[below(2 * rows.length)];
      const drawn = kept ?? (below(4) === 0 ? drawScaled() : drawRow());
      rows.push(drawn);
      return drawn;
    };
    system.constrain(row(), row(), row());
  }
  return encodeR1cs(system, layout);
}
