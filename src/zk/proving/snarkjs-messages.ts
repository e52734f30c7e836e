/** What snarkjs-backend.ts and snarkjs-process.ts say to each other. */
import type { Groth16Proof, VerifyingKey } from "./groth16.ts";
import type { ProvingFiles, SetupFiles } from "./proving-backend.ts";

export type SnarkjsRequest =
  | ({ readonly kind: "setUp" } & SetupFiles)
  | ({ readonly kind: "prove" } & ProvingFiles)
  | {
      readonly kind: "verify";
      readonly key: VerifyingKey;
      readonly signals: readonly string[];
      readonly proof: Groth16Proof;
    };

export type SnarkjsResult =
  | VerifyingKey
  | { readonly proof: Groth16Proof; readonly signals: readonly string[] }
  | boolean;

export type SnarkjsAnswer = { readonly result: SnarkjsResult } | { readonly error: string };
