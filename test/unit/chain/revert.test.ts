import { makeError } from "ethers";
import { describe, expect, test } from "vitest";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { toChainError } from "../../../src/chain/revert.ts";

const transaction = { to: null, data: "0x" };
const callError = (data: string | null, rpcMessage: string) =>
  makeError("failed", "CALL_EXCEPTION", {
    ...{ action: "call" as const, data, reason: null, transaction, invocation: null, revert: null },
    info: { error: { message: rpcMessage } },
  });

describe("what a failed call becomes", () => {
  test("a custom error is named with its values and is the caller's fault", () => {
    const data = loadArtifact("Settlement").abi.encodeErrorResult("WrongSequence", [4, 5]);
    expect(toChainError("Settling", callError(data, "execution reverted"))).toMatchObject({
      code: "TransactionReverted",
      disposition: "reject",
      message: "Settling was refused by the contract: WrongSequence(4, 5).",
      evidence: { revert: "WrongSequence" },
    });
  });

  test("an unknown error is shown by its selector", () => {
    expect(toChainError("Settling", callError("0xdeadbeef", "execution reverted")).message).toContain("0xdeadbeef");
  });

  test("a revert without data is still a revert", () => {
    expect(toChainError("Settling", callError(null, "execution reverted")).code).toBe("TransactionReverted");
  });

  test("an endpoint that cannot run the call is asked again", () => {
    const error = toChainError("Reading", callError(null, "BlockOutOfRangeError: block height is 26"));
    expect(error).toMatchObject({ code: "RpcFailed", disposition: "retry" });
  });

  test("a lost connection is asked again", () => {
    expect(toChainError("Reading", new Error("ECONNREFUSED"))).toMatchObject({
      code: "RpcFailed",
      disposition: "retry",
    });
  });
});
