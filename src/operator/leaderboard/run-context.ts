/** What the parts of a leaderboard's run are given, and what they make of the errors that a model or a dataset is to blame for. */
import type { Clock } from "../../base/clock.ts";
import { InferiumError } from "../../base/errors.ts";
import type { Logger } from "../../base/log.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { ConfigMap } from "../../kube/core-resources.ts";
import type { LeaderboardObject, TaskObject } from "../kinds.ts";
import type { TaskLedger } from "../ledger.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { LeaderboardIndex } from "./leaderboard-index.ts";

export interface LeaderboardOptions {
  readonly index: LeaderboardIndex;
  readonly ledger: TaskLedger;
  readonly client: KubeClient<LeaderboardObject>;
  readonly tasks: KubeClient<TaskObject>;
  readonly configMaps: KubeClient<ConfigMap>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: OperatorMetrics;
  /** When progress was last written, by UID of the leaderboard. */
  readonly toldAtMs: Map<string, number>;
}

/** Nothing is gained by trying these again: they tell of the model, or of the dataset. */
const findings = new Set([
  "ErrorsOutside",
  "InvalidStatistics",
  "LabelsInvalid",
  "LabelsMismatch",
  "MissingTensor",
  "NameTaken",
  "OutputMismatch",
  "OutputNotInline",
]);

export interface Trouble {
  readonly reason: string;
  readonly message: string;
}

/** Undefined where the error is another one. */
export function findTrouble(error: unknown): Trouble | undefined {
  if (!(error instanceof InferiumError) || !findings.has(error.code)) return undefined;
  return { reason: error.code, message: error.message.slice(0, 2_048) };
}
