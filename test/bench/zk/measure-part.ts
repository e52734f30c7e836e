/**
 * One part of the benchmark of proofs, in a process of its own, so that one which hangs, dies or takes all memory loses nothing but
 * itself. Started by run-part.ts with the part's kind and model; the last line of its output is the figures.
 */
import { describeError } from "../../../src/base/errors.ts";
import { measureCommitted, measureModel, measureNaive, measurePeer, type PartFigures } from "./measure-circuit.ts";
import { measureSetups } from "./measure-setups.ts";

const kinds: Readonly<Record<string, (name: string) => Promise<PartFigures>>> = {
  model: measureModel,
  committed: measureCommitted,
  setups: measureSetups,
  naive: measureNaive,
  peer: measurePeer,
};

const [kind = "", name = ""] = process.argv.slice(2);
const measure = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
if (measure === undefined) throw new Error(`There is no part ${kind}; expected ${Object.keys(kinds).join(", ")}.`);
try {
  console.log(JSON.stringify(await measure(name)));
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
// snarkjs leaves its threads running.
process.exit();
