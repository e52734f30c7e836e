/**
 * A pool in memory: just enough of an operator to lead a task from claim over receipt, votes and reveal to a certified
 * batch. It checks what members send as an operator would, and can be told to hand out something false.
 */
import type { PoolBackend, PoolCaller } from "../../../src/pool/backend.ts";
import type {
  AttestRequest,
  BatchData,
  BatchTask,
  ClaimRequest,
  ClaimResponse,
  Duty,
  PolicyReference,
  ReceiptRequest,
  SignedOrder,
  SignedReceipt,
  ValidateDuty,
  WorkAssignment,
} from "../../../src/pool/wire.ts";
import { computeCommitment } from "../../../src/protocol/commitment.ts";
import { buildMerkleTree, hashVoteLeaf, type MerkleTree } from "../../../src/protocol/merkle.ts";
import { type Batch, computeBatch, zeroHash } from "../../../src/protocol/settlement.ts";
import {
  attestationTypes,
  batchHeaderTypes,
  computeTaskId,
  computeValidationId,
  hashMessage,
  type ProtocolDomain,
  receiptTypes,
  recoverSigner,
} from "../../../src/protocol/typed-data.ts";

type Reveal = Extract<AttestRequest, { kind: "reveal" }>;
type Completed = Extract<ReceiptRequest["outcome"], { kind: "Completed" }>;

export interface TaskInput {
  readonly name: string;
  readonly model: WorkAssignment["model"];
  readonly input: WorkAssignment["input"];
  readonly verification: PolicyReference;
  readonly order: SignedOrder;
  readonly rewardWei: bigint;
  /** Until the attempt's deadline. */
  readonly timeoutMs?: number;
}

export interface PoolTask extends TaskInput {
  readonly taskId: string;
  attempt: number;
  /** Nodes that may not take it. */
  readonly excluded: Set<string>;
  state: "Queued" | "Running" | "Validating" | "Accepted" | "Rejected" | "Failed";
  outcome?: Completed;
  readonly failures: { readonly reason: string; readonly retryable: boolean }[];
}

export interface Panel {
  readonly task: PoolTask;
  readonly duty: ValidateDuty;
  readonly commits: Map<string, string>;
  readonly reveals: Map<string, Reveal>;
}

export interface MemoryPoolOptions {
  readonly domain: ProtocolDomain;
  readonly treasury: string;
  /** Accounts of the panel. */
  readonly validators: readonly string[];
}

export function createMemoryPool(options: MemoryPoolOptions) {
  const { domain, treasury } = options;
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
    else return cast(account, request);
    notify();
    return "Recorded";
  }

  function cast(
    account: string,
    request: Exclude<AttestRequest, { kind: "certify" | "refuse" }>,
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
    const votesRoot = voteTree(panel, reveal).root;
    const commitment = computeCommitment({ validationId, votesRoot, validator, salt: reveal.salt });
    if (commitment !== panel.commits.get(validator)) throw new Error("reveal does not fit its commitment");
    const signer = recoverSigner(domain, attestationTypes, { validationId, votesRoot, validator }, reveal.signature);
    if (signer !== validator) throw new Error(`attestation signed by ${signer}`);
  }

  function voteTree(panel: Panel, reveal: Reveal): MerkleTree {
    const leaves = panel.duty.items.map(({ taskId, attempt, receipt }, index) => {
      const vote = reveal.votes[index] ?? { vote: "Abstain" as const, outputDigest: zeroHash };
      return hashVoteLeaf({ taskId, attempt, receiptDigest: digestOf(receipt), ...vote });
    });
    return buildMerkleTree(leaves);
  }

  function decide(panel: Panel): void {
    const votes = [...panel.reveals.values()].map((reveal) => reveal.votes[0]?.vote);
    const { task } = panel;
    if (votes.filter((vote) => vote === "Accept").length >= 2) task.state = "Accepted";
    else if (votes.filter((vote) => vote === "Reject").length >= 2) {
      requeue(task, nodeOf(panel.duty.items[0]?.receipt.message.worker ?? ""), "Queued");
    } else task.state = "Rejected";
  }

  function digestOf(receipt: SignedReceipt): string {
    return hashMessage(domain, receiptTypes, receipt.message);
  }

  function buildBatchTask(panel: Panel): BatchTask {
    const [item] = panel.duty.items;
    if (item === undefined) throw new Error("panel without items");
    const { receipt, taskId, attempt } = item;
    const { worker } = receipt.message;
    const accepting = [...panel.reveals].filter(([, reveal]) => reveal.votes[0]?.vote === "Accept");
    return {
      taskId,
      attempt,
      receipt,
      receiptDigest: digestOf(receipt),
      worker,
      payee: worker,
      requester: panel.task.order.message.requester,
      rewardWei: panel.task.rewardWei.toString(),
      votes: accepting.map(([validator, reveal]) => ({
        validator,
        payee: validator,
        validationId: panel.duty.validationId,
        votesRoot: voteTree(panel, reveal).root,
        vote: "Accept" as const,
        outputDigest: reveal.votes[0]?.outputDigest ?? zeroHash,
        proof: voteTree(panel, reveal).proof(0),
        signature: reveal.signature,
      })),
      order: panel.task.order,
    };
  }

  /** A batch of the accepted tasks named, on top of the one given. */
  function buildBatch(names: readonly string[], previous?: BatchData): BatchData {
    const accepted = panels.filter(({ task }) => names.includes(task.name) && task.state === "Accepted");
    const batchTasks = accepted
      .filter((panel) => panel.reveals.size > 0 && panel.duty.items[0]?.attempt === panel.task.attempt)
      .map(buildBatchTask);
    const previousBalances = previous?.balances ?? {};
    const batch = computeBatch({
      sequence: BigInt(previous?.header.sequence ?? 0) + 1n,
      previousHash: previous === undefined ? zeroHash : hashHeader(previous),
      epoch: 1n,
      createdAt: BigInt(Math.floor(Date.now() / 1000)),
      previousBalances: new Map(Object.entries(previousBalances).map(([account, wei]) => [account, BigInt(wei)])),
      tasks: batchTasks.map((task) => ({
        ...task,
        rewardWei: BigInt(task.rewardWei),
        workerPayee: task.payee,
        validatorPayees: task.votes.map((vote) => vote.payee),
      })),
      treasury,
    });
    return toData(batch, { tasks: batchTasks, treasury, previousBalances });
  }

  function hashHeader({ header }: BatchData): string {
    return hashMessage(domain, batchHeaderTypes, header);
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
    attest: async ({ account }, request) => ({ status: attest(account, request) }),
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
    buildBatch,
    hashHeader,
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

function toData(batch: Batch, rest: Pick<BatchData, "tasks" | "treasury" | "previousBalances">): BatchData {
  const { header, balances } = batch;
  return {
    header: {
      ...header,
      sequence: header.sequence.toString(),
      epoch: header.epoch.toString(),
      settledWei: header.settledWei.toString(),
      createdAt: header.createdAt.toString(),
    },
    ...rest,
    balances: Object.fromEntries([...balances].map(([account, wei]) => [account, wei.toString()])),
  };
}
