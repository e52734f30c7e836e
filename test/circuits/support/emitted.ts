/** One template as src/zk/circuit emits it, alone in a constraint system, with its inputs by signal. */
import { mod } from "../../../src/zk/field.ts";
import { ConstraintSystem } from "../../../src/zk/r1cs/constraint-system.ts";
import { type Constraint, decodeR1cs, encodeR1cs } from "../../../src/zk/r1cs/r1cs-file.ts";
import type { Signals, TemplateCase } from "./templates.ts";

export interface Emitted {
  readonly system: ConstraintSystem;
  readonly names: ReadonlyMap<string, number>;
  readonly inputs: ReadonlySet<number>;
  readonly constraints: readonly Constraint[];
  assign(signals: Signals): Map<number, bigint>;
}

export function emit({ name, inputs, add }: TemplateCase): Emitted {
  const names = new Map<string, number>();
  const system = new ConstraintSystem({ names });
  const wires = Object.fromEntries(
    Object.entries(inputs).map(([signal, length]) => {
      const path = `main.${name}_${signal}`;
      return [signal, length > 0 ? system.addWires(path, length) : [system.addWire(path)]];
    }),
  );
  add(system, `main.${name}`, wires);
  const layout = { publicOutputs: 0, publicInputs: 0, privateInputs: 0 };
  return {
    system,
    names,
    inputs: new Set(Object.values(wires).flat()),
    constraints: decodeR1cs(encodeR1cs(system, layout)).constraints,
    assign: (signals) =>
      new Map(
        Object.entries(wires).flatMap(([signal, all]) =>
          all.map((wire, index) => [wire, mod(BigInt(signals[signal]?.[index] ?? 0))] as const),
        ),
      ),
  };
}
