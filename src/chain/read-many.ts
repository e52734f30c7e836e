/**
 * The same view of a contract for many accounts, in few requests: of a large pool, a request for each member is what an operator and
 * a validator would otherwise spend their time on. Where an endpoint takes no lists of calls, and for each call that a list
 * has no answer to, the calls are made one by one.
 */
import type { Interface, JsonRpcPayload, JsonRpcProvider } from "ethers";
import { isDigits, toWord } from "./static-words.ts";

/** Public endpoints take at least so many in one list. */
const callsAtOnce = 100;
/** Endpoints that refused a list, or answered to one with something else. */
const refused = new WeakSet<JsonRpcProvider>();

export interface ManyReads {
  readonly to: string;
  readonly abi: Interface;
  /** Of a view with one parameter, an address. */
  readonly name: string;
  readonly accounts: readonly string[];
}

/** What the view returns as 0x-hex, in the order of the accounts. @throws what ethers throws for a single call */
export async function readMany(provider: JsonRpcProvider, { to, abi, name, accounts }: ManyReads): Promise<string[]> {
  const selector = abi.getFunction(name)?.selector ?? "";
  const calls = accounts.map((account) => ({ to, data: `${selector}${toWord(account)}` }));
  const answers: string[] = [];
  for (let first = 0; first < calls.length; first += callsAtOnce) {
    const part = calls.slice(first, first + callsAtOnce);
    answers.push(...(await readPart(provider, part)));
  }
  return answers;
}

type Call = Readonly<Record<"to" | "data", string>>;

async function readPart(provider: JsonRpcProvider, calls: readonly Call[]): Promise<string[]> {
  const isAsked = calls.length > 1 && !refused.has(provider);
  const given = isAsked ? await askTogether(provider, calls) : new Map<number, string>();
  const answers: string[] = [];
  for (const [index, call] of calls.entries()) answers.push(given.get(index) ?? (await provider.call(call)));
  // It answers, but not to lists; while it is away neither is known.
  if (isAsked && given.size === 0) refused.add(provider);
  return answers;
}

/** By the call's place; without those that failed, which the single call then explains. */
async function askTogether(provider: JsonRpcProvider, calls: readonly Call[]): Promise<ReadonlyMap<number, string>> {
  const payload = calls.map(
    (call, id): JsonRpcPayload => ({ jsonrpc: "2.0", id, method: "eth_call", params: [call, "latest"] }),
  );
  const results = await provider._send(payload).catch(() => []);
  const given = new Map<number, string>();
  for (const answer of results) {
    if (Object.hasOwn(answer, "result") && isDigits(answer.result)) given.set(answer.id, answer.result);
  }
  return given;
}
