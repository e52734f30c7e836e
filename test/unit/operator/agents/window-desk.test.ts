import { expect, test } from "vitest";
import { systemClock } from "../../../../src/base/clock.ts";
import type { CallerAccounts } from "../../../../src/operator/agents/caller-accounts.ts";
import { WindowDesk, type WindowDeskOptions } from "../../../../src/operator/agents/window-desk.ts";
import { aCallWindow } from "../../../support/a-call-window.ts";

function aDesk(isComplete: boolean): WindowDesk {
  return new WindowDesk({
    directory: { find: () => undefined, isComplete: () => isComplete },
    findAgent: () => undefined,
    accounts: { findWindow: () => undefined } as unknown as CallerAccounts,
    tasks: {} as WindowDeskOptions["tasks"],
    clock: systemClock,
    metrics: {} as WindowDeskOptions["metrics"],
    onChange: () => undefined,
  });
}

const { seed: _, samples: __, ...window } = aCallWindow().statement;

test("a window is not refused for good by an operator that has not looked at all agents yet", async () => {
  await expect(aDesk(false).commit(window)).rejects.toMatchObject({ code: "AgentsNotRead", disposition: "retry" });
  await expect(aDesk(true).commit(window)).rejects.toMatchObject({ code: "UnknownAgent", disposition: "reject" });
});
