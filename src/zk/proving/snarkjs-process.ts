/**
 * The process that runs snarkjs and its arithmetic of curves: its WebAssembly threads, its memory and its GPL-3.0 code stay out of ours, and it
 * can be killed in the middle of a proof. Started by snarkjs-backend.ts; answers one request after another over IPC and ends with its parent.
 * Effects: reads r1cs, powers of tau and witness files, writes proving keys.
 */
import { groth16 } from "snarkjs";
import { describeError } from "../../base/errors.ts";
import { applyBeacon, contribute, exportKey, setUp, startKey } from "../setup/set-up.ts";
import { proveGroth16 } from "./prove-groth16.ts";
import { checkSteps } from "./snarkjs-ceremony.ts";
import { toSnarkjsKey, toSnarkjsProof } from "./snarkjs-format.ts";
import type { SnarkjsAnswer, SnarkjsRequest, SnarkjsResult } from "./snarkjs-messages.ts";

process.on("message", async (request: SnarkjsRequest) => {
  const answer = await respond(request);
  process.send?.(answer);
});
// snarkjs leaves its threads running: without this the process would outlive its parent.
process.on("disconnect", () => process.exit(0));

async function respond(request: SnarkjsRequest): Promise<SnarkjsAnswer> {
  try {
    return { result: await run(request) };
  } catch (error) {
    return { error: describeError(error) };
  }
}

async function run(request: SnarkjsRequest): Promise<SnarkjsResult> {
  switch (request.kind) {
    case "setUp":
      return setUp(request);
    case "startKey":
      return startKey(request);
    case "contribute":
      return contribute(request);
    case "applyBeacon":
      return applyBeacon(request);
    case "checkSteps":
      return checkSteps(request);
    case "exportKey":
      return exportKey(request.zkeyPath);
    case "verify":
      return groth16.verify(toSnarkjsKey(request.key), request.signals, toSnarkjsProof(request.proof));
    case "prove":
      return proveGroth16(request);
  }
}
