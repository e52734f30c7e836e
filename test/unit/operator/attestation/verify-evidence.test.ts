import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { InferiumError } from "../../../../src/base/errors.ts";
import { parseGpuReport } from "../../../../src/operator/attestation/gpu-report.ts";
import { verifyEvidence } from "../../../../src/operator/attestation/verify-evidence.ts";
import type { GpuEvidence } from "../../../../src/pool/wire.ts";
import { computeEvidenceNonce } from "../../../../src/protocol/challenge/decide-challenge.ts";
import { aParty, aReport, type Party, to } from "./a-device.ts";

const seed = `0x${"5e".repeat(32)}`;
const worker = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf";
const nonce = computeEvidenceNonce(seed, worker);
const nowMs = Date.parse("2026-11-01T00:00:00Z");
const bytesOf = (hex: string) => Buffer.from(hex.slice(2), "hex");
let root: Party;
let between: Party;
let device: Party;
let report: Buffer;

beforeAll(async () => {
  root = await aParty({ name: "root" });
  between = await aParty({ name: "between", issuer: root });
  device = await aParty({ name: "device", issuer: between, isAuthority: false });
  report = await aReport({ nonce: bytesOf(nonce) }, device);
});

const evidence = (parts: { report?: Buffer; chain?: readonly Party[] } = {}): GpuEvidence => ({
  kind: "NvidiaGpu",
  report: (parts.report ?? report).toString("base64"),
  certificates: (parts.chain ?? [device, between, root]).map(({ pem }) => pem),
});
const check = (given: readonly GpuEvidence[], roots = [root.pem], at = nowMs) =>
  verifyEvidence(given, { nonce, roots, nowMs: at });

describe("evidence of a GPU", () => {
  test("holds where the device's key has signed a report for this nonce and leads to a trusted root", () => {
    const [attested] = check([evidence()]);
    expect(attested).toEqual({ device: expect.stringMatching(/^[0-9a-f]{64}$/), driverVersion: "580.65.06" });
    // The root itself need not be shown.
    expect(check([evidence({ chain: [device, between] })])).toEqual([attested]);
  });

  test("tells its measurements", () => {
    const { measurements, vbiosVersion } = parseGpuReport(report);
    expect(measurements.size).toBe(1);
    expect(Buffer.from(measurements.get(1) ?? [])).toEqual(Buffer.alloc(48, 7));
    expect(vbiosVersion).toBe("960088");
  });

  const twins: readonly (readonly [
    string,
    () => Promise<{ given: readonly GpuEvidence[]; roots?: string[]; at?: number }>,
    RegExp,
  ])[] = [
    [
      "made for another nonce",
      async () => ({ given: [evidence({ report: await aReport({ nonce: Buffer.alloc(32) }, device) })] }),
      /another nonce/,
    ],
    [
      "signed by another key",
      async () => ({ given: [evidence({ report: await aReport({ nonce: bytesOf(nonce) }, between) })] }),
      /not signed by the key/,
    ],
    [
      "one bit of what was signed changed",
      async () => ({ given: [evidence({ report: flip(report, 60) })] }),
      /not signed by the key/,
    ],
    [
      "one bit of the signature changed",
      async () => ({ given: [evidence({ report: flip(report, report.length - 1) })] }),
      /not signed by the key/,
    ],
    [
      "with bytes after the signature",
      async () => ({ given: [evidence({ report: Buffer.concat([report, Buffer.alloc(1)]) })] }),
      /bytes follow/,
    ],
    ["cut short", async () => ({ given: [evidence({ report: report.subarray(0, 80) })] }), /it ends after/],
    [
      "no report at all",
      async () => ({ given: [evidence({ report: Buffer.from("GPU") })] }),
      /GET_MEASUREMENTS|ends after/,
    ],
    ["without a certificate", async () => ({ given: [evidence({ chain: [] })] }), /no certificate/],
    [
      "without the one between",
      async () => ({ given: [evidence({ chain: [device, root] })] }),
      /do not lead to each other/,
    ],
    [
      "of another root",
      async () => ({ given: [evidence()], roots: [(await aParty({ name: "root" })).pem] }),
      /no trusted root/,
    ],
    ["where nobody is trusted", async () => ({ given: [evidence()], roots: [] }), /no trusted root/],
    ["after its certificates", async () => ({ given: [evidence()], at: to.getTime() }), /not valid now/],
    [
      "of an issuer that is no authority",
      async () => ({ given: [await fromNoAuthority()] }),
      /do not lead to each other/,
    ],
    ["one device shown twice", async () => ({ given: [evidence(), evidence()] }), /two reports are of one device/],
    [
      "what is no certificate",
      async () => ({ given: [{ ...evidence(), certificates: ["x"] }] }),
      /certificate cannot be read/,
    ],
  ];
  test.each(twins)("does not hold: %s", async (_, build, want) => {
    const { given, roots, at } = await build();
    expect(() => check(given, roots, at)).toThrow(want);
  });

  test("whatever bytes a report has, it is read or refused", () => {
    const anEdit = fc.record({ at: fc.nat(report.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(anEdit, { minLength: 1, maxLength: 8 }), fc.nat(report.length), (edits, length) => {
        const bytes = Buffer.from(report);
        for (const { at, byte } of edits) bytes[at] = byte;
        for (const candidate of [bytes, bytes.subarray(0, length)]) {
          try {
            parseGpuReport(candidate);
          } catch (error) {
            if (!(error instanceof InferiumError && error.code === "InvalidEvidence")) throw error;
          }
        }
      }),
    );
  });
});

test("evidence is for one challenge and one worker, in whatever case the address is written", () => {
  expect(computeEvidenceNonce(seed, worker.toLowerCase())).toBe(nonce);
  expect(computeEvidenceNonce(`0x${"5f".repeat(32)}`, worker)).not.toBe(nonce);
  expect(computeEvidenceNonce(seed, worker.replace("7E", "7F"))).not.toBe(nonce);
});

function flip(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

async function fromNoAuthority(): Promise<GpuEvidence> {
  const forged = await aParty({ name: "forged", issuer: device, isAuthority: false });
  return evidence({ report: await aReport({ nonce: bytesOf(nonce) }, forged), chain: [forged, device, between, root] });
}
