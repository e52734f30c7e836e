import { expect, test } from "vitest";
import { AgentDirectory } from "../../../../src/operator/agents/agent-directory.ts";
import type { AgentEntry } from "../../../../src/pool/agents.ts";

const entry = { agentId: "a-1", name: "digits", namespace: "default" } as AgentEntry;

test("an agent that is paused is not told to gateways, and known as one that may come back, until it is or is gone", async () => {
  const directory = new AgentDirectory({ expected: () => ["default/digits"] });
  directory.set("default/digits", entry);
  expect(directory.pausedFor("a-1")).toBeUndefined();
  directory.pause("default/digits", "a-1", "ChainUnavailable");
  expect(directory.find("a-1")).toBeUndefined();
  expect(directory.isComplete()).toBe(true);
  expect(directory.pausedFor("a-1")).toBe("ChainUnavailable");
  expect(directory.pausedFor("a-2")).toBeUndefined();
  directory.set("default/digits", entry);
  expect([directory.find("a-1"), directory.pausedFor("a-1")]).toEqual([entry, undefined]);
  directory.pause("default/digits", "a-1", "HostTierTooLow");
  directory.set("default/digits", null);
  expect(directory.pausedFor("a-1")).toBeUndefined();
  directory.pause("default/digits", "a-1", "HostTierTooLow");
  directory.remove("default/digits");
  expect(directory.pausedFor("a-1")).toBeUndefined();
});
