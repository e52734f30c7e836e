/** When a Model is to be checked, and whether its approval holds. Pure: times in milliseconds of one clock. */

/** What its status says. */
export interface ModelStanding {
  /** Condition Approved. */
  readonly isApproved: boolean;
  readonly approval?: { readonly generation: number; readonly atMs: number; readonly expiresMs: number };
  /** Not before this it is tried again; 0 where nothing was tried in vain. */
  readonly retryMs: number;
}

export type ModelStep =
  | { readonly step: "Check" | "Expire" }
  | { readonly step: "Rest" /** Look again then. */; readonly untilMs: number };

/** The last part of an approval's time is for getting the next one. */
const renewShare = 0.1;

export function decideModelStep(
  { isApproved, approval, retryMs }: ModelStanding,
  generation: number,
  nowMs: number,
): ModelStep {
  const isDue = nowMs >= retryMs;
  if (approval?.generation !== generation) return isDue ? { step: "Check" } : { step: "Rest", untilMs: retryMs };
  const { atMs, expiresMs } = approval;
  const renewMs = expiresMs - (expiresMs - atMs) * renewShare;
  if (nowMs >= expiresMs && isApproved) return { step: "Expire" };
  if (nowMs < renewMs) return { step: "Rest", untilMs: renewMs };
  if (isDue) return { step: "Check" };
  return { step: "Rest", untilMs: nowMs < expiresMs ? Math.min(retryMs, expiresMs) : retryMs };
}

/** Whether tasks may count on it now. */
export function holdsNow({ isApproved, approval }: ModelStanding, generation: number, nowMs: number): boolean {
  return isApproved && approval?.generation === generation && nowMs < approval.expiresMs;
}
