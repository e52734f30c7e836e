/**
 * `inferium verify call`: whether a call's receipt is of what was sent and got, stands in the window that the gateway
 * committed, and, where a task is given, in the one that was settled. Effects: three GET requests to the gateway.
 */
import { readFile } from "node:fs/promises";
import type { InferenceTask } from "../api/v1alpha1/types.ts";
import { sha256 } from "../base/digest.ts";
import { describeError, InferiumError } from "../base/errors.ts";
import { verifyReceiptSignature } from "../pool/receipt-signature.ts";
import { type CallReceipt, parseReceipt } from "../protocol/call-receipt.ts";
import type { CallWindow } from "../protocol/call-window.ts";
import { computeWindowId, verifyCallProof } from "../protocol/calls.ts";
import { parseInferRequest, parseInferResponse } from "../protocol/oip/infer.ts";
import { digestTensors } from "../protocol/tensors/canonical.ts";
import type { CliIo } from "./context.ts";

export interface VerifyCallOptions {
  /** File with the header, or with all headers as curl -D writes them. */
  readonly receipt: string;
  /** Base URL. */
  readonly gateway: string;
  /** File with the caller's key; left out where the agent asks for none. */
  readonly keyFile?: string;
  /** Files with the bodies as they were sent and got. */
  readonly sent?: string;
  readonly got?: string;
  readonly output?: "text" | "json";
}

interface Finding {
  readonly name: string;
  readonly passed: boolean;
  readonly detail: string;
}

/** @param task the one that settled the window; left out: that is not checked @returns 0 where all holds, 1 where not */
export async function runVerifyCall(options: VerifyCallOptions, io: CliIo, task?: InferenceTask): Promise<number> {
  const text = await readText(options.receipt);
  const receipt = parseReceipt(text);
  // Of an answer with binary tensors the same headers say where they begin.
  const [, headerLength] = /^inference-header-content-length: *([0-9]+)/im.exec(text) ?? [];
  const findings = [
    ...(await checkBodies(receipt, options, headerLength)),
    ...(await checkWindow(receipt, options, task)),
  ];
  const holds = findings.every(({ passed }) => passed);
  const notChecked = [
    ...(options.sent === undefined ? ["what was sent (--sent)"] : []),
    ...(options.got === undefined ? ["what was got (--got)"] : []),
    ...(task === undefined ? ["that the window is settled (--task)"] : []),
  ];
  if (options.output === "json") io.out(JSON.stringify({ leaf: receipt.leaf, holds, findings, notChecked }));
  else {
    io.out(
      `The receipt of call ${receipt.leaf.index} of window ${receipt.leaf.windowId} ${holds ? "holds" : "does NOT hold"}.`,
    );
    for (const { name, passed, detail } of findings)
      io.out(`${(passed ? "ok" : "FAILED").padEnd(8)}${name.padEnd(11)}${detail}`);
    for (const what of notChecked) io.out(`not checked: ${what}`);
  }
  return holds ? 0 : 1;
}

async function checkBodies(
  { leaf }: CallReceipt,
  { sent, got }: VerifyCallOptions,
  headerLength: string | undefined,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, path, digest, parse] of [
    ["Sent", sent, leaf.inputDigest, (body: Buffer) => digestTensors(parseInferRequest(body, undefined).inputs)],
    ["Got", got, leaf.outputDigest, (body: Buffer) => digestTensors(parseInferResponse(body, headerLength))],
  ] as const) {
    if (path === undefined) continue;
    const body = stripReceipt(await readFile(path).catch((cause: unknown) => Promise.reject(unreadable(path, cause))));
    const digests = [sha256(body), digestOrUndefined(() => parse(body))];
    const passed = digests.includes(digest as `sha256:${string}`);
    findings.push({
      name,
      passed,
      detail: passed ? `${path} has digest ${digest}` : `${path} is not what has digest ${digest}`,
    });
  }
  return findings;
}

/** Of a stream the receipt is of all that came before it. */
function stripReceipt(body: Buffer): Buffer {
  const at = body.lastIndexOf(": inferium-receipt ");
  return at < 0 ? body : body.subarray(0, at);
}

/** A body of OpenAI's API is known by its bytes, and is none of tensors. */
function digestOrUndefined(compute: () => string): string | undefined {
  try {
    return compute();
  } catch (error) {
    if (error instanceof InferiumError) return undefined;
    throw error;
  }
}

interface ShownCall {
  readonly state: string;
  readonly window?: CallWindow;
  readonly proof?: readonly string[];
}

async function checkWindow(receipt: CallReceipt, options: VerifyCallOptions, task?: InferenceTask): Promise<Finding[]> {
  const { windowId, index } = receipt.leaf;
  const { state, window, proof } = await get<ShownCall>(`/inferium/v1/windows/${windowId}/calls/${index}`, options);
  if (window === undefined || proof === undefined) {
    throw new InferiumError("WindowOpen", `The window is ${state}: it has no root yet. Ask again when it is closed.`);
  }
  const { hash: leaf } = receipt;
  const { root, count, receiptKey } = window;
  const isOwn = computeWindowId(window) === windowId;
  const isSigned = verifyReceiptSignature(receiptKey, receipt);
  const stands = verifyCallProof({ root, count, index, leaf, proof });
  return [
    {
      name: "Window",
      passed: isOwn,
      detail: `of agent ${window.agentId}, caller ${window.callerId}, key ${receiptKey}`,
    },
    { name: "Signature", passed: isSigned, detail: isSigned ? "by the window's key" : "not by the window's key" },
    {
      name: "Place",
      passed: stands,
      detail: `call ${index} of ${count} ${stands ? "stands" : "does not stand"} under root ${root}`,
    },
    ...(task === undefined ? [] : [checkTask(task, window)]),
  ];
}

function checkTask({ metadata, spec, status }: InferenceTask, window: CallWindow): Finding {
  const name = "Task";
  const { calls } = spec;
  if (calls?.windowId !== window.windowId || calls.root !== window.root || calls.revenueWei !== window.revenueWei) {
    return { name, passed: false, detail: `${metadata.name} is of another window, root or sum` };
  }
  const phase = status?.phase ?? "Pending";
  const detail = `${metadata.name} has the same root and ${window.revenueWei} wei, and is ${phase}; inferium verify task ${metadata.name} proves it on the chain`;
  return { name, passed: status?.settlement !== undefined, detail };
}

async function get<T>(path: string, { gateway, keyFile }: VerifyCallOptions): Promise<T> {
  const key = keyFile === undefined ? undefined : (await readText(keyFile)).trim();
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const url = `${gateway.replace(/\/+$/, "")}${path}`;
  const response = await fetch(url, { headers, signal: AbortSignal.timeout(15_000) }).catch((cause: unknown) => {
    throw new InferiumError(
      "GatewayUnreachable",
      `The gateway at ${gateway} cannot be reached: ${describeError(cause)}.`,
      { cause },
    );
  });
  if (response.ok) return (await response.json()) as T;
  const message = `The gateway answers with status ${response.status}: ${(await response.text()).slice(0, 300)}`;
  throw new InferiumError("GatewayRefused", message);
}

async function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch((cause: unknown) => Promise.reject(unreadable(path, cause)));
}

function unreadable(path: string, cause: unknown): InferiumError {
  return new InferiumError("FileUnreadable", `${path} cannot be read: ${describeError(cause)}.`, { cause });
}
