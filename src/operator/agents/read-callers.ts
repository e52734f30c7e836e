/**
 * Who may call an agent: the digests of their keys, from Secrets, and what they may still spend, by their own budget and their
 * requester's order. A key itself leaves this file only as its digest. Effects: reads Secrets.
 */
import { getAddress } from "ethers";
import { sha256 } from "../../base/digest.ts";
import { isNotFound } from "../../kube/api-error.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Secret } from "../../kube/core-resources.ts";
import type { CallerEntry } from "../../pool/agents.ts";
import { parseIfr } from "../../protocol/amount.ts";
import { isModelAllowed } from "../../protocol/order.ts";
import type { AgentObject } from "../kinds.ts";
import type { OrderBook } from "../order-book.ts";
import type { CallerAccount } from "./caller-accounts.ts";

export interface CallerSources {
  readonly secrets: KubeClient<Secret>;
  readonly orders: Pick<OrderBook, "findNamed" | "reservedWei">;
  readonly accountOf: (callerId: string) => CallerAccount;
  /** Name of the pool, for which orders must be. */
  readonly pool: string;
  readonly nowMs: number;
}

export interface FoundCaller {
  readonly id: string;
  /** Absent where there is a problem. */
  readonly entry?: CallerEntry;
  readonly problem?: string;
}

type CallerSpec = AgentObject["spec"]["callers"][number];

const minKeyLength = 16;
/** A window that an order can pay no more when it comes to be settled is lost. */
const orderMarginMs = 300_000;

/** One after the other: there are few, and Secrets are read by name. */
export async function readCallers(agent: AgentObject, sources: CallerSources): Promise<FoundCaller[]> {
  const found: FoundCaller[] = [];
  for (const caller of agent.spec.callers) found.push(await readCaller(agent, caller, sources));
  return found;
}

async function readCaller(agent: AgentObject, caller: CallerSpec, sources: CallerSources): Promise<FoundCaller> {
  const { id, requestsPerSecond } = caller;
  const key = await readKey(agent, caller, sources);
  if ("problem" in key) return { id, ...key };
  const { spentWei } = sources.accountOf(id);
  const funds = await readFunds(agent, caller, sources);
  if ("problem" in funds) return { id, ...funds };
  return {
    id,
    entry: {
      id,
      keyDigest: sha256(key.text),
      spentWei,
      ...funds,
      ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
    },
  };
}

type Problem = { readonly problem: string };

async function readKey(
  { metadata }: AgentObject,
  { keyRef }: CallerSpec,
  { secrets }: CallerSources,
): Promise<{ readonly text: string } | Problem> {
  const where = `Secret ${metadata.namespace}/${keyRef.name}`;
  try {
    const { data } = await secrets.get({ namespace: metadata.namespace, name: keyRef.name });
    const encoded = data?.[keyRef.key];
    if (encoded === undefined) return { problem: `${where} has no key ${keyRef.key}.` };
    const text = Buffer.from(encoded, "base64").toString("utf8").trim();
    if (text.length >= minKeyLength) return { text };
    return { problem: `The key in ${where} has ${text.length} characters; at least ${minKeyLength} are needed.` };
  } catch (error) {
    if (isNotFound(error)) return { problem: `There is no ${where}; create it.` };
    throw error;
  }
}

type Funds = Pick<CallerEntry, "requester" | "budgetWei" | "maxWindowWei">;

async function readFunds(agent: AgentObject, caller: CallerSpec, sources: CallerSources): Promise<Funds | Problem> {
  const spentWei = BigInt(sources.accountOf(caller.id).spentWei);
  const ownWei = caller.budget === undefined ? undefined : atLeastZero(parseIfr(caller.budget) - spentWei);
  if (agent.spec.price === "0") return { budgetWei: (ownWei ?? 0n).toString() };
  const { requester = "", orderRef } = caller;
  const order = await sources.orders.findNamed(agent.metadata.namespace ?? "", orderRef?.name ?? "");
  if (order.state !== "Found") return { problem: order.detail };
  const { message } = order.order;
  if (order.signer !== message.requester) return { problem: "The order is not signed by its requester." };
  if (message.requester !== getAddress(requester.toLowerCase()))
    return { problem: `The order is from ${message.requester}, not ${requester}.` };
  if (message.pool !== sources.pool) return { problem: `The order is for pool "${message.pool.slice(0, 64)}".` };
  if (sources.nowMs + orderMarginMs >= message.expiresAt * 1_000)
    return { problem: "The order has expired, or is about to." };
  if (!isModelAllowed(order.order, agent.spec.model.digest)) return { problem: "The order does not allow the model." };
  const leftWei = atLeastZero(message.maxTotalWei - sources.orders.reservedWei(order.order, ""));
  const budgetWei = ownWei !== undefined && ownWei < leftWei ? ownWei : leftWei;
  return {
    requester: message.requester,
    budgetWei: budgetWei.toString(),
    maxWindowWei: message.maxPerTaskWei.toString(),
  };
}

const atLeastZero = (wei: bigint) => (wei > 0n ? wei : 0n);
