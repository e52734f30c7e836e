/** `inferium zk register`: a verified ceremony's keys go to the store, and what everybody must know of them to the chain. */

import { getAddress } from "ethers";
import { InferiumError } from "../../base/errors.ts";
import { computeGasLimit, estimateGas } from "../../chain/gas-limit.ts";
import { openSigner } from "../../chain/open-signer.ts";
import { openProvider } from "../../chain/provider.ts";
import { encodeRegistration } from "../../chain/registered-circuit.ts";
import { sendBatch } from "../../chain/send-batch.ts";
import type { CeremonyCircuit } from "../../zk/ceremony/ceremony-circuit.ts";
import { describeRegistration } from "../../zk/ceremony/describe-registration.ts";
import { buildKeys, keepCeremony } from "../../zk/ceremony/keep-ceremony.ts";
import { digestCeremonyRecord, verifyCeremony } from "../../zk/ceremony/verify-ceremony.ts";
import { ProofArtifactStore } from "../../zk/proving/artifact-store.ts";
import type { CircuitRecord } from "../../zk/proving/circuit-record.ts";
import { type CircuitOptions, type OutputOptions, printResult, readCircuit, type ZkSession } from "./zk-session.ts";

export interface RegisterOptions extends CircuitOptions, OutputOptions {
  readonly dir: string;
  readonly store: string;
  readonly allowDevelopmentSetup: boolean;
  readonly registry?: string;
  readonly rpcUrl?: string;
  readonly keyFile?: string;
  readonly passwordFile?: string;
}

const timeoutMs = 15_000;
const minedMs = 120_000;

export async function runRegister(options: RegisterOptions, session: ZkSession): Promise<number> {
  const { circuit, powersOfTau } = await readCircuit(options);
  checkTarget(circuit, options);
  const verified = await verifyCeremony({ dir: options.dir, circuit, powersOfTau }, session);
  const keys = buildKeys(verified, circuit, options);
  const { subject } = circuit;
  const model =
    subject.kind === "Model" ? { ...keys, modelDigest: subject.modelDigest, rows: subject.rows } : undefined;
  const isOnChain = model !== undefined && options.registry !== undefined;
  const sent = isOnChain ? await registerOnChain(model, options, session) : undefined;
  if (options.dryRun !== true) {
    await keepCeremony(keys, { keyPath: verified.keyPath, circuit }, new ProofArtifactStore(options.store));
  }
  const ceremonyDigest = digestCeremonyRecord(keys.ceremony);
  const what = model === undefined ? "the tile" : `model ${model.modelDigest} (${model.rows} rows)`;
  return printResult(session, options, {
    summary: `Keys of ${what} are in ${options.store}${sent === undefined ? "" : `, and registered at ${options.registry}`}.`,
    details: [
      `Ceremony: ${ceremonyDigest}`,
      `Verifying key: ${keys.verifyingKeyDigest}`,
      ...(sent?.txHash === undefined ? [] : [`Transaction: ${sent.txHash}, ${sent.gas} gas`]),
    ],
    fields: {
      store: options.store,
      record: model ?? keys,
      ceremonyDigest,
      ...(sent === undefined ? {} : { chain: sent }),
    },
    isDevelopment: keys.ceremony.isDevelopment,
  });
}

/** @throws InferiumError InvalidOption */
function checkTarget({ subject }: CeremonyCircuit, { registry }: RegisterOptions): void {
  if (subject.kind !== "Tile" || registry === undefined) return;
  throw new InferiumError(
    "InvalidOption",
    "The tile has no place in ModelRegistry: `inferium chain deploy --game-keys STORE` gives its keys to their contract. Leave --registry out.",
  );
}

interface Sent {
  readonly registry: string;
  readonly gas: string;
  readonly txHash?: string;
}

/** Tried on the chain first, so that nothing is paid for what would be refused; a dry run stops there. */
async function registerOnChain(record: CircuitRecord, options: RegisterOptions, { env }: ZkSession): Promise<Sent> {
  const rpcUrl = options.rpcUrl ?? env.INFERIUM_RPC_URL;
  if (rpcUrl === undefined) {
    throw new InferiumError("InvalidOption", "Neither --rpc-url nor INFERIUM_RPC_URL is given; --registry needs it.");
  }
  const provider = await openProvider({ rpcUrl, timeoutMs });
  try {
    const keyFile = options.keyFile ?? env.INFERIUM_KEY_FILE;
    const passwordFile = options.passwordFile ?? env.INFERIUM_PASSWORD_FILE;
    const signer = await openSigner({ keyFile, passwordFile }, provider);
    const to = getAddress(options.registry ?? "");
    const action = "ModelRegistry.register";
    const data = encodeRegistration(describeRegistration(record));
    const gas = await estimateGas(signer, action, { to, data });
    if (options.dryRun === true) return { registry: to, gas: String(gas) };
    const [receipt] = await sendBatch(signer, [{ action, to, data, gasLimit: computeGasLimit(gas) }], {
      timeoutMs: minedMs,
    });
    return { registry: to, gas: String(receipt?.gasUsed ?? gas), txHash: receipt?.hash ?? "" };
  } finally {
    provider.destroy();
  }
}
