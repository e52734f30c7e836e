/**
 * What the callers of agents have called and what it costs: their windows, so long as they may still come again, and totals
 * for ever. One record for each caller of an agent, durable before a gateway is answered; so a window is taken once, whatever
 * crashes in between. Changed by the window desk and by the agents' controller.
 */
import { sha256 } from "../../base/digest.ts";
import type { WindowStatement } from "../../protocol/call-window.ts";
import { RecordBook } from "../record-book.ts";
import type { RecordStore } from "../record-store.ts";

export type WindowState = "Committed" | "Opened" | "Settled" | "Lost";

export interface HeldWindow {
  readonly statement: WindowStatement;
  readonly state: WindowState;
  readonly committedAtMs: number;
  /** Name of its task, in the agent's namespace; absent where there is nothing to check or to pay. */
  readonly task?: string;
}

export interface CallerAccount {
  readonly agentUid: string;
  readonly callerId: string;
  readonly calls: number;
  readonly failed: number;
  readonly windows: number;
  readonly settledWindows: number;
  readonly lostWindows: number;
  /** Of windows that are settled or may still be. */
  readonly spentWei: string;
  readonly settledWei: string;
  readonly held: readonly HeldWindow[];
}

export class CallerAccounts {
  readonly #book: RecordBook<CallerAccount>;
  /** Changes of one account wait for each other. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** Account by window, of all that are held. */
  readonly #byWindow = new Map<string, string>();

  constructor(store: RecordStore) {
    this.#book = new RecordBook<CallerAccount>({
      store,
      nameOf,
      fieldsOf: ({ agentUid, callerId, spentWei, settledWei }) => ({ agentUid, callerId, spentWei, settledWei }),
    });
  }

  async load(): Promise<void> {
    await this.#book.load();
    for (const account of this.#book.list()) this.#index(account);
  }

  of(agentUid: string, callerId: string): CallerAccount {
    return this.#book.get(nameOf({ agentUid, callerId })) ?? emptyAccount(agentUid, callerId);
  }

  listOf(agentUid: string): CallerAccount[] {
    return this.#book.list().filter((account) => account.agentUid === agentUid);
  }

  findWindow(windowId: string): { readonly account: CallerAccount; readonly window: HeldWindow } | undefined {
    const account = this.#book.get(this.#byWindow.get(windowId) ?? "");
    const window = account?.held.find(({ statement }) => statement.windowId === windowId);
    return account && window && { account, window };
  }

  /** Durable when it resolves; the decision sees the account as the one before left it, and may throw. */
  change(
    agentUid: string,
    callerId: string,
    decide: (account: CallerAccount) => CallerAccount | undefined,
  ): Promise<CallerAccount> {
    const name = nameOf({ agentUid, callerId });
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(async () => {
      const known = this.of(agentUid, callerId);
      const next = decide(known);
      if (next === undefined || next === known) return known;
      await this.#book.save(next);
      for (const { statement } of known.held) this.#byWindow.delete(statement.windowId);
      this.#index(next);
      return next;
    });
    // A decision that throws is no reason for the next one to.
    const settled = turn.catch(() => undefined);
    this.#turns.set(name, settled);
    void settled.then(() => this.#turns.get(name) === settled && this.#turns.delete(name));
    return turn;
  }

  #index(account: CallerAccount): void {
    for (const { statement } of account.held) this.#byWindow.set(statement.windowId, nameOf(account));
  }
}

/** A caller's own name may be longer than the name of a record, and hold a dot. */
function nameOf({ agentUid, callerId }: Pick<CallerAccount, "agentUid" | "callerId">): string {
  return `${agentUid}-${sha256(callerId).slice("sha256:".length, "sha256:".length + 16)}`;
}

function emptyAccount(agentUid: string, callerId: string): CallerAccount {
  const counts = { calls: 0, failed: 0, windows: 0, settledWindows: 0, lostWindows: 0 };
  return { agentUid, callerId, ...counts, spentWei: "0", settledWei: "0", held: [] };
}
