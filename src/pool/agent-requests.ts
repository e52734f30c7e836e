/** The calls of a gateway, beside those of workers and validators in wire.ts; their parts are in agents.ts. */
import type { CallWindow } from "../protocol/call-window.ts";
import type { AgentEntry, LoadReport, OpenedCall } from "./agents.ts";

export interface AgentsRequest {
  /** Of the last answer; empty at first. The call waits while it is the newest. */
  readonly version: string;
  /** At most 30,000. */
  readonly waitMs: number;
}
export interface AgentsResponse {
  readonly version: string;
  readonly agents: readonly AgentEntry[];
}
export type WindowRequest = CallWindow;
export interface OpenRequest {
  readonly windowId: string;
  readonly calls: readonly OpenedCall[];
}
export interface OpenResponse {
  /** Duplicate: the calls were opened before. */
  readonly status: "Recorded" | "Duplicate";
}
export interface LoadRequest {
  readonly loads: readonly LoadReport[];
}
export interface LoadResponse {
  readonly status: "Recorded";
}
