/**
 * A pool in memory: just enough of an operator to lead a task from claim over receipt, votes and reveal to a certified
 * batch. It checks what members send as an operator would, and can be told to hand out something false.
 */
import { InferiumError } from "../../../src/base/errors.ts";
import type { PoolBackend, PoolCaller } from "../../../src/pool/backend.ts";
import type { BatchData } from "../../../src/pool/batch-evidence.ts";
import type { Duty, ValidateDuty } from "../../../src/pool/duty.ts";
import type { AttestRequest, ClaimRequest, ClaimResponse, ReceiptRequest } from "../../../src/pool/wire.ts";
import type { WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { computeCommitment } from "../../../src/protocol/commitment.ts";
import {
  attestationTypes,
  computeTaskId,
  computeValidationId,
  type ProtocolDomain,
  receiptTypes,
  recoverSigner,
} from "../../../src/protocol/typed-data.ts";
import {
  buildBatch,
  buildVoteTree,
  hashHeader,
  type Panel,
  type PoolTask,
  type Reveal,
  type TaskInput,
} from "./batch-evidence.ts";

type Completed = Extract<ReceiptRequest["outcome"], { kind: "Completed" }>;

export interface MemoryPoolOptions {
  readonly domain: ProtocolDomain;
  readonly treasury: string;
  /** Accounts of the panel. */
  readonly validators: readonly string[];
}

export function createMemoryPool(options: MemoryPoolOptions) {
  const { domain } = options;
  const tasks: PoolTask[] = [];
  const panels: Panel[] = [];
  const duties = new Map<string, Duty[]>(options.validators.map((account) => [account, []]));
  const certified = new Map<string, { headerHash: string; signature: string }>();
  const refused = new Map<string, string>();
  const statuses: string[] = [];
  let changed = Promise.withResolvers<void>();
  let holdReveals = false;

  const notify = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  const give = (account: string, duty: Duty) => {
    duties.get(account)?.push(duty);
    notify();
  };

  function take(caller: PoolCaller, request: ClaimRequest): ClaimResponse {
    if (caller.role === "Validator") return { assignments: [], duties: duties.get(caller.account)?.splice(0) ?? [] };
    const fit = tasks.filter((task) => task.state === "Queued" && !task.excluded.has(caller.node));
    const taken = fit.slice(0, request.slots);
    for (const task of taken) task.state = "Running";
    return { assignments: taken.map(assign), duties: [] };
  }

  function assign(task: PoolTask): WorkAssignment {
    const { taskId, attempt, model, input, verification } = task;
    const deadlineMs = Date.now() + (task.timeoutMs ?? 30_000);
    return { namespace: "demo", task: task.name, taskId, attempt, model, input, verification, deadlineMs };
  }

  function record(caller: PoolCaller, request: ReceiptRequest): "Recorded" | "Duplicate" | "Superseded" {
    const { outcome } = request;
    const { taskId, attempt } = outcome.kind === "Completed" ? outcome.receipt.message : outcome;
    const task = tasks.find((candidate) => candidate.taskId === taskId);
    if (task === undefined || task.attempt !== attempt) return "Superseded";
    if (task.state !== "Running") return "Duplicate";
    if (outcome.kind === "Completed") startPanel(task, outcome);
    else {
      task.failures.push({ reason: outcome.reason, retryable: outcome.retryable });
      requeue(task, caller.node, outcome.retryable ? "Queued" : "Failed");
    }
    return "Recorded";
  }

  function requeue(task: PoolTask, node: string, state: PoolTask["state"]): void {
    task.excluded.add(node);
    task.attempt += 1;
    task.state = state;
    notify();
  }

  function startPanel(task: PoolTask, outcome: Completed): void {
    const { receipt, output } = outcome;
    const signer = recoverSigner(domain, receiptTypes, receipt.message, receipt.signature);
    if (signer !== receipt.message.worker) throw new Error(`receipt signed by ${signer}`);
    task.state = "Validating";
    task.outcome = outcome;
    const { taskId, attempt, model, input, verification } = task;
    const validation = `val-${panels.length}`;
    const duty: ValidateDuty = {
      kind: "validate",
      namespace: "demo",
      validation,
      validationId: computeValidationId(`${validation}-${taskId}`),
      items: [{ taskId, attempt, model, input, verification, receipt, output }],
      deadlineMs: Date.now() + 30_000,
    };
    panels.push({ task, duty, commits: new Map(), reveals: new Map() });
    for (const account of options.validators) give(account, duty);
  }

  function attest(account: string, request: AttestRequest): "Recorded" | "Duplicate" | "Late" {
    if (request.kind === "certify") certified.set(account, request);
    else if (request.kind === "refuse") refused.set(account, request.reason);
    else if (request.kind === "commit" || request.kind === "reveal") return cast(account, request);
    else throw new Error(`this pool asks for no ${request.kind}`);
    notify();
    return "Recorded";
  }

  function cast(
    account: string,
    request: Extract<AttestRequest, { kind: "commit" | "reveal" }>,
  ): "Recorded" | "Duplicate" {
    const panel = panels.find(({ duty }) => duty.validation === request.validation);
    if (panel === undefined) throw new Error(`no panel ${request.validation}`);
    if (request.kind === "commit") {
      if (panel.commits.has(account)) return "Duplicate";
      panel.commits.set(account, request.commitment);
      if (panel.commits.size === options.validators.length && !holdReveals) askReveals(panel);
    } else {
      checkReveal(panel, account, request);
      panel.reveals.set(account, request);
      if (panel.reveals.size === options.validators.length) decide(panel);
    }
    notify();
    return "Recorded";
  }

  function askReveals({ duty }: Panel): void {
    const { namespace, validation, validationId, deadlineMs } = duty;
    for (const account of options.validators) {
      give(account, { kind: "reveal", namespace, validation, validationId, deadlineMs });
    }
  }

  function checkReveal(panel: Panel, validator: string, reveal: Reveal): void {
    const { validationId } = panel.duty;
    const votesRoot = buildVoteTree(domain, panel, reveal).root;
    const commitment = computeCommitment({ validationId, votesRoot, validator, salt: reveal.salt });
    if (commitment !== panel.commits.get(validator)) throw new Error("reveal does not fit its commitment");
    const signer = recoverSigner(domain, attestationTypes, { validationId, votesRoot, validator }, reveal.signature);
    if (signer !== validator) throw new Error(`attestation signed by ${signer}`);
  }

  function decide(panel: Panel): void {
    const votes = [...panel.reveals.values()].map((reveal) => reveal.votes[0]?.vote);
    const { task } = panel;
    if (votes.filter((vote) => vote === "Accept").length >= 2) task.state = "Accepted";
    else if (votes.filter((vote) => vote === "Reject").length >= 2) {
      requeue(task, nodeOf(panel.duty.items[0]?.receipt.message.worker ?? ""), "Queued");
    } else task.state = "Rejected";
  }

  async function until(condition: () => boolean, timeoutMs = 20_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!condition()) {
      const state = {
        tasks: tasks.map(({ name, state, failures }) => ({ name, state, failures })),
        refused: [...refused],
      };
      if (Date.now() > deadline) throw new Error(`the pool did not get there: ${JSON.stringify(state)}`);
      await Promise.race([changed.promise, new Promise((resolve) => setTimeout(resolve, 200))]);
    }
  }

  const backend: PoolBackend = {
    admit: async (account, role) => {
      if (role === "Validator" && !options.validators.includes(account)) {
        return { refusal: "UnknownAccount", message: `${account} is no validator.` };
      }
      return { node: nodeOf(account) };
    },
    async claim(caller, request, signal) {
      const deadline = Date.now() + request.waitMs;
      while (!signal.aborted && Date.now() < deadline) {
        const got = take(caller, request);
        if (got.assignments.length + got.duties.length > 0) return got;
        await Promise.race([changed.promise, new Promise((resolve) => setTimeout(resolve, 50))]);
      }
      return { assignments: [], duties: [] };
    },
    heartbeat: async ({ node }, { running }) => ({
      cancel: running.filter(({ taskId, attempt }) =>
        tasks.some((task) => task.taskId === taskId && (task.attempt !== attempt || task.excluded.has(node))),
      ),
    }),
    receipt: async (caller, request) => {
      const status = record(caller, request);
      statuses.push(status);
      return { status };
    },
    capability: async () => ({ status: "Late" }),
    attest: async ({ account }, request) => ({ status: attest(account, request) }),
    batch: async () => Promise.reject(new InferiumError("BatchUnknown", "There are no settled batches here.")),
    item: async () => Promise.reject(new InferiumError("ReceiptGone", "There are no settled results here.")),
  };

  return {
    backend,
    tasks,
    panels,
    /** Answers to receipts, in order. */
    statuses,
    certified,
    refused,
    addTask(input: TaskInput): PoolTask {
      const task: PoolTask = {
        ...input,
        taskId: computeTaskId(input.name),
        attempt: 1,
        excluded: new Set(),
        state: "Queued",
        failures: [],
      };
      tasks.push(task);
      notify();
      return task;
    },
    requeue,
    /** A batch of the accepted tasks named, on top of the one given. */
    buildBatch: (names: readonly string[], previous?: BatchData): BatchData =>
      buildBatch(options, { panels, names, previous }),
    hashHeader: (batch: BatchData): string => hashHeader(domain, batch),
    until,
    /** Keeps commitments waiting until releaseReveals. */
    holdReveals: () => {
      holdReveals = true;
    },
    releaseReveals: () => {
      holdReveals = false;
      for (const panel of panels) if (panel.reveals.size === 0) askReveals(panel);
    },
    /** Asks every validator to certify and waits for their answers. */
    async certify(batch: BatchData): Promise<void> {
      certified.clear();
      refused.clear();
      for (const account of options.validators)
        give(account, { kind: "certify", batch, deadlineMs: Date.now() + 30_000 });
      await until(() => certified.size + refused.size === options.validators.length);
    },
  };
}

export type MemoryPool = ReturnType<typeof createMemoryPool>;

export function nodeOf(account: string): string {
  return `node-${account.slice(2, 8).toLowerCase()}`;
}
