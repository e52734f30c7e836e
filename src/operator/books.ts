/** Everything that one term of leadership knows: made empty here, filled from the server, the chain and the records. */
import type { Clock } from "../base/clock.ts";
import { InferiumError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Deployment } from "../kube/app-resources.ts";
import type { KubeClient } from "../kube/client.ts";
import type { ConfigMap, Secret, Service } from "../kube/core-resources.ts";
import { TaskPool } from "../protocol/pool.ts";
import type { ProtocolDomain } from "../protocol/typed-data.ts";
import { CallerAccounts } from "./agents/caller-accounts.ts";
import { verifyEvidence } from "./attestation/verify-evidence.ts";
import { createBadProofBook } from "./bad-proof-book.ts";
import { BanBook } from "./ban-book.ts";
import { BatchBook } from "./batch-book.ts";
import { BondBook } from "./bond-book.ts";
import { CapabilityBook } from "./capability-book.ts";
import { Certifier } from "./certifier.ts";
import type { ChainLink } from "./chain-link.ts";
import { ChallengeDesk, type ChallengeDeskOptions } from "./challenge-desk.ts";
import { ClaimAges } from "./claim-ages.ts";
import { ClaimDesk } from "./claim-desk.ts";
import { ClaimWords } from "./claim-words.ts";
import type { OperatorConfig } from "./config.ts";
import { addressOf, Directory } from "./directory.ts";
import { DisputeBook } from "./dispute-book.ts";
import { DutyDesk } from "./duty-desk.ts";
import { Earnings } from "./earnings.ts";
import { FinalBatch } from "./final-batch.ts";
import type { OperatorInformers } from "./informers.ts";
import type {
  AgentObject,
  LeaderboardObject,
  ModelObject,
  TaskObject,
  ValidationObject,
  WorkerObject,
} from "./kinds.ts";
import type { Lanes } from "./lanes.ts";
import { LeaderboardIndex } from "./leaderboard/leaderboard-index.ts";
import { TaskLedger } from "./ledger.ts";
import type { OperatorMetrics } from "./metrics.ts";
import { MissedBook } from "./missed-book.ts";
import { CircuitBook } from "./models/circuit-book.ts";
import { ModelCatalog } from "./models/model-catalog.ts";
import { ModelDesk } from "./models/model-desk.ts";
import { OrderBook } from "./order-book.ts";
import { OutputCache } from "./output-cache.ts";
import { PanelBook } from "./panel-book.ts";
import { Presence } from "./presence.ts";
import { ProofBook } from "./proof-book.ts";
import { RecordStore } from "./record-store.ts";
import { ReputationBook } from "./reputation-book.ts";
import { SettledResults } from "./settled-results.ts";
import { createShardView } from "./shards/copies.ts";
import { createSlashBook, type SlashBook } from "./slash-book.ts";
import { TaskFinder } from "./task-finder.ts";
import { openTraceFile } from "./trace-file.ts";
import { ValidationIndex } from "./validation-index.ts";
import { createItemBook } from "./validation-items.ts";
import { Workload } from "./workload.ts";

export interface Clients {
  readonly tasks: KubeClient<TaskObject>;
  readonly validations: KubeClient<ValidationObject>;
  readonly leaderboards: KubeClient<LeaderboardObject>;
  readonly workers: KubeClient<WorkerObject>;
  readonly models: KubeClient<ModelObject>;
  readonly secrets: KubeClient<Secret>;
  readonly configMaps: KubeClient<ConfigMap>;
  readonly agents: KubeClient<AgentObject>;
  readonly deployments: KubeClient<Deployment>;
  readonly services: KubeClient<Service>;
}

export interface BookParts {
  readonly config: OperatorConfig;
  readonly informers: OperatorInformers;
  readonly clients: Clients;
  readonly link: ChainLink;
  readonly domain: ProtocolDomain;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
  readonly lanes: Lanes;
}

export type Books = ReturnType<typeof createBooks>;

export function createBooks(parts: BookParts) {
  const { config, clients, clock, logger, metrics, lanes, domain } = parts;
  const records = (kind: string) =>
    new RecordStore({ client: clients.configMaps, namespace: config.namespace, pool: config.pool.name, kind });
  const ledger = new TaskLedger({ client: clients.tasks, clock, metrics });
  const batches = new BatchBook({
    states: records("batch"),
    bodies: records("batch-body"),
    lapsed: records("batch-lapsed"),
  });
  const outputs = new OutputCache();
  const catalog = new ModelCatalog({ ...parts.informers, ...config.models, ownNamespace: config.namespace, clock });
  const items = createItemBook({ ledger, outputs, tasks: clients.tasks, configMaps: clients.configMaps, catalog });
  const duties = new DutyDesk(logger);
  const settledOf = (budget: string) => BigInt(batches.last?.body.spentByBudget[budget] ?? "0");
  const slashes = createSlashBook(records("slash"));
  const finder = new TaskFinder(ledger);
  const missed = new MissedBook(records("missed"));
  const buildItems = (validation: ValidationObject) =>
    items.build(validation).catch((error: unknown) => abandon(clients, validation, error));
  const { deadlineMs, provingMs, endorsingMs, stragglerMs } = config.validation;
  const members = createMembers(parts, { slashes, missed, duties });
  return {
    ...members,
    catalog,
    circuits: new CircuitBook(parts.link),
    modelDesk: new ModelDesk({
      ...{ directory: members.directory, domain, clock, logger, panel: config.models },
      onChange: (key) => lanes.add("model", key),
      onDuty: () => duties.kick(),
    }),
    missed,
    accounts: new CallerAccounts(records("agent-account")),
    words: new ClaimWords(domain),
    ledger,
    batches,
    final: new FinalBatch(batches, parts.link),
    outputs,
    items,
    duties,
    finder,
    disputes: new DisputeBook(),
    results: new SettledResults({ batches, items, finder }),
    index: new ValidationIndex(),
    shards: createShardView(ledger, (worker) => members.directory.get(worker)?.spec.owner),
    leaderboards: new LeaderboardIndex(ledger),
    slashes,
    badProofs: createBadProofBook(records("bad-proof")),
    transactions: records("transaction"),
    orders: new OrderBook({ secrets: clients.secrets, domain, clock, settledOf }),
    certifier: new Certifier({ domain, clock, logger, metrics, onChange: () => duties.kick() }),
    panels: new PanelBook({
      domain,
      clock,
      deadlineMs,
      buildItems,
      onVote: (key) => lanes.add("panel", key),
    }),
    proofs: new ProofBook({
      ...{ domain, clock, buildItems },
      timing: { provingMs, endorsingMs, stragglerMs },
      onChange: (key) => lanes.add("panel", key),
    }),
  };
}

/** A panel needs every receipt: where one is gone before anybody has it, new panels hear the others. */
async function abandon({ validations }: Clients, { metadata }: ValidationObject, error: unknown): Promise<never> {
  if (error instanceof InferiumError && error.code === "ReceiptGone") {
    const { namespace, name, uid = "" } = metadata;
    await validations.delete({ namespace, name }, { preconditions: { uid } });
  }
  throw error;
}

/** Members and what they do: these ask each other. */
function createMembers(
  parts: BookParts,
  { slashes, missed, duties }: { slashes: SlashBook; missed: MissedBook; duties: DutyDesk },
) {
  const { config, informers, clients, link, clock, logger, metrics, lanes } = parts;
  const presence = new Presence(clock, config.silenceMs);
  const claimAges = new ClaimAges(clock);
  const workload = new Workload(clock, metrics);
  const policies = config.policies;
  const trace = config.trace && openTraceFile({ ...config.trace, policies, clock, logger });
  const pool = new TaskPool(policies, trace?.write);
  const store = new RecordStore({
    client: clients.configMaps,
    namespace: config.namespace,
    pool: config.pool.name,
    kind: "reputation",
  });
  const reputations = new ReputationBook({ store, clock, logger, onChange: (worker) => lanes.add("mirror", worker) });
  const scoreOf = (name: string) => reputations.scoreOf(name);
  const bans = new BanBook(
    new RecordStore({ client: clients.configMaps, namespace: config.namespace, pool: config.pool.name, kind: "ban" }),
  );
  const capabilities = new CapabilityBook(
    new RecordStore({
      client: clients.configMaps,
      namespace: config.namespace,
      pool: config.pool.name,
      kind: "capability",
    }),
  );
  const bonds = new BondBook({
    link,
    clock,
    logger,
    refreshMs: config.chain.refreshMs,
    list: () => directory.list().map(addressOf),
    onChange: (address) => {
      const worker = directory.findByAddress(address);
      if (worker) lanes.add("mirror", worker.metadata.name);
      claims.kick();
    },
  });
  const countActive = (name: string) => workload.of(name).size + claims.handing(name);
  const { workers, nodes } = informers;
  const directory: Directory = new Directory({
    ...{ workers, nodes, bonds, bans, presence, clock, countActive, scoreOf },
    proofPolicy: config.capability,
    challengeOf: (worker) => challenges.recordOf(worker),
    isSlashDue: (name) =>
      slashes.list().some(({ worker, state }) => worker === name && state === "Pending") ||
      missed.list().some(({ worker, state }) => worker === name && (state === "Due" || state === "InBatch")),
  });
  const challenges: ChallengeDesk = new ChallengeDesk({
    ...{ book: capabilities, directory, clock, logger },
    times: config.capability.challenges,
    ...listenForEvidence(config.capability.attestationRoots, clock),
    onChange: (worker) => {
      lanes.add("mirror", worker);
      claims.kick();
    },
    onDuty: () => duties.kick(),
  });
  const claims: ClaimDesk = new ClaimDesk({
    pool,
    clock,
    factsOf: (name) => {
      const worker = directory.get(name);
      return worker && directory.factsOf(worker);
    },
    workers: () => directory.workers(),
    scoreOf,
  });
  const members = {
    presence,
    claimAges,
    workload,
    reputations,
    bonds,
    bans,
    capabilities,
    challenges,
    directory,
    claims,
    duties,
  };
  return { ...members, policies, trace, pool };
}

function listenForEvidence(roots: readonly string[], clock: Clock): Pick<ChallengeDeskOptions, "verifyEvidence"> {
  if (roots.length === 0) return {};
  return { verifyEvidence: (evidence, nonce) => verifyEvidence(evidence, { nonce, roots, nowMs: clock.now() }) };
}

export function createEarnings(books: Pick<Books, "batches" | "bonds" | "final">): Earnings {
  return new Earnings(books);
}
