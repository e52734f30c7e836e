/** The graph of a challenge: see protocol/challenge/plan.ts for what it computes and why. Pure. */
import { type ChallengePlan, modulus } from "../../protocol/challenge/plan.ts";
import { type GraphNode, type GraphValue, writeModel } from "../../protocol/onnx/write-model.ts";

/** Inner length of the product that X starts from: its factors are made outside of the device and must be small. */
export const startRank = 16;
/** Numbers that stand for a column in its digest. */
export const summaryRows = 16;

/** @param columns of this run: all that one device has, or the few that a validator looks at */
export function buildChallengeGraph(
  plan: Omit<ChallengePlan, "seed" | "columns" | "devices">,
  columns: number,
): Uint8Array {
  const { size, rounds, kept, passes } = plan;
  const nodes: GraphNode[] = [];
  const add = (op: string, inputs: readonly string[], output: string) => {
    nodes.push({ op, inputs, output, name: output });
    return output;
  };
  // Whole numbers stay whole: v / 16 is exact, and so are its floor and the rest.
  const reduce = (value: string, output: string) => {
    const quotient = add("Floor", [add("Mul", [value, "sixteenth"], `${output}q`)], `${output}f`);
    return add("Sub", [value, add("Mul", [quotient, "sixteen"], `${output}m`)], output);
  };

  let last = reduce(add("MatMul", ["u", "v"], "y0"), "x0");
  for (let round = 1; round <= rounds; round++) last = reduce(add("MatMul", ["a", last], `y${round}`), `x${round}`);

  let weights = last;
  for (let pass = 0; pass < passes; pass++) {
    let sum: string | undefined;
    for (let index = 0; index < kept; index++) {
      const weight = add("Gather", [weights, `row${index}`], `w${pass}_${index}`);
      const part = add("Mul", [`x${rounds - index}`, weight], `p${pass}_${index}`);
      sum = sum === undefined ? part : add("Add", [sum, part], `t${pass}_${index}`);
    }
    weights = reduce(sum ?? last, `s${pass}`);
  }
  add("MatMul", ["summary", weights], "out");
  const graph = {
    name: "challenge",
    nodes,
    constants: [
      { name: "sixteen", dtype: "float32" as const, shape: [], values: [modulus] },
      { name: "sixteenth", dtype: "float32" as const, shape: [], values: [1 / modulus] },
      // A scalar index takes the axis away: one weight for each column.
      ...Array.from({ length: kept }, (_, index) => ({
        name: `row${index}`,
        dtype: "int64" as const,
        shape: [],
        values: [index % size],
      })),
    ],
    inputs: [
      floats("a", [size, size]),
      floats("u", [size, startRank]),
      floats("v", [startRank, columns]),
      floats("summary", [summaryRows, size]),
    ],
    outputs: [floats("out", [summaryRows, columns])],
  };
  return writeModel(graph, { opset: 17, irVersion: 8 });
}

function floats(name: string, shape: readonly number[]): GraphValue {
  return { name, dtype: "float32", shape };
}
