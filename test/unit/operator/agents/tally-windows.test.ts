import { describe, expect, test } from "vitest";
import type { CallerAccount, HeldWindow } from "../../../../src/operator/agents/caller-accounts.ts";
import { type TallyFacts, tallyWindows } from "../../../../src/operator/agents/tally-windows.ts";
import { windowLimits } from "../../../../src/operator/agents/window-desk.ts";
import { aCallWindow } from "../../../support/a-call-window.ts";

const nowMs = 1_800_000_000_000;

function anAccount(window: Partial<HeldWindow>): CallerAccount {
  const { statement } = aCallWindow();
  const held: HeldWindow = { statement, state: "Opened", task: "t", committedAtMs: nowMs - 1_000, ...window };
  const counts = { calls: 5, failed: 0, windows: 1, settledWindows: 0, lostWindows: 0 };
  return { agentUid: "u", callerId: "alice", ...counts, spentWei: "25", settledWei: "0", held: [held] };
}

function tally(window: Partial<HeldWindow>, statusOf: TallyFacts["statusOf"]) {
  const { held, settledWindows, lostWindows, spentWei, settledWei } = tallyWindows(anAccount(window), {
    nowMs,
    statusOf,
  });
  return { states: held.map(({ state }) => state), settledWindows, lostWindows, spentWei, settledWei };
}

const status = (phase: string, type = "Stalled") =>
  ({ phase, observedGeneration: 1, conditions: [{ type, status: "True" }] }) as unknown as ReturnType<
    TallyFacts["statusOf"]
  >;

describe("windows that a caller's account holds", () => {
  test("count as settled once their task is, and never twice", () => {
    const account = tallyWindows(anAccount({}), { nowMs, statusOf: () => status("Succeeded", "Settled") });
    expect(account).toMatchObject({ settledWindows: 1, settledWei: "25", spentWei: "25" });
    expect(tallyWindows(account, { nowMs, statusOf: () => status("Succeeded", "Settled") })).toBe(account);
  });

  test("give the caller its budget back where their task failed, is gone, or was never made", () => {
    const lost = { states: ["Lost"], settledWindows: 0, lostWindows: 1, spentWei: "0", settledWei: "0" };
    expect(tally({}, () => status("Rejected"))).toEqual(lost);
    expect(tally({ committedAtMs: nowMs - 400_000 }, () => undefined)).toEqual(lost);
    expect(tally({ state: "Committed", committedAtMs: nowMs - 700_000 }, () => undefined)).toEqual(lost);
  });

  test("stay as they are while their task is on its way, or not seen yet", () => {
    const account = anAccount({});
    expect(tallyWindows(account, { nowMs, statusOf: () => undefined })).toBe(account);
    expect(tallyWindows(account, { nowMs, statusOf: () => status("Validating", "Committed") })).toBe(account);
  });

  test("are remembered for as long as they could come again", () => {
    const ageMs = windowLimits.maxAgeMs + windowLimits.maxAheadMs;
    const young = { state: "Settled", committedAtMs: nowMs - ageMs } as const;
    expect(tally(young, () => undefined).states).toEqual(["Settled"]);
    expect(tally({ ...young, committedAtMs: nowMs - ageMs - 1 }, () => undefined).states).toEqual([]);
  });
});
