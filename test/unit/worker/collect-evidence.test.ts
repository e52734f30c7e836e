import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { collectEvidence } from "../../../src/worker/collect-evidence.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "inferium-evidence-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

test("the command is given the nonce, and what it prints is the evidence", async () => {
  const command = script("good", `printf '[{"kind":"NvidiaGpu","report":"%s","certificates":["c"]}]' "$1"`);
  const evidence = await collectEvidence(command, `0x${"ab".repeat(32)}`);
  expect(evidence).toEqual([{ kind: "NvidiaGpu", report: "ab".repeat(32), certificates: ["c"] }]);
});

test.each([
  ["a command that is not there", undefined, /ENOENT/],
  ["a command that fails", "echo no GPU in confidential mode >&2; exit 3", /no GPU in confidential mode/],
  ["no JSON", "echo hello", /gave no evidence/],
  ["another shape", `echo '[{"kind":"NvidiaGpu","report":7}]'`, /no list of evidence/],
  ["another kind", `echo '[{"kind":"Tpm","report":"","certificates":[]}]'`, /no list of evidence/],
])("%s gives none, and says why", async (name, body, want) => {
  const command = body === undefined ? join(folder, "absent") : script(name.replaceAll(" ", "-"), body);
  await expect(collectEvidence(command, `0x${"ab".repeat(32)}`)).rejects.toMatchObject({
    code: "EvidenceUnavailable",
    message: expect.stringMatching(want),
  });
});
