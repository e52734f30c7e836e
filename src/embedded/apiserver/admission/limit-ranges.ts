/** The limit range strategy: a bound that is given alone is also what containers get that say nothing. */
import { asArray, asObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";

export const limitRangeStrategy: Strategy = { applyDefaults: defaultLimits };

function defaultLimits(range: KubeObject): void {
  for (const limit of asArray(specOf(range).limits).map(asObject)) {
    if (limit.type !== "Container") continue;
    fill(limit, "default", [limit.max]);
    fill(limit, "defaultRequest", [limit.min, limit.default]);
  }
}

/** What is given stays, then the later sources go before the earlier ones. */
function fill(limit: JsonObject, field: string, sources: readonly unknown[]): void {
  const merged = Object.assign({}, ...sources.map(asObject), asObject(limit[field])) as JsonObject;
  if (Object.keys(merged).length > 0) limit[field] = merged;
}
