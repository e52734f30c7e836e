/**
 * Stage 6, first half: receipts that were committed within a moment of each other share one Validation, so that its cost is
 * shared. The receipts of a group are fixed first, then the seed comes from a block after that, then the panel is drawn:
 * nobody can choose receipts by panel or panel by receipts.
 */
import { keccak256, toUtf8Bytes } from "ethers";
import { labels } from "../../api/v1alpha1/labels.ts";
import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/log.ts";
import { isAlreadyExists } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Reconcile } from "../../kube/controller.ts";
import { computeSeed, type Judged, type Panel, selectPanel } from "../../protocol/selection.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { ChainLink } from "../chain-link.ts";
import type { Directory } from "../directory.ts";
import type { ValidationObject } from "../kinds.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import type { ValidationIndex } from "../validation-index.ts";

export interface GroupOptions {
  readonly ledger: TaskLedger;
  readonly directory: Directory;
  readonly index: ValidationIndex;
  readonly link: ChainLink;
  readonly client: KubeClient<ValidationObject>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pool: string;
  /** How long a group waits for more. */
  readonly windowMs: number;
  readonly validationMs: number;
  /** What a proof may take before the panel votes. */
  readonly proofMs: number;
  /** Has the group looked at after the delay; of several, the earliest counts. */
  readonly schedule: (group: string, delayMs: number) => void;
}

export interface PanelWish {
  readonly round: number;
  readonly validators: number;
  readonly quorum: number;
}

interface Group {
  readonly namespace: string;
  readonly policy: "Exact" | "Tolerance" | "ZeroKnowledge";
  readonly wish: PanelWish;
  /** namespace/name of the tasks, in the order in which they came. */
  readonly keys: Set<string>;
}

export interface Grouping {
  readonly reconcile: Reconcile;
  /** Puts a task whose receipt nobody judges yet into a group. */
  add(entry: TaskEntry, wish?: PanelWish): void;
}

const maxReceipts = 64;
/** A proof takes its prover seconds: each is made by a validator of its own, and none waits for another. */
const maxReceiptsOf = ({ policy }: Pick<Group, "policy">) => (policy === "ZeroKnowledge" ? 1 : maxReceipts);
const noValidatorsRetryMs = 1_000;
const blockPollMs = 100;

export function createGrouping(options: GroupOptions): Grouping {
  const groups = new Map<string, Group>();
  return {
    add: (entry, wish) => {
      const [key, group] = groupOf(entry, wish);
      const known = groups.get(key) ?? group;
      groups.set(key, known);
      known.keys.add(entry.key);
      options.schedule(key, known.keys.size >= maxReceiptsOf(group) ? 0 : options.windowMs);
    },
    reconcile: async (key, signal) => {
      const group = groups.get(key);
      const entries = group ? pick(options, group) : [];
      if (!group || entries.length === 0) {
        groups.delete(key);
        return undefined;
      }
      const created = await judge(options, { group, entries }, signal);
      if (created === 0) return { requeueAfterMs: noValidatorsRetryMs };
      for (const entry of entries.slice(0, created)) group.keys.delete(entry.key);
      return group.keys.size > 0 ? { requeueAfterMs: 0 } : undefined;
    },
  };
}

/** A training takes its panel long: no other receipt waits for it. */
function groupOf({ task, uid }: TaskEntry, wish: PanelWish | undefined): [string, Group] {
  const { policy, tolerance, validators, quorum } = task.spec.verification;
  const wanted = wish ?? { round: 1, validators, quorum };
  const namespace = task.metadata.namespace ?? "";
  const alone = task.spec.training && uid;
  const key = JSON.stringify([namespace, policy, tolerance?.absolute, tolerance?.relative, wanted, alone]);
  return [key, { namespace, policy: policyOf(policy, wanted), wish: wanted, keys: new Set() }];
}

/** A larger panel hears what no proof and no votes decided: it votes at once. */
function policyOf(policy: TaskEntry["task"]["spec"]["verification"]["policy"], { round }: PanelWish): Group["policy"] {
  if (policy === "Tolerance" || (policy === "ZeroKnowledge" && round === 1)) return policy;
  return "Exact";
}

/** The tasks of the group that still wait for this round; the others are dropped from it. */
function pick({ ledger, index }: GroupOptions, group: Group): TaskEntry[] {
  const entries: TaskEntry[] = [];
  for (const key of group.keys) {
    const entry = ledger.get(key);
    const attempt = entry?.status.assignment?.attempt ?? 0;
    const waits = entry && stageOf(entry.status) === "Judge";
    const round = entry ? (index.covering(entry.uid, attempt)?.spec.round ?? 0) : 0;
    if (entry && waits && round < group.wish.round) entries.push(entry);
    else group.keys.delete(key);
    if (entries.length >= maxReceiptsOf(group)) break;
  }
  return entries;
}

interface Case {
  readonly group: Group;
  readonly entries: readonly TaskEntry[];
}

/** Answers how many of the entries, from the first, are being judged now. */
async function judge(options: GroupOptions, whole: Case, signal: AbortSignal): Promise<number> {
  const entries = narrow(options, whole);
  if (entries.length === 0) return 0;
  const fixed = { ...whole, entries };
  const { hash, block } = await drawBlock(options, signal);
  const digests = entries.map((entry) => entry.status.receipt?.digest ?? "");
  const seed = computeSeed(digests, hash);
  const panel = draw(options, fixed, seed);
  if (panel.members.length < whole.group.wish.validators) return 0;
  const validation = buildValidation(options, fixed, { panel, seed, block });
  options.index.put(await create(options, validation));
  return entries.length;
}

/** Where too few are independent of all the group's workers, the receipts of the first worker are judged alone. */
function narrow(options: GroupOptions, { group, entries }: Case): readonly TaskEntry[] {
  const isEnough = (some: readonly TaskEntry[]) =>
    draw(options, { group, entries: some }, emptySeed).eligible >= group.wish.validators;
  if (isEnough(entries)) return entries;
  const worker = entries[0]?.status.assignment?.worker;
  const count = entries.findIndex((entry) => entry.status.assignment?.worker !== worker);
  const alone = count < 0 ? entries : entries.slice(0, count);
  if (isEnough(alone)) return alone;
  const eligible = draw(options, { group, entries: alone }, emptySeed).eligible;
  const { validators } = group.wish;
  options.logger.warn("too few independent validators, receipts wait", {
    wanted: validators,
    eligible,
    receipts: entries.length,
  });
  return [];
}

const emptySeed = `0x${"0".repeat(64)}`;

function draw({ directory }: GroupOptions, { group, entries }: Case, seed: string): Panel {
  const judged = new Map<string, Judged>();
  for (const { status } of entries) {
    const address = status.assignment?.address ?? "";
    const worker = directory.findByAddress(address);
    const { owner, nodeName } = worker?.spec ?? {};
    judged.set(address, { address, ...(owner ? { owner } : {}), ...(nodeName ? { nodeName } : {}) });
  }
  return selectPanel(directory.candidates(), [...judged.values()], { seed, count: group.wish.validators });
}

/** The first block that comes after the receipts were fixed. @throws the signal's reason; chain errors */
async function drawBlock({ link, clock }: GroupOptions, signal: AbortSignal): Promise<{ hash: string; block: number }> {
  const fixedAt = await link.client.blockNumber();
  for (;;) {
    const hash = await link.client.blockHash(fixedAt + 1);
    if (hash !== undefined) return { hash, block: fixedAt + 1 };
    await clock.sleep(blockPollMs, signal);
  }
}

interface Drawn {
  readonly panel: Panel;
  readonly seed: string;
  readonly block: number;
}

function buildValidation(options: GroupOptions, { group, entries }: Case, drawn: Drawn): ValidationObject {
  const receipts = entries.map(({ task, uid, status }) => ({
    task: task.metadata.name,
    uid,
    attempt: status.receipt?.message.attempt ?? 1,
    worker: status.receipt?.message.worker ?? "",
    digest: status.receipt?.digest ?? "",
  }));
  const id = keccak256(toUtf8Bytes(JSON.stringify([group.wish.round, drawn.block, receipts])));
  return {
    apiVersion: options.client.type.apiVersion,
    kind: "Validation",
    metadata: {
      name: `val-${id.slice(2, 18)}`,
      namespace: group.namespace,
      labels: { [labels.pool]: options.pool },
      ownerReferences: entries.map(({ task, uid }) => ({
        apiVersion: task.apiVersion,
        kind: task.kind,
        name: task.metadata.name,
        uid,
      })),
    },
    spec: {
      receipts,
      receiptCount: receipts.length,
      policy: group.policy,
      seed: drawn.seed,
      seedBlock: drawn.block,
      validators: drawn.panel.members.map(({ name, address, owner, nodeName }) => ({
        name,
        address,
        ...(owner ? { owner } : {}),
        ...(nodeName ? { nodeName } : {}),
      })),
      quorum: group.wish.quorum,
      round: group.wish.round,
      deadline: new Date(options.clock.now() + timeOf(options, group)).toISOString(),
    },
  };
}

function timeOf({ validationMs, proofMs }: GroupOptions, { policy }: Group): number {
  return policy === "ZeroKnowledge" ? proofMs + validationMs : validationMs;
}

async function create({ client }: GroupOptions, validation: ValidationObject): Promise<ValidationObject> {
  try {
    return await client.create(validation);
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    const { namespace, name } = validation.metadata;
    return client.get({ namespace, name });
  }
}
