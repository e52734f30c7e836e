import { expect, test } from "vitest";
import { systemClock } from "../../../../src/base/clock.ts";
import type { CallerAccounts } from "../../../../src/operator/agents/caller-accounts.ts";
import { WindowDesk, type WindowDeskOptions, windowLimits } from "../../../../src/operator/agents/window-desk.ts";
import { aCallWindow } from "../../../support/a-call-window.ts";

function aDesk(isComplete: boolean, pausedFor?: string): WindowDesk {
  return new WindowDesk({
    directory: { find: () => undefined, isComplete: () => isComplete, pausedFor: () => pausedFor },
    findAgent: () => undefined,
    accounts: { findWindow: () => undefined } as unknown as CallerAccounts,
    tasks: {} as WindowDeskOptions["tasks"],
    clock: { ...systemClock, now: () => window.lastAtMs + 1_000 },
    metrics: {} as WindowDeskOptions["metrics"],
    onChange: () => undefined,
  });
}

const { seed: _, samples: __, ...window } = aCallWindow().statement;

test("a window is not refused for good by an operator that has not looked at all agents yet", async () => {
  await expect(aDesk(false).commit(window)).rejects.toMatchObject({ code: "AgentsNotRead", disposition: "retry" });
  await expect(aDesk(true).commit(window)).rejects.toMatchObject({ code: "UnknownAgent", disposition: "reject" });
});

test("a window of an agent that takes no calls for a passing reason comes again, as long as it is not too old", async () => {
  const desk = aDesk(true, "ChainUnavailable");
  await expect(desk.commit(window)).rejects.toMatchObject({ code: "AgentPaused", disposition: "retry" });
  const old = { ...window, firstAtMs: window.firstAtMs - windowLimits.maxAgeMs - 2_000 };
  await expect(desk.commit(old)).rejects.toMatchObject({ code: "InvalidWindow", disposition: "reject" });
});
