/**
 * Stage 6 for policy Tolerance, where a Model of the task's model is approved: a difference that may be the runtimes' own is nobody's
 * fault. It never becomes an Accept: what is out of the task's tolerance is not paid, and nobody is slashed for it. So the pool, whose
 * word the calibration is, can only spare a worker by it. Pure.
 */
import { type CalibratedPair, calibrationMargin, findPair } from "../model/calibrate.ts";
import type { NamedTensors } from "../tensors/tensor.ts";
import { abstain, type DecidedVote } from "./cast-vote.ts";
import { compareOutputs } from "./compare.ts";

export interface CalibratedCase {
  readonly calibration: readonly CalibratedPair[];
  /** Of the worker, as it signed it, and of the validator. */
  readonly runtimes: readonly [string, string];
  /** Undefined where nothing was handed on. */
  readonly handedOn: NamedTensors | undefined;
  readonly own: NamedTensors;
}

/** @param decided a Reject for values that are out of tolerance */
export function spareUncalibrated(
  decided: DecidedVote,
  { calibration, runtimes, handedOn, own }: CalibratedCase,
): DecidedVote {
  if (decided.vote !== "Reject" || handedOn === undefined) return decided;
  // Another shape or type is no difference of numbers: no runtime makes it.
  if (compareOutputs(handedOn, own, { policy: "Exact" }).firstMismatch?.index === undefined) return decided;
  const pair = findPair(calibration, ...runtimes);
  if (pair === undefined) {
    return abstain(`${decided.reason}; but how far ${runtimes.join(" and ")} differ on this model is not known`);
  }
  const absolute = pair.maxAbsolute * calibrationMargin;
  const relative = pair.maxRelative * calibrationMargin;
  const { equal } = compareOutputs(handedOn, own, { policy: "Tolerance", absolute, relative });
  return equal ? abstain(`${decided.reason}; but ${runtimes.join(" and ")} differ as much on this model`) : decided;
}
