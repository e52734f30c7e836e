/**
 * What validators find in a model file, and what they sign of it. Equal findings have equal hashes on every machine: nothing in
 * them depends on who looked. Pure.
 */
import { keccak256, toUtf8Bytes } from "ethers";
import type { ModelStatus } from "../../api/v1alpha1/generated/models.ts";

export type ModelFindings = NonNullable<ModelStatus["findings"]>;
export type ModelProblem = ModelFindings["problems"][number];
export type ModelPolicy = NonNullable<ModelStatus["policies"]>[number];

/** Of problems the reasons alone: a message may hold the words of one machine's runtime. */
export function hashFindings(findings: ModelFindings): string {
  const problems = findings.problems.map(({ reason }) => reason).sort();
  return keccak256(toUtf8Bytes(canonicalJson({ ...findings, problems })));
}

/** Keys in order, nothing between them; undefined is left out. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(",")}}`;
}

/** How results of the model can be judged. @param isProvable whether the chain has a circuit of it */
export function policiesOf(findings: ModelFindings, isProvable = false): ModelPolicy[] {
  if (findings.problems.length > 0) return [];
  const isExact = findings.integerOnly && (findings.weights === "SevenBits" || findings.weights === "None");
  const policies: ModelPolicy[] = isExact ? ["Exact", "Tolerance"] : ["Tolerance"];
  return isProvable ? [...policies, "ZeroKnowledge"] : policies;
}

/** One line for people. */
export function summariseFindings(findings: ModelFindings): string {
  const [problem] = findings.problems;
  if (problem) return `${problem.reason}: ${problem.message}`.slice(0, 256);
  const opset = findings.opsets.find(({ domain }) => domain === "ai.onnx");
  return [
    ...(opset ? [`opset ${opset.version}`] : []),
    `${findings.parameters.toLocaleString("en-US")} parameters`,
    `${findings.nodes} nodes`,
    findings.integerOnly ? "integers only" : "floating point",
    ...(findings.weights === "EightBits" ? ["weights beyond 7 bits"] : []),
  ].join(", ");
}
