import { describe, expect, test } from "vitest";
import { InferiumError } from "../../../src/base/errors.ts";
import { classifyFailure } from "../../../src/worker/classify-failure.ts";

const coded = (code: string, cause?: Error) => new InferiumError(code, "It went wrong.", { cause });

describe("why an attempt failed", () => {
  test.for<{ name: string; error: unknown; want: { reason: string; retryable: boolean } }>([
    {
      name: "a file that is not there",
      error: coded("NotFound"),
      want: { reason: "ModelUnavailable", retryable: true },
    },
    {
      name: "a server that is away",
      error: coded("Unavailable"),
      want: { reason: "ModelUnavailable", retryable: true },
    },
    {
      name: "another file than named",
      error: coded("DigestMismatch"),
      want: { reason: "DigestMismatch", retryable: false },
    },
    {
      name: "a model that no runtime loads",
      error: coded("InvalidModel"),
      want: { reason: "ModelInvalid", retryable: false },
    },
    {
      name: "an input that does not fit",
      error: coded("InputMismatch"),
      want: { reason: "InputInvalid", retryable: false },
    },
    {
      name: "a provider that is not here",
      error: coded("ProviderUnavailable"),
      want: { reason: "ProviderUnavailable", retryable: true },
    },
    { name: "too much output", error: coded("OutputTooLarge"), want: { reason: "OutputTooLarge", retryable: false } },
    { name: "a passed deadline", error: coded("Timeout"), want: { reason: "Timeout", retryable: true } },
    {
      name: "memory that ran out inside a run",
      error: coded("ExecutionFailed", new Error("Failed to allocate memory for requested buffer of size 4096")),
      want: { reason: "OutOfMemory", retryable: true },
    },
    {
      name: "memory that ran out in V8",
      error: new RangeError("Array buffer allocation failed"),
      want: { reason: "OutOfMemory", retryable: true },
    },
    { name: "a code that nobody foresaw", error: coded("NewCode"), want: { reason: "Internal", retryable: true } },
    { name: "a bug", error: new TypeError("x is not a function"), want: { reason: "Internal", retryable: true } },
    { name: "something thrown that is no error", error: "text", want: { reason: "Internal", retryable: true } },
  ])("$name is $want.reason", ({ error, want }) => {
    expect(classifyFailure(error)).toMatchObject(want);
  });

  test("the message is kept within what the pool takes", () => {
    expect(classifyFailure(new Error("x".repeat(10_000))).message).toHaveLength(2000);
  });
});
