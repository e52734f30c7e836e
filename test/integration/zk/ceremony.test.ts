/** A ceremony of two contributors and a beacon, and each way in which it can go wrong. */
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sha256 } from "../../../src/base/digest.ts";
import { type Ceremony, openCeremony } from "../../../src/zk/ceremony/ceremony.ts";
import { compileModelCircuit } from "../../../src/zk/ceremony/ceremony-circuit.ts";
import { buildKeys, keepCeremony } from "../../../src/zk/ceremony/keep-ceremony.ts";
import { closeWithBeacon, contributeTo, startCeremony } from "../../../src/zk/ceremony/run-ceremony.ts";
import { type VerifiedCeremony, verifyCeremony } from "../../../src/zk/ceremony/verify-ceremony.ts";
import { ProofArtifactStore } from "../../../src/zk/proving/artifact-store.ts";
import { developmentPowersOfTau } from "../../../src/zk/proving/powers-of-tau.ts";
import { InferenceProver } from "../../../src/zk/proving/prove-inference.ts";
import { createSnarkjsBackend } from "../../../src/zk/proving/snarkjs-backend.ts";
import { verifyInference } from "../../../src/zk/proving/verify-inference.ts";
import { withFirstKey } from "../../support/first-key.ts";
import { buildIntegerModel } from "../../support/integer-model.ts";
import { hasPowersOfTau, powersOfTauPath } from "../../support/powers-of-tau.ts";
import { provenCase } from "../../support/proven-case.ts";

const { onnx, input, salt, statement } = provenCase();
const circuit = compileModelCircuit(onnx, 1);
// As if many had made them: what follows must not be development for any other reason.
const powersOfTau = { ...developmentPowersOfTau, name: "many", isDevelopment: false, path: powersOfTauPath };
const development = { ...developmentPowersOfTau, path: powersOfTauPath };
const backend = createSnarkjsBackend({ timeoutMs: 300_000 });
const tools = { backend: withFirstKey(backend) };
const value = "0123456789abcdef".repeat(4);
const beacon = { value, source: "block 7 of chain 1", iterationsExponent: 10 };

let root: string;
const at = (name: string) => join(root, name);

/** The folder as it is now, in another place, for whoever wants to spoil it. */
async function copyOf(name: string, to: string): Promise<string> {
  await cp(at(name), at(to), { recursive: true });
  return at(to);
}

async function rewrite(dir: string, change: (ceremony: Ceremony) => Ceremony): Promise<void> {
  const path = join(dir, "ceremony.json");
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, "utf8")))));
}

describe.skipIf(!hasPowersOfTau)("a ceremony", () => {
  let verified: VerifiedCeremony;

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "inferium-ceremony-"));
    await startCeremony({ dir: at("main"), circuit, powersOfTau }, tools);
    await copyOf("main", "begun");
    await contributeTo({ dir: at("main"), name: "validator-1" }, tools);
    await copyOf("main", "first");
    await contributeTo({ dir: at("main"), name: "validator-2", entropy: "dice: 3 1 6" }, tools);
    await copyOf("main", "second");
    await closeWithBeacon({ dir: at("main"), ...beacon }, tools);
    verified = await verifyCeremony({ dir: at("main"), circuit, powersOfTau }, tools);
  }, 300_000);

  afterAll(async () => {
    await backend.close();
    await rm(root, { recursive: true, force: true });
  });

  const verify = (dir: string) => verifyCeremony({ dir, circuit, powersOfTau }, tools);

  test("ends with a record of the first phase, of who contributed, and of the beacon", async () => {
    const { steps } = (await openCeremony(at("main"))).ceremony;
    expect(verified.record).toEqual({
      powersOfTau: developmentPowersOfTau.digest,
      powersOfTauName: "many",
      contributors: ["validator-1", "validator-2"],
      contributionHashes: [steps[0]?.hash, steps[1]?.hash],
      beacon: { value, source: "block 7 of chain 1", iterationsExponent: 10 },
      transcriptDigest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      isDevelopment: false,
    });
    expect(new Set(steps.map(({ hash }) => hash)).size).toBe(3);
  });

  test("gives keys that prove and verify, and that a verifier takes without allowing development setups", async () => {
    const options = { allowDevelopmentSetup: false };
    const keys = buildKeys(verified, circuit, options);
    const record = { ...keys, modelDigest: sha256(onnx), rows: 1 };
    const store = new ProofArtifactStore(at("store"));
    await keepCeremony(keys, { keyPath: verified.keyPath, circuit }, store);
    await keepCeremony(keys, { keyPath: verified.keyPath, circuit }, store);
    const proven = await new InferenceProver(store, backend).prove({ onnx, input, salt, task: statement.task });
    await verifyInference(proven, { ...statement, record }, backend, options);
    const other = { ...keys, verifyingKeyDigest: keys.r1csDigest };
    await expect(keepCeremony(other, { keyPath: verified.keyPath, circuit }, store)).rejects.toMatchObject({
      code: "AlreadyRegistered",
    });
  }, 120_000);

  test("is development where the powers of tau are, or where no beacon closed it", async () => {
    const open = await verify(at("second"));
    expect(open.record).toMatchObject({ isDevelopment: true, contributors: ["validator-1", "validator-2"] });
    const strict = { allowDevelopmentSetup: false };
    expect(() => buildKeys(open, circuit, strict)).toThrow(
      expect.objectContaining({ code: "DevelopmentSetup", message: expect.stringContaining("not secure") }),
    );
    const known = await verifyCeremony({ dir: at("main"), circuit, powersOfTau: development }, tools);
    expect(known.record.isDevelopment).toBe(true);
  }, 120_000);

  test("that nobody contributed to is closed by no beacon and verified by nobody", async () => {
    await expect(closeWithBeacon({ dir: at("begun"), ...beacon }, tools)).rejects.toMatchObject({
      code: "NoContribution",
    });
    await expect(verify(at("begun"))).rejects.toMatchObject({ code: "NoContribution" });
  });

  test("is over with its beacon", async () => {
    const dir = at("main");
    await expect(contributeTo({ dir, name: "late" }, tools)).rejects.toMatchObject({ code: "CeremonyClosed" });
    await expect(closeWithBeacon({ dir, ...beacon }, tools)).rejects.toMatchObject({ code: "CeremonyClosed" });
    const begin = startCeremony({ dir, circuit, powersOfTau }, tools);
    await expect(begin).rejects.toMatchObject({ code: "CeremonyExists" });
  });

  test("refuses another model, another number of rows, another circuit and other powers of tau", async () => {
    const check = (change: object) => verifyCeremony({ dir: at("main"), circuit, powersOfTau, ...change }, tools);
    const other = buildIntegerModel({ sizes: [6, 4, 3], seed: 2, outputs: ["label", "score"] });
    await expect(check({ circuit: compileModelCircuit(other, 1) })).rejects.toMatchObject({ code: "ModelMismatch" });
    await expect(check({ circuit: compileModelCircuit(onnx, 2) })).rejects.toMatchObject({ code: "ModelMismatch" });
    const changed = { ...circuit, r1csDigest: sha256("another circuit") };
    await expect(check({ circuit: changed })).rejects.toMatchObject({ code: "CircuitMismatch" });
    const digest = sha256("other powers");
    await expect(check({ powersOfTau: { ...powersOfTau, digest } })).rejects.toMatchObject({
      code: "UnknownPowersOfTau",
    });
  });

  test("refuses a first key that is not the circuit's", async () => {
    const dir = await copyOf("main", "other first key");
    await rewrite(dir, (ceremony) => ({ ...ceremony, initialKeyDigest: sha256("another first key") }));
    await expect(verify(dir)).rejects.toMatchObject({
      code: "CircuitMismatch",
      message: expect.stringContaining("first key"),
    });
  });

  test("refuses a circuit that the powers of tau are too small for", async () => {
    const small = { ...powersOfTau, power: 8 };
    const begin = startCeremony({ dir: at("small"), circuit, powersOfTau: small }, tools);
    await expect(begin).rejects.toMatchObject({ code: "CircuitTooLarge", message: expect.stringMatching(/up to 252/) });
  });

  test("refuses two contributions to one key: whoever comes second has to begin again", async () => {
    const fork = await copyOf("first", "fork");
    await contributeTo({ dir: fork, name: "validator-3" }, tools);
    const mixed = await copyOf("second", "mixed");
    await cp(join(fork, "0002.zkey"), join(mixed, "0002.zkey"));
    const late = contributeTo({ dir: mixed, name: "validator-4" }, tools);
    await expect(late).rejects.toMatchObject({
      code: "ContributionOutOfOrder",
      message: expect.stringMatching(/Step 2 of the key is "validator-3" .* lists "validator-2"/),
    });
  });

  test("refuses a list with a step left out, a key from before, and a beacon that was changed", async () => {
    const short = await copyOf("main", "short");
    await rewrite(short, (ceremony) => ({ ...ceremony, steps: ceremony.steps.slice(1) }));
    await expect(verify(short)).rejects.toMatchObject({ code: "ContributionOutOfOrder" });
    const before = await copyOf("second", "before");
    await cp(join(before, "0001.zkey"), join(before, "0002.zkey"));
    await expect(verify(before)).rejects.toMatchObject({ code: "ContributionOutOfOrder" });
    const moved = await copyOf("main", "moved");
    const forged = { value: "ff".repeat(32), iterationsExponent: 10 };
    await rewrite(moved, (ceremony) => ({
      ...ceremony,
      steps: ceremony.steps.map((step) => (step.beacon === undefined ? step : { ...step, beacon: forged })),
    }));
    await expect(verify(moved)).rejects.toMatchObject({ code: "ContributionOutOfOrder" });
  });

  test.each([
    ["cut off", (key: Buffer) => key.subarray(0, key.length - 100)],
    ["empty", () => Buffer.alloc(0)],
    ["no key at all", (key: Buffer) => Buffer.from(key.toString("latin1").replace("zkey", "r1cs"), "latin1")],
  ])("refuses a key file that is %s", async (name, spoil) => {
    const dir = await copyOf("second", `spoilt ${name}`);
    const path = join(dir, "0002.zkey");
    await writeFile(path, spoil(await readFile(path)));
    await expect(contributeTo({ dir, name: "validator-3" }, tools)).rejects.toMatchObject({ code: "InvalidKeyFile" });
  });

  test("refuses a key that was changed since it was listed, before anything costly is done", async () => {
    const dir = await copyOf("second", "changed");
    const path = join(dir, "0002.zkey");
    const key = await readFile(path);
    key.writeUInt8(key.readUInt8(findSection(key, 9)) ^ 1, findSection(key, 9));
    await writeFile(path, key);
    await expect(openCeremony(dir)).rejects.toMatchObject({
      code: "ContributionOutOfOrder",
      message: expect.stringContaining("the list of steps ends with"),
    });
  });

  test("refuses a key of which one point was exchanged, although the list was made to fit", async () => {
    const dir = await copyOf("main", "point");
    const path = join(dir, "0003.zkey");
    const key = await readFile(path);
    const section = findSection(key, 9);
    key.copyWithin(section + 64, section, section + 64);
    await writeFile(path, key);
    await rewrite(dir, (ceremony) => ({
      ...ceremony,
      steps: ceremony.steps.map((step, index) => (index === 2 ? { ...step, keyDigest: sha256(key) } : step)),
    }));
    await expect(verify(dir)).rejects.toMatchObject({
      code: "CeremonyInvalid",
      message: expect.stringContaining("H section"),
    });
  }, 120_000);

  test.each([
    ["nobody", ""],
    ["a name that is too long", "x".repeat(65)],
    ["characters that nobody sees", "a\u0007b"],
    ["the beacon's name", "beacon"],
    ["somebody who has contributed", "validator-1"],
  ])("takes no contribution of %s", async (_, name) => {
    await expect(contributeTo({ dir: at("first"), name }, tools)).rejects.toMatchObject({ code: "InvalidContributor" });
  });

  test.each([
    ["too short a value", { value: "abcd" }],
    ["a value that is no hex", { value: "xy".repeat(32) }],
    ["a value that nobody can look up", { source: "" }],
    ["too few iterations", { iterationsExponent: 9 }],
    ["more iterations than there are", { iterationsExponent: 64 }],
  ])("takes no beacon with %s", async (_, change) => {
    const closing = closeWithBeacon({ dir: at("second"), ...beacon, ...change }, tools);
    await expect(closing).rejects.toMatchObject({ code: "InvalidBeacon" });
  });

  test("says what is missing where there is no ceremony, or no key", async () => {
    await expect(openCeremony(at("nowhere"))).rejects.toMatchObject({ code: "CeremonyMissing" });
    const dir = await copyOf("first", "keyless");
    await rm(join(dir, "0001.zkey"));
    await expect(openCeremony(dir)).rejects.toMatchObject({ code: "KeyMissing" });
    await writeFile(join(dir, "ceremony.json"), "{}");
    await expect(openCeremony(dir)).rejects.toMatchObject({ code: "InvalidCeremony" });
  });
});

/** Where the content of a section begins. */
function findSection(file: Buffer, wanted: number): number {
  let offset = 12;
  for (let count = file.readUInt32LE(8); count > 0; count--) {
    if (file.readUInt32LE(offset) === wanted) return offset + 12;
    offset += 12 + Number(file.readBigUInt64LE(offset + 4));
  }
  throw new Error(`no section ${wanted}`);
}
