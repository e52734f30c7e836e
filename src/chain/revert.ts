/** Turns a failed call into the contract's own error, so that messages name the check that failed. */
import { type CallExceptionError, dataSlice, type ErrorDescription, isCallException, isHexString } from "ethers";
import { InferiumError } from "../base/errors.ts";
import { contractNames, loadArtifact } from "./artifacts.ts";

/** The custom error behind `data`, in any of the contracts. */
export function parseRevert(data: string | null | undefined): ErrorDescription | undefined {
  if (!isHexString(data) || data.length < 10) return undefined;
  for (const name of contractNames) {
    const found = loadArtifact(name).abi.parseError(data);
    if (found !== null) return found;
  }
  return undefined;
}

/**
 * What a call or an estimate threw, as an error that names the contract's reason. A revert is the caller's fault
 * (reject); everything else is the endpoint's (retry).
 */
export function toChainError(action: string, error: unknown): InferiumError {
  if (error instanceof InferiumError) return error;
  if (!isCallException(error) || !isRevert(error)) {
    return new InferiumError("RpcFailed", `${action} failed: ${describeRpcError(error)}.`, { disposition: "retry" });
  }
  return buildRevertError(action, error.data, error.reason);
}

/** What ethers says in short: its whole message repeats the request, with a URL that may hold a key. */
export function describeRpcError(error: unknown): string {
  const { shortMessage, message, code } = error as { shortMessage?: unknown; message?: unknown; code?: unknown };
  const text = String(shortMessage ?? message ?? error);
  return typeof code === "string" && !text.includes(code) ? `${text} (${code})` : text;
}

/** ethers calls every failed eth_call a call exception, also where the endpoint refused to run it. */
function isRevert(error: CallExceptionError): boolean {
  return error.data !== null || error.reason !== null || /revert/i.test(String(error.info?.error?.message ?? ""));
}

export function buildRevertError(
  action: string,
  data: string | null | undefined,
  reason?: string | null,
): InferiumError {
  const parsed = parseRevert(data);
  const fallback = reason ?? (isHexString(data) && data.length >= 10 ? dataSlice(data, 0, 4) : "no reason");
  const text = parsed === undefined ? fallback : `${parsed.name}(${parsed.args.map(String).join(", ")})`;
  return new InferiumError("TransactionReverted", `${action} was refused by the contract: ${text}.`, {
    evidence: { revert: parsed?.name ?? fallback },
  });
}
