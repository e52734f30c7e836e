/** Who looks at models in the simulation: honest validators with the real checker, one that lies and one that vanishes, and a worker. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { Duty, ModelDuty } from "../../../src/pool/duty.ts";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { hashFindings } from "../../../src/protocol/model/findings.ts";
import { emptyFindings } from "../../../src/protocol/model/scan-model.ts";
import { modelFindingTypes } from "../../../src/protocol/typed-data.ts";
import { ModelChecker } from "../../../src/validator/model-checker.ts";
import type { Cluster } from "../../integration/operator/operator-fixture.ts";
import { connect, double, runValidator, runWorker } from "../../integration/operator/scripted-members.ts";

export const honest = ["v1", "v2", "v3"] as const;
export const liar = "v4";
export const vanishing = "v5";
export const worker = "w1";

export interface Members {
  stop(): Promise<void>;
}

/** @param onRun called before the worker answers */
export async function startMembers(
  cluster: Cluster,
  url: string,
  onRun: (task: Pick<WorkAssignment, "model">) => Promise<void>,
): Promise<Members> {
  const operator = { url, metricsUrl: "", stop: async () => undefined };
  const validator = (name: string, onDuty: (duty: Duty) => Promise<"answer" | "ignore">) =>
    runValidator(cluster, operator, name, { script: { onDuty } });
  const compute = async (task: Pick<WorkAssignment, "model" | "input">) => {
    await onRun(task);
    return double(task.input);
  };
  const checkers = await Promise.all(honest.map((name) => openChecker(cluster, url, name)));
  const running = [
    runWorker(cluster, operator, worker, { compute }),
    ...honest.map((name, index) =>
      validator(name, async (duty) => {
        if (duty.kind !== "model") return "answer";
        checkers[index]?.accept(duty);
        return "ignore";
      }),
    ),
    validator(liar, async (duty) => {
      if (duty.kind !== "model") return "answer";
      await lie(cluster, url, duty);
      return "ignore";
    }),
    // Takes what it is given to look at, and is not heard of again.
    validator(vanishing, async () => "ignore"),
  ];
  return {
    stop: async () => {
      await Promise.all([...running.map((member) => member.stop()), ...checkers.map((checker) => checker.close())]);
    },
  };
}

async function openChecker(cluster: Cluster, url: string, name: string) {
  const cacheDir = await mkdtemp(join(tmpdir(), "inferium-sim-models-"));
  const client = connect(cluster, { url }, name);
  const checker = new ModelChecker({
    ...{ client, signer: cluster.member(name).signer, domain: cluster.domain },
    ...{ clock: systemClock, logger: silentLogger, limits: { maxMemoryBytes: 2 ** 32 } },
    artifacts: { cacheDir, attempts: 1, allowedAddresses: ["127.0.0.0/8"] },
  });
  return {
    accept: (duty: ModelDuty) => checker.accept(duty),
    close: async () => {
      await checker.close();
      await client.close();
      await rm(cacheDir, { recursive: true, force: true });
    },
  };
}

/** At once, signed, and the same of every file: that it is harmless, and has nothing in it. */
async function lie(cluster: Cluster, url: string, { checkId, model }: ModelDuty): Promise<void> {
  const { signer } = cluster.member(liar);
  const findings = emptyFindings(1);
  const modelDigest = `0x${model.digest.slice(7)}`;
  const message = { modelDigest, findingsHash: hashFindings(findings), runtime: "lies", validator: signer.address };
  const signature = await signer.signTypedData(cluster.domain, modelFindingTypes, message);
  const client = connect(cluster, { url }, liar);
  try {
    await client.attest({ kind: "model", checkId, outcome: { kind: "Found", findings, runtime: "lies", signature } });
  } finally {
    await client.close();
  }
}
