/** A host of an agent that doubles numbers: the worker's own code with a model of one line, or a host that signs what it likes. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../../src/base/clock.ts";
import type { Digest } from "../../../src/base/digest.ts";
import { InferiumError } from "../../../src/base/errors.ts";
import { toExecutionRequest } from "../../../src/pool/execution-request.ts";
import { writeInline } from "../../../src/pool/inline-tensors.ts";
import type { ReceiptOutcome, ReceiptRequest } from "../../../src/pool/wire.ts";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { hashWindow, joinCalls, splitCalls } from "../../../src/protocol/call-window.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import { tensorsFromJson } from "../../../src/protocol/tensors/json.ts";
import type { NamedTensors } from "../../../src/protocol/tensors/tensor.ts";
import { type Execute, runAttempt } from "../../../src/worker/attempt.ts";
import { buildReceipt, signReceipt } from "../../../src/worker/receipt.ts";
import { openSignedAttempts } from "../../../src/worker/signed-attempts.ts";
import { twice } from "../../support/a-call-window.ts";
import { type Cluster, model, type RunningOperator } from "./operator-fixture.ts";
import { connect, type Running } from "./scripted-members.ts";

export const executeTwice: Execute = async (request) => runBy(twice, request);

type Request = Parameters<Execute>[0];

function runBy(
  answer: (input: NamedTensors) => NamedTensors,
  { input, calls = 0 }: Request,
): Awaited<ReturnType<Execute>> {
  if (!("inline" in input)) throw new Error("the input of a window is inline");
  const inputs = tensorsFromJson(input.inline);
  const outputs = joinCalls(splitCalls(inputs, calls).map(answer));
  const runtime = { version: "1", provider: "cpu", isa: "avx2", level: "all" };
  const digests = {
    inputDigest: digestTensors(inputs),
    outputDigest: digestTensors(outputs),
    modelDigest: model as Digest,
  };
  return { outputs, ...digests, runtime, items: calls } as Awaited<ReturnType<Execute>>;
}

const zeros = `0x${"0".repeat(64)}`;

/** @param lie signs these outputs whatever callers got */
export function runHost(
  cluster: Cluster,
  operator: RunningOperator,
  name: string,
  lie: { readonly signs?: (input: NamedTensors) => NamedTensors } = {},
): Running {
  const { signer } = cluster.member(name);
  const client = connect(cluster, operator, name);
  const stopping = new AbortController();
  const seen: WorkAssignment[] = [];

  async function answer(assignment: WorkAssignment, stateDir: string): Promise<ReceiptOutcome> {
    const { domain } = cluster;
    if (!lie.signs) {
      const signed = await openSignedAttempts(stateDir);
      const facts = { signer, domain, imageDigest: zeros, codeDigest: zeros, signed, clock: systemClock };
      return runAttempt({ ...facts, execute: executeTwice }, assignment, stopping.signal).finally(() => signed.close());
    }
    const execution = runBy(lie.signs, toExecutionRequest(assignment.model, assignment.input));
    const { statement } = assignment.calls ?? {};
    const codeDigest = statement ? hashWindow(domain, statement) : zeros;
    const times = { startedAtMs: statement?.firstAtMs ?? 0, endedAtMs: statement?.lastAtMs ?? 0 };
    const message = buildReceipt(assignment, execution, {
      worker: signer.address,
      imageDigest: zeros,
      codeDigest,
      ...times,
    });
    const receipt = await signReceipt(message, signer, domain);
    return { kind: "Completed", receipt, output: writeInline(execution.outputs), items: execution.items };
  }

  async function loop(): Promise<void> {
    const stateDir = await mkdtemp(join(tmpdir(), "inferium-host-"));
    while (!stopping.signal.aborted) {
      const request = { slots: 2, models: [], waitMs: 1_000 };
      const answered = await client.claim(request, stopping.signal).catch(() => undefined);
      if (answered === undefined) await systemClock.sleep(100);
      for (const assignment of answered?.assignments ?? []) {
        seen.push(assignment);
        const outcome = await answer(assignment, stateDir);
        await deliver({ namespace: assignment.namespace, task: assignment.task, outcome });
      }
    }
    await client.close();
    await rm(stateDir, { recursive: true, force: true });
  }

  /** Until it is answered: an operator may be away for a while. */
  async function deliver(request: ReceiptRequest): Promise<void> {
    for (;;) {
      try {
        await client.receipt(request);
        return;
      } catch (error) {
        if (stopping.signal.aborted || (error instanceof InferiumError && error.disposition === "reject")) return;
        await systemClock.sleep(100);
      }
    }
  }

  const done = loop();
  const stop = async () => {
    stopping.abort(new Error("the test stops the host"));
    await done;
  };
  return { seen, duties: [], refusals: [], stop };
}
