/**
 * Templates as circom compiles them, all in one main component, so that it compiles once: their constraints over our wires, and its
 * witness program. Effects: a folder until it is disposed of.
 */
import { wtns } from "snarkjs";
import { mod } from "../../../src/zk/field.ts";
import { type Constraint, decodeR1cs } from "../../../src/zk/r1cs/r1cs-file.ts";
import { decodeWitness } from "../../../src/zk/r1cs/witness-file.ts";
import { compileCircom } from "../../support/compile-circom.ts";
import { translate } from "./comparable.ts";
import { emit } from "./emitted.ts";
import { emitGallery, type Signals, type TemplateCase } from "./templates.ts";

export interface Gallery {
  /** Wire by name, of all templates. */
  readonly wires: ReadonlyMap<string, number>;
  /** Of one template. */
  constraintsOf(name: string): readonly Constraint[];
  /** The witness where the other templates have honest inputs. Rejects where an assertion fails. */
  run(subject: TemplateCase, signals: Signals): Promise<bigint[]>;
  dispose(): Promise<void>;
}

export async function compileGallery(subjects: readonly TemplateCase[], timeoutMs: number): Promise<Gallery> {
  const circom = await compileCircom(emitGallery(subjects), timeoutMs);
  const { constraints } = decodeR1cs(circom.r1cs);
  const theirs = new Map<string, Constraint[]>();
  for (const subject of subjects) {
    const { names } = emit(subject);
    const mapped = new Map([[0, 0]]);
    for (const [name, wire] of circom.wires) if (names.has(name)) mapped.set(wire, names.get(name) as number);
    theirs.set(subject.name, translate(constraints, mapped));
  }
  return {
    wires: circom.wires,
    constraintsOf: (name) => theirs.get(name) ?? [],
    run: async (subject, signals) => {
      const file: { type: "mem"; data?: Uint8Array } = { type: "mem" };
      await wtns.calculate(galleryInputs(subjects, subject, signals), circom.wasmPath, file);
      return decodeWitness(file.data ?? new Uint8Array());
    },
    dispose: () => circom.dispose(),
  };
}

/** Honest but for one template. */
function galleryInputs(
  subjects: readonly TemplateCase[],
  { name }: TemplateCase,
  signals: Signals,
): Record<string, bigint | bigint[]> {
  const inputs: Record<string, bigint | bigint[]> = {};
  for (const other of subjects) {
    const values = other.name === name ? signals : (other.honest[0] as Signals);
    for (const [signal, length] of Object.entries(other.inputs)) {
      const elements = (values[signal] ?? []).map((value) => mod(BigInt(value)));
      inputs[`${other.name}_${signal}`] = length > 0 ? elements : (elements[0] ?? 0n);
    }
  }
  return inputs;
}
