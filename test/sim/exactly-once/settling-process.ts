/**
 * The process that is killed: the operator's settle stage with its books, the settler's outbox and the validators' own
 * checks and records, all of them the real ones, over files in place of Kubernetes. Takes the path of its settings; prints
 * `step NAME` at each step it is told to be killed at, which it then does by itself.
 */
import { appendFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Wallet } from "ethers";
import { Registry } from "prom-client";
import { systemClock } from "../../../src/base/clock.ts";
import { createLogger, silentLogger } from "../../../src/base/log.ts";
import type { ContractAddresses } from "../../../src/chain/addresses.ts";
import { readHeaderHash } from "../../../src/chain/settled-headers.ts";
import { openSettler, type Settler } from "../../../src/chain/settler.ts";
import { configMaps, secrets } from "../../../src/kube/core-resources.ts";
import { objectKey } from "../../../src/kube/object.ts";
import { BatchBook } from "../../../src/operator/batch-book.ts";
import { Certifier } from "../../../src/operator/certifier.ts";
import { ChainLink } from "../../../src/operator/chain-link.ts";
import { SettleStage } from "../../../src/operator/controllers/settle.ts";
import { keepTask } from "../../../src/operator/kept-task.ts";
import { tasks } from "../../../src/operator/kinds.ts";
import { TaskLedger } from "../../../src/operator/ledger.ts";
import { createOperatorMetrics } from "../../../src/operator/metrics.ts";
import { MissedBook } from "../../../src/operator/missed-book.ts";
import { OrderBook } from "../../../src/operator/order-book.ts";
import { RecordStore } from "../../../src/operator/record-store.ts";
import { createTransactionJournal } from "../../../src/operator/transaction-journal.ts";
import { ValidationIndex } from "../../../src/operator/validation-index.ts";
import { createSigner, type ProtocolSigner } from "../../../src/pool/signer.ts";
import { stageOf } from "../../../src/protocol/task-stage.ts";
import { openCertifiedRecord } from "../../../src/validator/certify/certified-record.ts";
import { type CertifyContext, certifyBatch } from "../../../src/validator/certify/certify-duty.ts";
import { openSettledTasks } from "../../../src/validator/certify/settled-tasks.ts";
import { openFileClient } from "./file-client.ts";

export interface ProcessSettings {
  readonly dir: string;
  readonly rpcUrl: string;
  readonly addresses: ContractAddresses;
  readonly settlerKey: string;
  readonly validatorKeys: readonly string[];
  readonly treasury: string;
  readonly batchSize: number;
  readonly confirmations: number;
  /** Dies at the `count`-th time of this step. */
  readonly killAt?: { readonly step: string; readonly count: number };
}

const pool = "sim";
const settings = JSON.parse(await readFile(process.argv[2] ?? "", "utf8")) as ProcessSettings;
const logger = process.env.SIM_LOG ? createLogger({ level: "debug" }) : silentLogger;
const clock = systemClock;
const metrics = createOperatorMetrics(new Registry());
const stopping = new AbortController();

let seen = 0;
/** A crash, and no orderly end: nothing after this line runs. */
function reach(step: string): void {
  if (settings.killAt?.step !== step) return;
  seen += 1;
  if (seen === settings.killAt.count) process.kill(process.pid, "SIGKILL");
}

const folder = (name: string) => join(settings.dir, name);
const taskClient = openFileClient(folder("tasks"), tasks);
const maps = openFileClient(folder("maps"), configMaps);
const store = (kind: string) => new RecordStore({ client: maps, namespace: "inferium-system", pool, kind });

const link = new ChainLink({ ...settings, timeoutMs: 2_000, clock, logger, metrics });
const client = await link.connect(stopping.signal);
const { domain } = client;
const book = new BatchBook({ states: store("batch"), bodies: store("batch-body"), lapsed: store("batch-lapsed") });
await book.load();
const ledger = new TaskLedger({ client: taskClient, clock, metrics });
const settledOf = (budget: string) => BigInt(book.last?.body.spentByBudget[budget] ?? "0");
const orders = new OrderBook({ secrets: openFileClient(folder("secrets"), secrets), domain, clock, settledOf });
const certifier = new Certifier({ domain, clock, logger, metrics, onChange: () => void askValidators() });

let settler: Promise<Settler> | undefined;
function openOnce(): Promise<Settler> {
  settler ??= openSettler({
    client,
    signer: new Wallet(settings.settlerKey, client.provider),
    store: createTransactionJournal(store("transaction")),
    confirmations: settings.confirmations,
    timeoutMs: 30_000,
    patienceMs: 250,
    ...{ clock, logger },
    onStep: (step) => reach(`outbox-${step}`),
  }).then(async (opened) => {
    await opened.resume();
    return opened;
  });
  settler.catch(() => {
    settler = undefined;
  });
  return settler;
}

/** Nothing is judged here, by votes or by proofs. */
const noItems = { build: async () => [], drop: () => undefined };
const stage = new SettleStage({
  ...{ ledger, index: new ValidationIndex(), items: noItems, orders, link, book, certifier, clock, logger, metrics },
  missed: new MissedBook(store("missed")),
  settler: openOnce,
  tell: () => undefined,
  treasury: settings.treasury,
  batchMs: 500,
  batchSize: settings.batchSize,
  dropValidation: async () => undefined,
  onSettled: async () => undefined,
  onStep: (step) => reach(step === "signed" ? "signed-by-validators" : step),
});
ledger.onChange((key, entry) => stage.note(key, entry !== undefined && stageOf(entry.status) === "Settle"));
for (const task of (await taskClient.list()).items) {
  const key = objectKey(task);
  ledger.observe({ type: "added", key, object: keepTask(task, key) });
}

const validators = await Promise.all(settings.validatorKeys.map((key) => openValidator(createSigner(key))));
let asking = false;

async function openValidator(signer: ProtocolSigner): Promise<CertifyContext> {
  const stateDir = folder(`validator-${signer.address}`);
  const signatures = join(settings.dir, "signatures.jsonl");
  return {
    ...{ signer, domain, clock },
    checkProof: async () => undefined,
    record: await openCertifiedRecord(stateDir, domain),
    settled: await openSettledTasks(stateDir, domain),
    records: { hasJudged: async () => false },
    rules: { pool, treasury: settings.treasury, minimumQuorum: 1, allowUnverified: true },
    chain: {
      readHead: () => client.lastBatch(),
      readHeaderHash: (sequence) => readHeaderHash(client, sequence, 0),
      readValidators: (epoch) => client.validators(epoch),
      readPayouts: (nodes) => client.payouts(nodes),
      readSpendable: (requester) => client.spendable(requester),
    },
    client: {
      async attest(request) {
        if (request.kind !== "certify") {
          if (request.kind === "refuse") console.log(`refused ${request.sequence} ${request.reason}`);
          return { status: "Recorded" };
        }
        const { sequence, headerHash } = request;
        const epoch = book.last?.body.data.header.epoch;
        appendFileSync(signatures, `${JSON.stringify({ validator: signer.address, epoch, sequence, headerHash })}\n`);
        return certifier.sign(signer.address, request);
      },
    },
  };
}

/** As the pool does: whoever has a duty gets it, and again a while later where nothing came of it. */
async function askValidators(): Promise<void> {
  if (asking) return;
  asking = true;
  try {
    for (const context of validators ?? []) {
      const duty = certifier.nextDuty(context.signer.address);
      if (duty)
        await certifyBatch(context, duty, stopping.signal).catch((error: unknown) => logger.warn("duty", { error }));
    }
  } finally {
    asking = false;
  }
}
setInterval(() => void askValidators(), 100);

process.on("SIGTERM", () => process.exit(0));
console.log("ready");
await stage.run(stopping.signal);
