/**
 * Why an attempt failed, as the pool is told: a reason class, and whether another worker could do better. Where the fault
 * is in the task itself every worker would fail alike, and trying again would only burn time. Pure.
 */

import { describeError, InferiumError } from "../base/errors.ts";
import type { PodFailureReason } from "./pods/pod-failure.ts";

export type FailureReason =
  | "ModelUnavailable"
  | "DigestMismatch"
  | "ModelInvalid"
  | "InputInvalid"
  | "ProviderUnavailable"
  | "OutOfMemory"
  | "OutputTooLarge"
  | "ExecutionFailed"
  | "Timeout"
  | "Stopped"
  | "AlreadySigned"
  | "NotAsServed"
  | "TrainingInvalid"
  | "PodInvalid"
  | "NoLauncher"
  | "NoResult"
  | Exclude<PodFailureReason, "OutOfMemory" | "Timeout">
  | "Internal";

export interface Failure {
  readonly reason: FailureReason;
  readonly message: string;
  readonly retryable: boolean;
}

interface FailureClass {
  readonly reason: FailureReason;
  readonly retryable: boolean;
}

const here = (reason: FailureReason): FailureClass => ({ reason, retryable: true });
const everywhere = (reason: FailureReason): FailureClass => ({ reason, retryable: false });

const byCode: Readonly<Record<string, FailureClass>> = {
  Unavailable: here("ModelUnavailable"),
  NotFound: here("ModelUnavailable"),
  NotAllowed: here("ModelUnavailable"),
  CacheUnusable: here("ModelUnavailable"),
  TooLarge: here("ModelUnavailable"),
  InvalidUri: everywhere("ModelUnavailable"),
  DigestMismatch: everywhere("DigestMismatch"),
  InvalidDigest: everywhere("DigestMismatch"),
  InvalidModel: everywhere("ModelInvalid"),
  // Its process may have been ended for want of this machine's memory or time.
  UnsafeModel: here("ModelInvalid"),
  CheckFailed: here("ModelUnavailable"),
  UnsupportedOutput: everywhere("ModelInvalid"),
  ProviderUnavailable: here("ProviderUnavailable"),
  InputMismatch: everywhere("InputInvalid"),
  InvalidSteps: everywhere("InputInvalid"),
  InvalidCalls: everywhere("InputInvalid"),
  InvalidItems: everywhere("InputInvalid"),
  InvalidInput: everywhere("InputInvalid"),
  InvalidSafetensors: everywhere("InputInvalid"),
  UnknownDType: everywhere("InputInvalid"),
  InvalidShape: everywhere("InputInvalid"),
  InvalidBool: everywhere("InputInvalid"),
  WrongByteLength: everywhere("InputInvalid"),
  ValueOutOfRange: everywhere("InputInvalid"),
  MissingTensor: everywhere("InputInvalid"),
  OutputTooLarge: everywhere("OutputTooLarge"),
  ExecutionFailed: here("ExecutionFailed"),
  Timeout: here("Timeout"),
  Stopped: here("Stopped"),
  AlreadySigned: here("AlreadySigned"),
  InvalidCall: everywhere("NotAsServed"),
  NotAsServed: everywhere("NotAsServed"),
  UnknownProgram: everywhere("TrainingInvalid"),
  InvalidTraining: everywhere("TrainingInvalid"),
  InvalidTrainingResult: everywhere("TrainingInvalid"),
  StoreRefused: everywhere("TrainingInvalid"),
  PodInvalid: everywhere("PodInvalid"),
  NoLauncher: here("NoLauncher"),
  NoResult: here("NoResult"),
  OutOfMemory: here("OutOfMemory"),
  PodPreempted: here("PodPreempted"),
  PodEvicted: here("PodEvicted"),
  NodeLost: here("NodeLost"),
  PodGone: here("PodGone"),
  ImageUnavailable: here("ImageUnavailable"),
  Unschedulable: here("Unschedulable"),
  PodRejected: here("PodRejected"),
  PodFailed: here("PodFailed"),
};

/** Messages of onnxruntime and V8 where memory ran out; neither has a code for it. */
const memoryMessage = /out of memory|failed to allocate|bad_alloc|array buffer allocation failed|invalid array length/i;

export function classifyFailure(error: unknown): Failure {
  const message = describeError(error).slice(0, 2000);
  if (memoryMessage.test(message)) return { ...here("OutOfMemory"), message };
  const known = error instanceof InferiumError ? byCode[error.code] : undefined;
  return { ...(known ?? here("Internal")), message };
}
