/** Workers and validators that speak the real pool API and do what the test tells them. */
import { randomBytes } from "node:crypto";
import { digestToBytes32 } from "../../../src/base/digest.ts";
import { silentLogger } from "../../../src/base/log.ts";
import type { BatchData } from "../../../src/pool/batch-evidence.ts";
import { createPoolClient, type PoolClient } from "../../../src/pool/client.ts";
import type { Duty, EndorseDuty, ProveDuty, ValidateDuty } from "../../../src/pool/duty.ts";
import { readInline } from "../../../src/pool/inline-tensors.ts";
import type { SignedReceipt } from "../../../src/pool/wire.ts";
import type { InlineTensors, WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { computeCommitment } from "../../../src/protocol/commitment.ts";
import { buildMerkleTree, hashVoteLeaf, type Vote } from "../../../src/protocol/merkle.ts";
import { endorsementOf, type ProofData } from "../../../src/protocol/proof.ts";
import type { Because } from "../../../src/protocol/status-change.ts";
import { digestTensors } from "../../../src/protocol/tensors/canonical.ts";
import {
  attestationTypes,
  batchHeaderTypes,
  claimTypes,
  hashMessage,
  type ProtocolDomain,
  proofEndorsementTypes,
  receiptTypes,
} from "../../../src/protocol/typed-data.ts";
import type { RegisteredAgent } from "../../../src/validator/certify/check-agents.ts";
import { checkBatch } from "../../../src/validator/certify/check-batch.ts";
import { parseBatch, parseHeader } from "../../../src/validator/certify/parse-batch.ts";
import { type Cluster, type FixtureMember, pool, type RunningOperator, treasury } from "./operator-fixture.ts";

/** What a member needs to know of its cluster. */
export type MemberCluster = Pick<Cluster, "member" | "domain" | "poolCa">;

export function connect(cluster: MemberCluster, operator: Pick<RunningOperator, "url">, name: string): PoolClient {
  const { signer, role } = cluster.member(name);
  return createPoolClient({ url: operator.url, caPem: cluster.poolCa, signer, role, logger: silentLogger });
}

/** The true output: every element doubled. */
export function double(input: WorkAssignment["input"], by = 2): InlineTensors {
  const x = input.inline?.x;
  return { y: { dtype: "int32", shape: x?.shape ?? [], data: (x?.data ?? []).map((value) => value * by) } };
}

export function digestOf(output: InlineTensors): string {
  return digestToBytes32(digestTensors(readInline(output)));
}

export async function signReceipt(
  domain: ProtocolDomain,
  member: FixtureMember,
  {
    assignment,
    output,
    runtime = "test",
  }: { assignment: WorkAssignment; output: InlineTensors; runtime?: string | undefined },
): Promise<SignedReceipt> {
  const message = {
    taskId: assignment.taskId,
    attempt: assignment.attempt,
    worker: member.signer.address,
    modelDigest: `0x${assignment.model.digest.slice(7)}`,
    imageDigest: `0x${"0".repeat(64)}`,
    codeDigest: `0x${"c0".repeat(32)}`,
    inputDigest: `0x${"11".repeat(32)}`,
    outputDigest: digestOf(output),
    runtime,
    startedAtMs: Date.now() - 5,
    endedAtMs: Date.now(),
  };
  return { message, signature: await member.signer.signTypedData(domain, receiptTypes, message) };
}

export type Compute = (task: Pick<WorkAssignment, "model" | "input">) => Promise<InlineTensors>;

export interface Script {
  /** What the worker multiplies by; undefined: it never answers. */
  readonly multiply?: (assignment: WorkAssignment) => number | undefined;
  readonly slots?: number;
  /** What its receipts say that they were computed by. */
  readonly runtime?: string;
  /** The true output of a task; left out: every element doubled. */
  readonly compute?: Compute;
  /** Sends a heartbeat after each claim that names what it has not answered, with its word for it. */
  readonly heartbeat?: boolean;
}

export interface Running {
  readonly seen: WorkAssignment[];
  readonly duties: Duty["kind"][];
  /** Reasons for which batches were refused. */
  readonly refusals: string[];
  stop(): Promise<void>;
}

/** Claims, answers by the script, until it is stopped. */
export function runWorker(cluster: Cluster, operator: RunningOperator, name: string, script: Script = {}): Running {
  const member = cluster.member(name);
  const seen: WorkAssignment[] = [];
  const open: WorkAssignment[] = [];
  const loop = startLoop(cluster, operator, name, async (client, signal) => {
    const { assignments } = await client.claim(
      { slots: script.slots ?? 2, models: [], waitMs: script.heartbeat ? 200 : 2_000 },
      signal,
    );
    for (const assignment of assignments) {
      seen.push(assignment);
      const by = script.multiply ? script.multiply(assignment) : 2;
      if (by === undefined) {
        open.push(assignment);
        continue;
      }
      const output = (await script.compute?.(assignment)) ?? double(assignment.input, by);
      const receipt = await signReceipt(cluster.domain, member, { assignment, output, runtime: script.runtime });
      const outcome = { kind: "Completed" as const, receipt, output, items: 1 };
      await client.receipt({ namespace: assignment.namespace, task: assignment.task, outcome }, signal);
    }
    if (!script.heartbeat || open.length === 0) return;
    const running = await Promise.all(open.map((assignment) => giveWord(cluster.domain, member, assignment)));
    await client.heartbeat({ running, models: [] }, signal);
  });
  return { seen, duties: [], refusals: [], stop: loop };
}

async function giveWord(domain: ProtocolDomain, { signer }: FixtureMember, assignment: WorkAssignment) {
  const { taskId, attempt, deadlineMs } = assignment;
  const message = { taskId, attempt, worker: signer.address, deadlineMs };
  return { taskId, attempt, claim: { deadlineMs, signature: await signer.signTypedData(domain, claimTypes, message) } };
}

export interface ValidatorScript {
  readonly compute?: Compute;
  /** Returns undefined to leave a duty unanswered. */
  readonly onDuty?: (duty: Duty) => "answer" | "ignore" | Promise<"answer" | "ignore">;
  readonly vote?: (item: ValidateDuty["items"][number]) => Vote | undefined;
  /** In place of doubling the input and comparing. */
  readonly judge?: (
    item: ValidateDuty["items"][number],
  ) => Promise<{ readonly vote: Vote; readonly outputDigest: string }>;
  /** The proof that it hands in, or why it has none. */
  readonly prove?: (duty: ProveDuty) => ProofData | Because;
  /** Signs for work that nobody ran again. */
  readonly allowUnverified?: boolean;
  /** Why it does not stand for another's proof. */
  readonly decline?: () => Because | undefined;
}

interface Cast {
  readonly votes: { readonly vote: Vote; readonly outputDigest: string }[];
  readonly salt: string;
  readonly votesRoot: string;
}

/** What a validator keeps on its disk. */
export type Memory = Map<string, Cast>;

export function runValidator(
  cluster: Cluster,
  operator: RunningOperator,
  name: string,
  { script = {}, memory = new Map() }: { script?: ValidatorScript; memory?: Memory } = {},
): Running {
  const member = cluster.member(name);
  const duties: Duty["kind"][] = [];
  const refusals: string[] = [];
  const stop = startLoop(cluster, operator, name, async (client, signal) => {
    const response = await client.claim({ slots: 1, models: [], waitMs: 2_000 }, signal);
    for (const duty of response.duties) {
      duties.push(duty.kind);
      if ((await script.onDuty?.(duty)) === "ignore") continue;
      if (duty.kind === "validate") await commit(cluster, { client, member, memory, script }, duty);
      if (duty.kind === "reveal") await reveal(cluster, { client, member, memory, script }, duty);
      if (duty.kind === "prove") await prove(cluster, { client, member, script }, duty);
      if (duty.kind === "endorse") await endorse(cluster, { client, member, script }, duty);
      const { allowUnverified = false } = script;
      if (duty.kind === "certify") await certify(cluster, { client, member, refusals, allowUnverified }, duty.batch);
    }
  });
  return { seen: [], duties, refusals, stop };
}

interface Voter {
  readonly client: PoolClient;
  readonly member: FixtureMember;
  readonly memory: Memory;
  readonly script: ValidatorScript;
}

async function commit(cluster: Cluster, voter: Voter, duty: ValidateDuty): Promise<void> {
  const { member, memory, client, script } = voter;
  const cast = memory.get(duty.validationId) ?? (await castVotes(cluster.domain, duty, script));
  memory.set(duty.validationId, cast);
  const { validationId, namespace, validation } = duty;
  const { votesRoot, salt } = cast;
  const commitment = computeCommitment({ validationId, votesRoot, validator: member.signer.address, salt });
  await client.attest({ kind: "commit", namespace, validation, commitment });
}

async function castVotes(domain: ProtocolDomain, duty: ValidateDuty, script: ValidatorScript): Promise<Cast> {
  const votes = await Promise.all(
    duty.items.map(async (item) => {
      if (script.judge) {
        const { vote, outputDigest } = await script.judge(item);
        return { vote, outputDigest };
      }
      const own = digestOf((await script.compute?.(item)) ?? double(item.input));
      const honest = own === item.receipt.message.outputDigest ? ("Accept" as const) : ("Reject" as const);
      return { vote: script.vote?.(item) ?? honest, outputDigest: own };
    }),
  );
  const leaves = duty.items.map(({ taskId, attempt, receipt }, index) =>
    hashVoteLeaf({
      taskId,
      attempt,
      receiptDigest: hashMessage(domain, receiptTypes, receipt.message),
      ...votes[index]!,
    }),
  );
  return { votes, salt: `0x${randomBytes(32).toString("hex")}`, votesRoot: buildMerkleTree(leaves).root };
}

async function reveal(
  cluster: Cluster,
  { member, memory, client }: Voter,
  duty: Extract<Duty, { kind: "reveal" }>,
): Promise<void> {
  const cast = memory.get(duty.validationId);
  if (!cast) throw new Error("asked to reveal what was never committed");
  const { validationId, namespace, validation } = duty;
  const message = { validationId, votesRoot: cast.votesRoot, validator: member.signer.address };
  const signature = await member.signer.signTypedData(cluster.domain, attestationTypes, message);
  const { votes, salt } = cast;
  await client.attest({ kind: "reveal", namespace, validation, votes, salt, signature, overheadMs: 5 });
}

type Prover = Pick<Voter, "client" | "member" | "script">;

/** The words of a proof that only looks like one. */
export function aProof({ item }: ProveDuty, change: Partial<ProofData> = {}): ProofData {
  const { taskId, attempt, worker } = item.receipt.message;
  return {
    ...{ taskId, attempt, worker, modelDigest: item.model.digest, verifyingKeyDigest: `sha256:${"e5".repeat(32)}` },
    ...{ rows: 1, salt: "77", signals: ["1", "2", "3"], words: ["1", "2", "3", "4", "5", "6", "7", "8"] },
    ...change,
  };
}

async function prove(cluster: Cluster, { client, member, script }: Prover, duty: ProveDuty): Promise<void> {
  const { namespace, validation } = duty;
  const proof = script.prove?.(duty) ?? aProof(duty);
  if ("reason" in proof) return void (await client.attest({ kind: "decline", namespace, validation, ...proof }));
  const signature = await signEndorsement(cluster, member, proof);
  const rest = { circuitDigest: `sha256:${"c1".repeat(32)}`, developmentSetup: true, proveMs: 5 };
  await client.attest({ kind: "prove", namespace, validation, proof, ...rest, signature });
}

async function endorse(cluster: Cluster, { client, member, script }: Prover, duty: EndorseDuty): Promise<void> {
  const { namespace, validation, proof } = duty;
  const because = script.decline?.();
  if (because) return void (await client.attest({ kind: "decline", namespace, validation, ...because }));
  const signature = await signEndorsement(cluster, member, proof);
  await client.attest({ kind: "endorse", namespace, validation, signature });
}

function signEndorsement({ domain }: Cluster, { signer }: FixtureMember, proof: ProofData): Promise<string> {
  return signer.signTypedData(domain, proofEndorsementTypes, endorsementOf(proof, signer.address));
}

interface Certifier {
  readonly client: PoolClient;
  readonly member: FixtureMember;
  readonly refusals: string[];
  readonly allowUnverified: boolean;
}

/** Signs what the real validator's checks find no fault with. */
async function certify(
  cluster: Cluster,
  { client, member, refusals, allowUnverified }: Certifier,
  data: BatchData,
): Promise<void> {
  const header = parseHeader(data.header);
  const headerHash = hashMessage(cluster.domain, batchHeaderTypes, header);
  const batch = parseBatch(data);
  const payouts = new Map(cluster.members.map(({ signer, owner }) => [signer.address, owner]));
  const validators = new Set(
    cluster.members.filter(({ role }) => role === "Validator").map(({ signer }) => signer.address),
  );
  const agents = new Map<string, RegisteredAgent>();
  for (const { agent } of batch.tasks) {
    const found = agent && (await cluster.chain.agent(agent.window.agentId));
    if (found) agents.set(agent.window.agentId, found);
  }
  const outcome = await checkBatch(batch, {
    ...{ domain: cluster.domain, pool, treasury, minimumQuorum: 2, allowUnverified },
    ...{
      validators,
      payouts,
      spendable: undefined,
      agents,
      settledTasks: new Set<string>(),
      answered: new Set<string>(),
      spentWei: new Map(),
      nowMs: Date.now(),
      // Scripted proofs are made of nothing; that they are checked is for the validator's own tests.
      checkProof: async () => undefined,
    },
  });
  const { sequence } = data.header;
  if (!(outcome instanceof Map)) {
    refusals.push(`${outcome.code}: ${outcome.message}`);
    await client.attest({ kind: "refuse", sequence, headerHash, reason: outcome.message });
    return;
  }
  const signature = await member.signer.signTypedData(cluster.domain, batchHeaderTypes, header);
  await client.attest({ kind: "certify", sequence, headerHash, signature });
}

function startLoop(
  cluster: Cluster,
  operator: RunningOperator,
  name: string,
  round: (client: PoolClient, signal: AbortSignal) => Promise<void>,
): () => Promise<void> {
  const stopping = new AbortController();
  const client = connect(cluster, operator, name);
  const done = (async () => {
    while (!stopping.signal.aborted) {
      await round(client, stopping.signal).catch(async (error: unknown) => {
        if (stopping.signal.aborted) return;
        if (process.env.TEST_LOG) console.error(name, error);
        await new Promise((resolve) => setTimeout(resolve, 100));
      });
    }
    await client.close();
  })();
  return async () => {
    stopping.abort(new Error("test stops the member"));
    await done;
  };
}
