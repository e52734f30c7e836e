import { readFileSync } from "node:fs";
import fc from "fast-check";
import { test } from "vitest";
import { NvidiaSmiFailure } from "../../../../src/agent/nvidia-smi/failure.ts";
import { parseNvidiaSmi, readDocument } from "../../../../src/agent/nvidia-smi/parse.ts";
import type { HardwareReading } from "../../../../src/agent/nvidia-smi/reading.ts";
import { aDocument, aGpuElement, aMigMode } from "./a-document.ts";
import { checkInvariants } from "./check-invariants.ts";

const documents = [
  aDocument([aGpuElement(), aGpuElement({ uuid: "GPU-22222222-aaaa" })]),
  aDocument([aGpuElement({ mig: aMigMode([{ index: 0, gpuInstance: 1, total: "5952 MiB" }]) })]),
  readFileSync(new URL("../../../fixtures/nvidia-smi/t4-v11.xml", import.meta.url), "utf8"),
];

/** Snippets that break XML, or numbers, or assumptions about objects. */
const snippets = [
  "<",
  ">",
  "</gpu>",
  "<gpu>",
  "&x;",
  "]]>",
  "<![CDATA[",
  "\0",
  "18446744073709551615 MiB",
  "-1",
  "NaN",
];
const names = ["<__proto__>1</__proto__>", "<constructor>", "<toString/>", '<gpu id="1" id="1">', "é", "N/A", "\n\n"];

interface Edit {
  at: number;
  cut: number;
  insert: string;
}

const anEdit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.integer({ min: 0, max: 40 }),
  insert: fc.oneof(fc.constantFrom(...snippets, ...names), fc.string({ maxLength: 12 })),
});

function edit(text: string, { at, cut, insert }: Edit): string {
  const start = Math.floor(at * text.length);
  return text.slice(0, start) + insert + text.slice(start + cut);
}

function readOrFail(read: () => HardwareReading): void {
  try {
    checkInvariants(read());
  } catch (error) {
    if (!(error instanceof NvidiaSmiFailure)) throw error;
  }
}

test("a damaged document gives a reading that holds together, or the typed failure, and nothing else", () => {
  fc.assert(
    fc.property(fc.constantFrom(...documents), fc.array(anEdit, { minLength: 1, maxLength: 4 }), (document, edits) => {
      readOrFail(() => parseNvidiaSmi(edits.reduce(edit, document)));
    }),
    { numRuns: 600 },
  );
});

test("any text gives a reading or the typed failure", () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => readOrFail(() => parseNvidiaSmi(text))));
});

test("any tree, as a package might hand over, gives a reading or the typed failure", () => {
  const aValue = fc.jsonValue({ maxDepth: 4 });
  const aGpu = fc.record({ uuid: aValue, product_name: aValue, fb_memory_usage: aValue, mig_mode: aValue });
  const aTree = fc.oneof(
    aValue,
    fc.record({ nvidia_smi_log: aValue }),
    fc.record({
      nvidia_smi_log: fc.record({ gpu: fc.oneof(aGpu, fc.array(aGpu, { maxLength: 3 })), attached_gpus: aValue }),
    }),
  );
  fc.assert(
    fc.property(aTree, (tree) => readOrFail(() => readDocument(tree))),
    { numRuns: 400 },
  );
});
