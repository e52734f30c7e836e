/**
 * `inferium check-pool`: whether the pool API answers at INFERIUM_POOL_URL, certified by INFERIUM_POOL_CA_FILE, as a worker would
 * reach it. Run by `helm test`. Asks for a challenge as a stranger: a refusal of the stranger is as good an answer as any.
 * Effects: one request.
 */
import { readFile } from "node:fs/promises";
import { createEnvironmentReader, type Environment } from "../base/environment.ts";
import { InferiumError } from "../base/errors.ts";
import { createTransport } from "../pool/client-transport.ts";

/** Well-known and worthless: nobody bonds it. */
const stranger = "0x000000000000000000000000000000000000dEaD";
const timeoutMs = 10_000;
/** What a pool says of an account that it does not know, or that asks too often. */
const refusals: readonly unknown[] = [403, 429];

/** @returns one line for people. @throws InferiumError where no pool answers, or another one */
export async function checkPool(variables: Environment): Promise<string> {
  const env = createEnvironmentReader(variables);
  const url = env.required("INFERIUM_POOL_URL");
  const caFile = env.text("INFERIUM_POOL_CA_FILE");
  const caPem = caFile === undefined ? undefined : await readFile(caFile, "utf8");
  const transport = createTransport({ url, caPem, connections: 1 });
  try {
    const answer = await transport.post({
      path: "/v1/session/challenge",
      body: { account: stranger, role: "Worker" },
      timeoutMs,
    });
    return `The pool at ${url} answers: ${JSON.stringify(answer).slice(0, 200)}`;
  } catch (error) {
    if (error instanceof InferiumError && refusals.includes(error.evidence.status))
      return `The pool at ${url} answers, and refuses a stranger: ${error.message}`;
    throw error;
  } finally {
    await transport.close();
  }
}
