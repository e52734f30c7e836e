/** docs/troubleshooting.md has every reason that the code gives a condition or an attempt, and none that it does not. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { disputeRulings } from "../../../src/protocol/dispute.ts";

const root = new URL("../../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

/** Where statuses of tasks, members and Validations are made. What the pool API answers to a caller is no condition. */
const sources = [
  ...["lifecycle", "attempts", "task", "slashing"].map((name) => `src/protocol/${name}.ts`),
  ...["apply-verdict", "reclaimer", "follow-chain", "backend", "heal-batches"].map((name) => `src/operator/${name}.ts`),
  ...readdirSync(new URL("src/operator/controllers/", root)).map((name) => `src/operator/controllers/${name}`),
  ...["protocol", "operator"].flatMap((layer) =>
    readdirSync(new URL(`src/${layer}/shards/`, root)).map((name) => `src/${layer}/shards/${name}`),
  ),
  ...readdirSync(new URL("src/protocol/model/", root)).map((name) => `src/protocol/model/${name}`),
  ...["src/operator/models/model-desk.ts", "src/inference/model-check/check-model-file.ts"],
];

/** The ways in which the sources write a reason. */
const patterns: readonly RegExp[] = [
  /\[\s*(?:"True"|"False"|true|false|\w+),\s*"([A-Z]\w+)"/g,
  /\[\s*\w+,\s*\w+(?:\.\w+)? \? (?:"([A-Z]\w+)"|\w+) : "([A-Z]\w+)"/g,
  /\["True", \w+ \? "([A-Z]\w+)" : "([A-Z]\w+)"/g,
  /summary\(\s*"\w+",\s*"([A-Z]\w+)"/g,
  /\b[rR]eason(?: =|:) (?:\w+ \? )?"([A-Z]\w+)"(?: : "([A-Z]\w+)")?/g,
  /\breason = [^;]*?"([A-Z]\w+)" : [^;]*?"([A-Z]\w+)"(?: : "([A-Z]\w+)")?/g,
  /\b(?:refuse|expire|hold|over)\(\s*"([A-Z]\w+)"/g,
  /\b\w+Reason = "([A-Z]\w+)"/g,
  /\b(?:note|withProblem|end)\(\s*(?:\w+,\s*)?"([A-Z]\w+)"/g,
  /fault: "([A-Z]\w+)"/g,
];

function literals(text: string): string[] {
  return patterns.flatMap((pattern) => [...text.matchAll(pattern)].flatMap((match) => match.slice(1)));
}

/** The members of a union of words, after the text that opens it. */
function union(path: string, opening: string): string[] {
  const text = read(path);
  const start = text.indexOf(opening);
  expect(start, `${path} has ${opening}`).toBeGreaterThanOrEqual(0);
  const end = text.indexOf(";", start);
  return [...text.slice(start, end).matchAll(/\| "([A-Z]\w+)"/g)].map((match) => match[1] ?? "");
}

function reasonsInCode(): Set<string> {
  const found = [
    ...sources.flatMap((path) => literals(read(path))),
    ...union("src/protocol/explain-waiting.ts", "readonly reason:"),
    ...union("src/worker/classify-failure.ts", "export type"),
    ...union("src/worker/pods/pod-failure.ts", "export type PodFailureReason"),
    ...union("src/protocol/proven-capability.ts", "export type ProofReason"),
    // Made of a word and a state or a ruling.
    ...["OrderMissing", "OrderInvalid"],
    // Codes of what was thrown.
    ...["ShardChanged", "ShardsDisagree", "NameTaken", "InvalidItems"],
    ...disputeRulings.filter((one) => one !== "None").flatMap((one) => [`Dispute${one}`, `Ruled${one}`]),
  ].filter((one) => one !== undefined);
  return new Set(found);
}

/** What the table has beside: states of the registry, levels of capability, and errors of proofs that are common. */
const takenOver = new Set([
  "Active",
  "None",
  "Underbonded",
  "Unbonding",
  "Inspected",
  "Challenged",
  "Declared",
  "ProofTimedOut",
  "ProofNotEndorsed",
  "InvalidProof",
]);

function reasonsInTable(): string[] {
  const rows = [...read("docs/troubleshooting.md").matchAll(/^\| ([A-Z][A-Za-z, ]+) \|/gm)];
  return rows.flatMap((row) => (row[1] ?? "").split(", ")).filter((one) => one !== "Reason");
}

test("every reason in the code is explained", () => {
  const explained = new Set(reasonsInTable());
  expect([...reasonsInCode()].filter((reason) => !explained.has(reason)).sort()).toEqual([]);
});

test("every explained reason is one that the code gives, once", () => {
  const known = reasonsInCode();
  const table = reasonsInTable();
  expect(known.size).toBeGreaterThan(60);
  expect(table.filter((reason) => !known.has(reason) && !takenOver.has(reason)).sort()).toEqual([]);
  expect(table.filter((reason, index) => table.indexOf(reason) !== index)).toEqual([]);
});
