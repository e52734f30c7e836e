/**
 * Models through the whole operator: validators fetch, scan and load them in processes of their own, a quorum approves, and tasks are
 * confined to what is approved.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { sha256 } from "../../../src/base/digest.ts";
import { createLogger, silentLogger } from "../../../src/base/log.ts";
import { registerCircuit } from "../../../src/chain/registered-circuit.ts";
import { type ArtifactServer, startArtifactServer } from "../../../src/embedded/demo/artifact-server.ts";
import { createClient, type KubeClient } from "../../../src/kube/client.ts";
import { namespaces } from "../../../src/kube/core-resources.ts";
import { type ModelObject, models } from "../../../src/operator/kinds.ts";
import type { ModelCheck } from "../../../src/pool/wire.ts";
import { modelFindingTypes, recoverSigner } from "../../../src/protocol/typed-data.ts";
import { ModelChecker } from "../../../src/validator/model-checker.ts";
import { aProduct, hostileModels, sevenBits } from "../../support/hostile-models.ts";
import { aTask, type Cluster, type RunningOperator, startCluster, startOperator } from "./operator-fixture.ts";
import { connect } from "./scripted-members.ts";

const noDifference = { maxAbsolute: 0, maxRelative: 0, samples: expect.any(Number) };
const names = ["v1", "v2", "v3"];
const stopping = new AbortController();
const closing: (() => Promise<unknown>)[] = [];
let cluster: Cluster;
let operator: RunningOperator;
let artifacts: ArtifactServer;
let client: KubeClient<ModelObject>;
/** What a validator says in place of what it found. */
const lies = new Map<string, (check: ModelCheck) => ModelCheck>();

beforeAll(async () => {
  cluster = await startCluster({ workers: [], validators: names });
  await cluster.order("order");
  artifacts = await startArtifactServer();
  client = createClient(cluster.transport, models);
  operator = await startOperator(cluster);
  for (const name of names) await startValidator(name);
}, 60_000);

afterAll(async () => {
  stopping.abort();
  for (const close of closing) await close();
  await operator?.stop();
  await artifacts?.close();
  await cluster?.close();
});

/** A real checker behind a loop that claims. */
async function startValidator(name: string): Promise<void> {
  const { signer } = cluster.member(name);
  const pool = connect(cluster, operator, name);
  const cacheDir = await mkdtemp(join(tmpdir(), "inferium-models-"));
  const attest: typeof pool.attest = (request, signal) =>
    pool.attest(request.kind === "model" ? (lies.get(name)?.(request) ?? request) : request, signal);
  const checker = new ModelChecker({
    ...{
      client: { attest },
      signer,
      domain: cluster.domain,
      clock: systemClock,
      logger: process.env.TEST_LOG ? createLogger({ level: "debug" }) : silentLogger,
    },
    artifacts: { cacheDir, attempts: 1, allowedAddresses: ["127.0.0.0/8"] },
    limits: { maxMemoryBytes: 2 ** 32 },
  });
  const loop = (async () => {
    while (!stopping.signal.aborted) {
      const claimed = await pool.claim({ slots: 1, models: [], waitMs: 1_000 }, stopping.signal).catch(() => undefined);
      for (const duty of claimed?.duties ?? []) if (duty.kind === "model") checker.accept(duty);
      if (claimed === undefined) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  closing.push(async () => {
    await loop;
    await checker.close();
    await pool.close();
    await rm(cacheDir, { recursive: true, force: true });
  });
}

async function createModel(name: string, bytes: Uint8Array, digest: string = sha256(bytes)): Promise<ModelObject> {
  const { uri } = artifacts.publish(`${name}.onnx`, bytes);
  return client.create({
    ...{ apiVersion: "inferium.io/v1alpha1", kind: "Model", metadata: { name, namespace: "default" } },
    spec: { uri, digest, license: "Apache-2.0" },
  } as ModelObject);
}

const get = (name: string) => client.get({ namespace: "default", name });
const conditionOf = async (name: string, type = "Approved") =>
  (await get(name)).status?.conditions?.find((condition) => condition.type === type);
const poll = <T>(read: () => Promise<T>) => expect.poll(read, { timeout: 30_000 });
const acceptedOf = async (name: string) => {
  const { status } = await cluster.tasks.get({ namespace: "default", name });
  return status?.conditions?.find(({ type }) => type === "Accepted");
};

describe("a Model", () => {
  test("is approved by a quorum of validators, whose signatures anybody can check", async () => {
    const bytes = await readFile(new URL("../../../src/embedded/demo/models/mnist-int8.onnx", import.meta.url));
    await createModel("mnist", bytes);
    await poll(async () => (await conditionOf("mnist"))?.status).toBe("True");
    const { status, spec } = await get("mnist");
    expect(status).toMatchObject({
      observedGeneration: 1,
      policies: ["Exact", "Tolerance"],
      findings: { integerOnly: true, weights: "SevenBits", inputs: [{ name: "pixels", type: "uint8[N,784]" }] },
      approval: { generation: 1, quorum: 2 },
    });
    // Of integers nothing differs, and all of this machine's validators are of one runtime.
    expect(status?.calibration).toEqual([
      { ...{ first: expect.stringMatching(/^onnxruntime/), second: status?.calibration?.[0]?.first }, ...noDifference },
    ]);
    expect(await conditionOf("mnist", "Calibrated")).toMatchObject({ status: "True" });
    const { findingsHash = "", validators = [] } = status?.approval ?? {};
    expect(validators.length).toBeGreaterThanOrEqual(2);
    for (const { address, signature, runtime } of validators) {
      expect(runtime).toMatch(/^onnxruntime\/\S+ cpu /);
      const message = { modelDigest: spec.digest.replace("sha256:", "0x"), findingsHash, runtime, validator: address };
      expect(recoverSigner(cluster.domain, modelFindingTypes, message, signature)).toBe(address);
    }
  });

  test.each(["data outside the file", "an operator of a domain of its own"])(
    "with %s is not approved, and says why",
    async (name) => {
      const hostile = hostileModels().find((one) => one.name === name);
      const id = name.replaceAll(" ", "-");
      await createModel(id, hostile?.bytes ?? new Uint8Array());
      await poll(async () => (await conditionOf(id))?.reason).toBe(hostile?.want);
      expect(await conditionOf(id)).toMatchObject({ status: "False" });
      expect(await conditionOf(id, "Stalled")).toMatchObject({ status: "True" });
    },
  );

  test("whose file is another one than its digest says is neither approved nor refused, and is tried again", async () => {
    await createModel("exchanged", aProduct(sevenBits), sha256("another file"));
    await poll(async () => (await conditionOf("exchanged"))?.reason).toBe("DigestMismatch");
    expect(await conditionOf("exchanged")).toMatchObject({ status: "Unknown" });
    expect((await get("exchanged")).status).toMatchObject({ attempts: 1, retryAt: expect.any(String) });
  });

  test("is approved against one validator that says otherwise, and not by what another did not sign", async () => {
    lies.set("v1", (check) => {
      if (check.outcome.kind !== "Found") return check;
      const findings = { ...check.outcome.findings, integerOnly: false };
      return { ...check, outcome: { ...check.outcome, findings } };
    });
    await createModel("disputed", aProduct(sevenBits));
    await poll(async () => (await conditionOf("disputed"))?.status).toBe("True");
    lies.delete("v1");
    const { status } = await get("disputed");
    expect(status?.findings?.integerOnly).toBe(true);
    const liar = cluster.member("v1").signer.address;
    expect(status?.approval?.validators.map(({ address }) => address)).not.toContain(liar);
  });

  test("whose circuit is registered on the chain says so, with its verifying key", async () => {
    const { spec } = await get("mnist");
    await registerCircuit(cluster.admin, {
      ...{ modelDigest: spec.digest.replace("sha256:", "0x"), rows: 2, isDevelopment: false },
      ...{
        r1csDigest: `0x${"c1".repeat(32)}`,
        powersOfTau: `0x${"ab".repeat(32)}`,
        ceremonyDigest: `0x${"ce".repeat(32)}`,
      },
      keyWords: Array.from({ length: 22 }, (_, index) => BigInt(index + 1)),
    });
    await poll(async () => (await get("mnist")).status?.circuits?.[0]?.rows).toBe(2);
    const { status } = await get("mnist");
    expect(status?.policies).toEqual(["Exact", "Tolerance", "ZeroKnowledge"]);
    expect(status?.circuits).toMatchObject([{ r1csDigest: `sha256:${"c1".repeat(32)}`, development: false }]);
  });

  test("is checked again where its spec has changed", async () => {
    await client.patch({ namespace: "default", name: "mnist" }, { kind: "merge", body: { spec: { license: "MIT" } } });
    await poll(async () => (await get("mnist")).status?.approval?.generation).toBe(2);
    expect(await conditionOf("mnist")).toMatchObject({ status: "True", observedGeneration: 2 });
  });
});

describe("a namespace that takes approved models only", () => {
  test("lets no task use another one, and says so", async () => {
    await createClient(cluster.transport, namespaces).apply({
      metadata: { name: "default", labels: { "inferium.io/approved-models": "required" } },
    });
    await poll(async () => {
      const name = `unknown-${Date.now()}`;
      await cluster.tasks.create(aTask(name));
      await poll(async () => (await acceptedOf(name)) !== undefined || "").toBeTruthy();
      return (await acceptedOf(name))?.reason;
    }).toBe("ModelNotApproved");
  });

  test("takes tasks of an approved model", async () => {
    const { spec } = await get("disputed");
    await cluster.tasks.create(aTask("known", { model: { uri: spec.uri, digest: spec.digest, format: "onnx" } }));
    // Without workers it says why it waits; refused, it would say that.
    await poll(async () => (await acceptedOf("known"))?.status).toBe("True");
  });
});
