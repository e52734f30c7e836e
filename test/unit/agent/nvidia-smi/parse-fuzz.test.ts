/**
 * Documents that are well-formed and wrong: elements of real documents dropped, repeated, moved from one generation's place
 * to another's, or given values that drivers have printed. `parse-mutated` damages the text; this damages the meaning.
 */
import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { NvidiaSmiFailure } from "../../../../src/agent/nvidia-smi/failure.ts";
import { parseNvidiaSmi, readDocument } from "../../../../src/agent/nvidia-smi/parse.ts";
import { parseXml } from "../../../../src/agent/nvidia-smi/xml-tree.ts";
import { checkInvariants } from "./check-invariants.ts";

const folder = new URL("../../../fixtures/nvidia-smi/", import.meta.url);
const documents = readdirSync(folder)
  .filter((name) => name.endsWith(".xml"))
  .map((name) => readFileSync(new URL(name, folder), "utf8"))
  // What is larger only says the same more often.
  .filter((document) => document.length < 30_000);

const values = [
  ...[
    "N/A",
    "[N/A]",
    "None",
    "",
    "Unknown Error",
    "ERR!",
    "[GPU is lost]",
    "Insufficient Permissions",
    "[Not Supported]",
  ],
  ...[
    "18446744073709551615 MiB",
    "18446744073709551615",
    "4294967295 C",
    "-1 MiB",
    "0 MiB",
    "99999999999 MiB",
    "1e9 MiB",
  ],
  ...["81559 MiB", "81559", "79.6 GiB", "81559 W", "100 %", "101 %", "NaN %", "Enabled", "Yes", "Active", "Requested"],
  ...["GPU-6a3c1f09-8b7d-4e52-a1c4-0f9e8d7c6b5a", "MIG-1", "\u00e9\u0000", "9".repeat(400), "constructor", "__proto__"],
];

interface Place {
  readonly parent: Record<string, unknown>;
  readonly name: string;
}

/** Every element that can be reached, in the document's order. */
function listPlaces(node: unknown): Place[] {
  if (Array.isArray(node)) return node.flatMap(listPlaces);
  if (typeof node !== "object" || node === null) return [];
  const parent = node as Record<string, unknown>;
  return Object.keys(parent).flatMap((name) => [{ parent, name }, ...listPlaces(parent[name])]);
}

type Edit = (tree: unknown, at: (length: number) => number) => void;

const edits: Readonly<Record<string, Edit>> = {
  replace: (tree, at) =>
    onPlace(tree, at, ({ parent, name }) => Object.assign(parent, { [name]: values[at(values.length)] })),
  drop: (tree, at) => onPlace(tree, at, ({ parent, name }) => delete parent[name]),
  repeat: (tree, at) =>
    onPlace(tree, at, ({ parent, name }) =>
      Object.assign(parent, { [name]: [parent[name], structuredClone(parent[name])].flat() }),
    ),
  wrap: (tree, at) =>
    onPlace(tree, at, ({ parent, name }) => Object.assign(parent, { [name]: { [name]: parent[name] } })),
  move: (tree, at) =>
    onPlace(tree, at, ({ parent, name }) => {
      const moved = parent[name];
      delete parent[name];
      onPlace(tree, at, (target) => Object.assign(target.parent, { [name]: moved }));
    }),
  empty: (tree, at) => onPlace(tree, at, ({ parent, name }) => Object.assign(parent, { [name]: [] })),
};

function onPlace(tree: unknown, at: (length: number) => number, edit: (place: Place) => void): void {
  const places = listPlaces(tree);
  const place = places[at(places.length)];
  if (place !== undefined) edit(place);
}

function writeXml(node: unknown, name: string): string {
  if (Array.isArray(node)) return node.map((one) => writeXml(one, name)).join("");
  if (typeof node !== "object" || node === null)
    return `<${name}>${String(node ?? "").replaceAll(/[<&]/g, "")}</${name}>`;
  const children = Object.entries(node).filter(([child]) => child !== "$" && child !== "_");
  return `<${name}>${children.map(([child, content]) => writeXml(content, child)).join("")}</${name}>`;
}

/** What came of it: enough to tell two readings apart. */
function attempt(read: () => ReturnType<typeof readDocument>): string {
  try {
    const reading = read();
    checkInvariants(reading);
    return reading.gpus.length > 0 ? "read" : "quarantined";
  } catch (error) {
    if (error instanceof NvidiaSmiFailure) return error.kind;
    throw error;
  }
}

const aPlan = fc.record({
  document: fc.nat(documents.length - 1),
  edits: fc.array(fc.constantFrom(...Object.keys(edits)), { minLength: 1, maxLength: 6 }),
  // Unbiased: numbers that favour 0 would only ever take the whole document away.
  picks: fc.infiniteStream(fc.noBias(fc.nat(2 ** 31 - 1))),
});

test("a document whose elements are wrong gives a reading that holds together, or the typed failure", () => {
  const outcomes = new Map<string, number>();
  const count = (outcome: string) => outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  fc.assert(
    fc.property(aPlan, ({ document, edits: names, picks }) => {
      const tree = parseXml(documents[document]!) as { nvidia_smi_log: unknown };
      const at = (length: number) => (picks.next().value ?? 0) % Math.max(1, length);
      for (const name of names) edits[name]?.(tree, at);
      count(attempt(() => readDocument(tree)));
      count(attempt(() => parseNvidiaSmi(writeXml(tree.nvidia_smi_log, "nvidia_smi_log"))));
    }),
    { numRuns: 120, seed: 20_261_127 },
  );
  // The edits must reach what is read, and must not always end in a refusal.
  expect(outcomes.get("read")).toBeGreaterThan(50);
  expect((outcomes.get("quarantined") ?? 0) + (outcomes.get("Garbled") ?? 0)).toBeGreaterThan(0);
});
