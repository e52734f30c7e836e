import { describe, expect, it } from "vitest";
import { EventAccount } from "../../soak/event-account.ts";

const write = (resourceVersion?: number, uid = "u1") => ({ key: "soak/a", uid, resourceVersion });
const event = (resourceVersion: number, deleted = false, uid = "u1") => ({ ...write(resourceVersion, uid), deleted });

describe("the account of a soak's events", () => {
  it("is even when each write comes once, whether before or after the server's answer", () => {
    const account = new EventAccount();
    account.onEvent(event(1), 0);
    account.onWrite(write(1), 1);
    account.onWrite(write(2), 2);
    account.onEvent(event(2), 40);
    account.onWrite(write(undefined), 50);
    account.onEvent(event(3, true), 60);
    expect(account.settle(100_000, 0)).toBe(38);
    expect(account).toMatchObject({ writes: 3, events: 3, missed: 0, repeated: 0, open: 0 });
  });

  it("counts a version that never came, though a later one did", () => {
    const account = new EventAccount();
    account.onWrite(write(1), 0);
    account.onWrite(write(2), 0);
    account.onEvent(event(2), 10);
    account.settle(29_000, 30_000);
    expect(account.missed).toBe(0);
    account.settle(31_000, 30_000);
    expect(account).toMatchObject({ missed: 1, named: ["soak/a u1@1"], open: 0 });
  });

  it("counts a deletion that was not told, and what is told twice", () => {
    const account = new EventAccount();
    account.onWrite(write(1), 0);
    account.onEvent(event(1), 0);
    account.onEvent(event(1), 5);
    account.onWrite(write(undefined), 10);
    account.settle(Number.POSITIVE_INFINITY, 0);
    expect(account).toMatchObject({ missed: 1, repeated: 1 });
  });
});
