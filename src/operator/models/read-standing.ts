/** A Model's status as the rules take it: times as numbers. Pure. */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import type { ModelStanding } from "../../protocol/model/decide-model-step.ts";
import type { ModelObject } from "../kinds.ts";

export function readStanding({ status }: Pick<ModelObject, "status">): ModelStanding {
  const { approval, conditions, retryAt } = status ?? {};
  return {
    isApproved: isConditionTrue(conditions, "Approved"),
    retryMs: Date.parse(retryAt ?? "") || 0,
    ...(approval === undefined
      ? {}
      : {
          approval: {
            generation: approval.generation,
            atMs: Date.parse(approval.at),
            expiresMs: Date.parse(approval.expiresAt),
          },
        }),
  };
}
