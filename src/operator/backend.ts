/**
 * The operator behind the pool API: each call is checked for what only the operator knows and handed to its stage. The
 * server has already checked who calls and that the request has the right shape.
 */

import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import type { AgentBackend, PoolBackend, PoolCaller } from "../pool/backend.ts";
import type {
  AttestRequest,
  AttestResponse,
  ClaimRequest,
  ClaimResponse,
  HeartbeatRequest,
  PoolRole,
  RunningAttempt,
} from "../pool/wire.ts";
import { checksumAddress } from "../protocol/checksum-address.ts";
import { stageOf } from "../protocol/task-stage.ts";
import { computeTaskId } from "../protocol/typed-data.ts";
import type { EndAttempt } from "./attempt-end.ts";
import type { BondBook } from "./bond-book.ts";
import type { Certifier } from "./certifier.ts";
import type { ChallengeDesk } from "./challenge-desk.ts";
import type { ClaimAges } from "./claim-ages.ts";
import type { ClaimDesk } from "./claim-desk.ts";
import type { ClaimWords } from "./claim-words.ts";
import type { AssignTask } from "./controllers/assign.ts";
import type { ReceiveReceipt } from "./controllers/receive.ts";
import type { Directory } from "./directory.ts";
import type { DutyDesk } from "./duty-desk.ts";
import type { WorkerObject } from "./kinds.ts";
import type { TaskEntry, TaskLedger } from "./ledger.ts";
import type { MissedBook } from "./missed-book.ts";
import type { ModelDesk } from "./models/model-desk.ts";
import type { PanelBook } from "./panel-book.ts";
import type { Presence } from "./presence.ts";
import type { ProofBook } from "./proof-book.ts";
import type { SettledResults } from "./settled-results.ts";
import type { Workload } from "./workload.ts";

export interface BackendOptions {
  readonly directory: Directory;
  readonly bonds: BondBook;
  readonly presence: Presence;
  readonly claimAges: ClaimAges;
  readonly ledger: TaskLedger;
  readonly workload: Workload;
  readonly claims: ClaimDesk;
  readonly challenges: ChallengeDesk;
  readonly duties: DutyDesk;
  readonly modelDesk: ModelDesk;
  readonly panels: PanelBook;
  readonly proofs: ProofBook;
  readonly certifier: Certifier;
  readonly results: SettledResults;
  readonly words: ClaimWords;
  readonly missed: MissedBook;
  readonly assign: AssignTask;
  readonly receive: ReceiveReceipt;
  readonly endAttempt: EndAttempt;
  /** Undefined where the pool hosts no agents. */
  readonly agents: AgentBackend | undefined;
  /** Checksummed accounts of gateways. */
  readonly gateways: readonly string[];
  readonly clock: Clock;
  /** Somebody was seen. */
  readonly onSeen: (node: string) => void;
}

/** A claimed task that its worker does not name for so long was never received. */
const undeliveredMs = 20_000;

export function createBackend(options: BackendOptions): PoolBackend {
  const see = (node: string, models?: readonly string[]) => {
    options.presence.see(node, models);
    options.onSeen(node);
  };
  return {
    ...(options.agents ? { agents: options.agents } : {}),
    admit: async (account, role) =>
      role === "Gateway" ? admitGateway(options, account) : admit(options, account, role),
    claim: async (caller, request, signal) => {
      see(caller.node, request.models);
      if (caller.role === "Worker") return claimTasks(options, { caller, request, signal });
      const duty = request.slots > 0 ? await options.duties.claim(caller.account, request.waitMs, signal) : undefined;
      return { assignments: [], duties: duty ? [duty] : [] };
    },
    heartbeat: async (caller, request) => {
      see(caller.node, request.models);
      await expireUndelivered(options, caller, request);
      const current = request.running.map((attempt) => ({
        ...attempt,
        assignedUntilMs: untilOf(options, caller, attempt),
      }));
      options.words.hear(
        checksumAddress(caller.account),
        current.flatMap(({ assignedUntilMs, ...rest }) => (assignedUntilMs ? [{ ...rest, assignedUntilMs }] : [])),
      );
      const cancelled = current.filter(({ assignedUntilMs }) => assignedUntilMs === undefined);
      return { cancel: cancelled.map(({ taskId, attempt }) => ({ taskId, attempt })) };
    },
    receipt: async (caller, request) => {
      see(caller.node);
      const { outcome } = request;
      const { taskId, attempt } = outcome.kind === "Completed" ? outcome.receipt.message : outcome;
      const answer = await options.receive(caller.account, request);
      options.missed.acquit(taskId, attempt, checksumAddress(caller.account));
      return answer;
    },
    capability: async (caller, request) => {
      see(caller.node);
      return options.challenges.answer(caller.node, request);
    },
    attest: async (caller, request) => {
      see(caller.node);
      return attest(options, caller.account, request);
    },
    batch: (_, { sequence }) => options.results.readBatch(sequence),
    item: (_, { taskId, attempt }) => options.results.readItem(taskId, attempt),
  };
}

/** A gateway has no bond: whoever configures the pool trusts it to count calls. */
function admitGateway({ agents, gateways }: BackendOptions, account: string) {
  if (agents && gateways.includes(account)) return { node: account };
  const what = agents ? `The pool's configuration names no gateway ${account}` : "This pool hosts no agents";
  return { refusal: "UnknownGateway", message: `${what}; see INFERIUM_GATEWAY_ACCOUNTS of the operator.` };
}

type MemberRole = Exclude<PoolRole, "Gateway">;

/** @throws InferiumError ChainUnavailable and its like where the bond was never read: come again */
async function admit({ directory, bonds }: BackendOptions, account: string, role: MemberRole) {
  const worker = directory.findByAddress(account);
  if (!worker) return { refusal: "UnknownAccount", message: `No WorkerNode has address ${account}; create one.` };
  const { name } = worker.metadata;
  // Who has just bonded, or calls just after a start, is not told something older.
  if (!directory.isBonded(worker, role)) await bonds.refresh([account]);
  return explainRefusal(directory, worker, role) ?? { node: name };
}

function explainRefusal(directory: Directory, worker: WorkerObject, role: MemberRole) {
  const { name } = worker.metadata;
  if (worker.spec.role !== role && worker.spec.role !== "Both") {
    return { refusal: "WrongRole", message: `WorkerNode ${name} is a ${worker.spec.role}, not a ${role}.` };
  }
  if (directory.isDisqualified(worker))
    return { refusal: "Disqualified", message: `WorkerNode ${name} is banned for ever.` };
  if (directory.isBonded(worker, role)) return undefined;
  return { refusal: "NotBonded", message: `WorkerNode ${name} has no active bond as ${role}; bond it.` };
}

interface Claim {
  readonly caller: PoolCaller;
  readonly request: ClaimRequest;
  readonly signal: AbortSignal;
}

async function claimTasks(options: BackendOptions, { caller, request, signal }: Claim): Promise<ClaimResponse> {
  const { claims } = options;
  const { slots, waitMs } = request;
  const tasks = await claims.claim({ worker: caller.node, slots, waitMs }, signal);
  const assignee = { name: caller.node, address: checksumAddress(caller.account) };
  const assigned = await Promise.all(
    tasks.map(({ id }) => options.assign(id, assignee).finally(() => claims.handed(caller.node))),
  );
  const assignments = assigned.filter((assignment) => assignment !== undefined);
  if (signal.aborted) await Promise.all(assignments.map((lost) => giveBack(options, lost)));
  // Only who has waited in vain, and runs nothing: no task ever waits for a challenge.
  const isIdle = tasks.length === 0 && slots > 0 && !signal.aborted && options.workload.of(caller.node).size === 0;
  const challenge = isIdle ? options.challenges.next(caller.node) : undefined;
  return { assignments, duties: [], ...(challenge === undefined ? {} : { challenge }) };
}

/** The caller went away while its claim was written: nobody would ever run it. */
async function giveBack(
  { ledger, endAttempt }: BackendOptions,
  lost: { namespace: string; task: string; attempt: number },
): Promise<void> {
  const entry = ledger.get(`${lost.namespace}/${lost.task}`);
  if (entry) await endAttempt(entry, notDelivered(lost.attempt));
}

function notDelivered(attempt: number) {
  const message = "The worker was gone before it had received the task.";
  return { attempt, outcome: "Expired", reason: "NotDelivered", message } as const;
}

async function expireUndelivered(
  options: BackendOptions,
  caller: PoolCaller,
  request: HeartbeatRequest,
): Promise<void> {
  const running = new Set(request.running.map(({ taskId, attempt }) => `${taskId}/${attempt}`));
  for (const key of [...options.workload.of(caller.node)]) {
    const entry = options.ledger.get(key);
    const assignment = entry?.status.assignment;
    if (!entry || !assignment || running.has(`${computeTaskId(entry.uid)}/${assignment.attempt}`)) continue;
    if ((options.claimAges.of(entry)?.ageMs ?? 0) > undeliveredMs)
      await options.endAttempt(entry, notDelivered(assignment.attempt));
  }
}

/** The deadline of the attempt's assignment; undefined where it no longer counts. */
function untilOf(
  { ledger, workload }: BackendOptions,
  caller: PoolCaller,
  attempt: RunningAttempt,
): number | undefined {
  for (const key of workload.of(caller.node)) {
    const entry = ledger.get(key);
    if (entry && isAttempt(entry, attempt)) return Date.parse(entry.status.assignment?.deadline ?? "");
  }
  return undefined;
}

function isAttempt({ uid, status, task }: TaskEntry, { taskId, attempt }: RunningAttempt): boolean {
  if (task.metadata.deletionTimestamp !== undefined || stageOf(status) !== "Run") return false;
  return status.assignment?.attempt === attempt && computeTaskId(uid) === taskId;
}

function attest(
  { panels, proofs, certifier, challenges, modelDesk }: BackendOptions,
  account: string,
  request: AttestRequest,
): AttestResponse {
  if (request.kind === "commit") return panels.commit(account, request);
  if (request.kind === "reveal") return panels.reveal(account, request);
  if (request.kind === "prove") return proofs.prove(account, request);
  if (request.kind === "endorse") return proofs.endorse(account, request);
  if (request.kind === "decline") return proofs.decline(account, request);
  if (request.kind === "challenge") return challenges.check(account, request);
  if (request.kind === "model") return modelDesk.hear(account, request);
  if (request.kind === "certify") return certifier.sign(account, request);
  if (request.kind === "refuse") return certifier.refuse(account, request);
  throw new InferiumError("UnknownAttestation", "An attestation is of no known kind.");
}
