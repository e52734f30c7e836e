/**
 * Service account tokens of one pod, requested once per audience and again when four fifths of their life have passed.
 * Effects: TokenRequest calls.
 */
import type { Clock } from "../../base/clock.ts";
import type { Pod } from "./core-types.ts";
import type { IssuedToken, PodApi } from "./pod-api.ts";
import { formatTokenKey, listTokenProjections, type TokenProjection } from "./volume-files.ts";

export interface TokenKeeper {
  /** Valid tokens of every projected volume, by `formatTokenKey`. */
  current(): Promise<ReadonlyMap<string, string>>;
  get(projection: Omit<TokenProjection, "path">): Promise<string>;
}

interface HeldToken extends IssuedToken {
  readonly issuedAt: number;
}

const renewAfterShare = 0.8;

export function createTokenKeeper(pod: Pod, api: PodApi, clock: Clock): TokenKeeper {
  const held = new Map<string, HeldToken>();
  const get = async (projection: Omit<TokenProjection, "path">) => {
    const key = formatTokenKey(projection);
    const known = held.get(key);
    const now = clock.now();
    if (known !== undefined && now < known.issuedAt + (known.expiresAt - known.issuedAt) * renewAfterShare)
      return known.token;
    const issued = await api.issueToken(pod, projection);
    held.set(key, { ...issued, issuedAt: now });
    return issued.token;
  };
  return {
    get,
    current: async () => {
      const projections = listTokenProjections(pod);
      const pairs = projections.map(async (projection) => [formatTokenKey(projection), await get(projection)] as const);
      return new Map(await Promise.all(pairs));
    },
  };
}
