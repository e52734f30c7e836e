/** The accounts of the chaos run: that they find what is missing, made up, or told twice. */
import { describe, expect, test } from "vitest";
import { checkLog, type LogEntry } from "../../chaos/check-log.ts";
import { createFaultPlan, nameAnswerFault, nameStreamFault } from "../../chaos/faults.ts";
import { ChaosHistory } from "../../chaos/history.ts";
import { createRandom } from "../../chaos/random.ts";

const history = new ChaosHistory();
const record = (key: string, version: number | undefined, colour = "red", uid = key) =>
  history.record({ key, uid, resourceVersion: version, deleted: version === undefined, labels: { colour } });
record("a", 10);
record("b", 12);
record("a", 15);
record("a", undefined);
record("b", 20, "blue");
record("a", 22, "red", "a-again");

const list = (resourceVersion: number): LogEntry => ({ kind: "list", resourceVersion });
const line = (resourceVersion: number): LogEntry => ({ kind: "line", resourceVersion });
const told = (type: "added" | "updated" | "deleted", key: string, resourceVersion: number, more = {}): LogEntry => ({
  kind: "event",
  type,
  key,
  uid: key,
  resourceVersion,
  previousVersion: undefined,
  ...more,
});
const aAgain = told("added", "a", 22, { uid: "a-again" });
const bBlue = told("updated", "b", 20, { previousVersion: 12 });
const whole: readonly LogEntry[] = [
  list(5),
  ...[line(10), told("added", "a", 10), line(12), told("added", "b", 12)],
  ...[line(15), told("updated", "a", 15, { previousVersion: 10 }), line(17), told("deleted", "a", 17)],
  ...[line(20), bBlue, line(22), aAgain],
];
const without = (...left: LogEntry[]) => whole.filter((entry) => !left.includes(entry));
const check = (log: readonly LogEntry[]) =>
  checkLog(
    log,
    history.expect(() => true),
  );

describe("the accounts of a chaos run", () => {
  test("find nothing where every event came once", () => {
    expect(check(whole)).toEqual({ events: 6, missed: [], wrong: [], coalesced: 0, lists: 1 });
  });

  test("find what did not come, though it was not in a gap", () => {
    expect(check(without(bBlue)).missed).toEqual(["written b@20"]);
    expect(check(without(aAgain)).missed).toEqual(["written a@22"]);
  });

  test("find what came twice, out of order, or never happened", () => {
    expect(check([...whole, bBlue]).wrong).toHaveLength(2);
    expect(check([...whole, told("added", "c", 23)]).wrong).toEqual([
      "added c@23: not in the server's history, or told before",
    ]);
    const wrongPrevious = told("updated", "b", 20, { previousVersion: 11 });
    expect(check(whole.map((entry) => (entry === bBlue ? wrongPrevious : entry))).wrong).toEqual([
      "updated b@20: previous is @11, but @12 was there",
    ]);
  });

  test("let a list stand in for what happened since the last line read, and for nothing else", () => {
    const relisted = [list(5), line(10), told("added", "a", 10), list(16), told("added", "b", 12), line(17)];
    const updated = told("updated", "a", 15, { previousVersion: 10 });
    const rest = [told("deleted", "a", 17), line(20), bBlue, line(22), aAgain];
    expect(check([...relisted.slice(0, 5), updated, line(17), ...rest])).toMatchObject({ missed: [], wrong: [] });
    const late = [list(5), line(12), told("added", "a", 10), list(21), told("added", "b", 20), line(22), aAgain];
    expect(check(late)).toMatchObject({ missed: ["written b@12"], coalesced: 2 });
  });

  test("know that a stopped informer may not have taken the last line", () => {
    const stopped: LogEntry[] = [...whole.slice(0, 4), { kind: "stop" }, list(30)];
    const after = [told("deleted", "a", 10), told("added", "b", 20), aAgain];
    expect(check([...stopped, ...after])).toMatchObject({ missed: [], wrong: [], coalesced: 2 });
  });

  test("see a selection as its followers do: what leaves it is deleted", () => {
    const red = history.expect((labels) => labels.colour === "red");
    expect(red.get("b")).toMatchObject([
      { resourceVersion: 12, deleted: false },
      { resourceVersion: 20, deleted: true },
    ]);
  });
});

test("the plan of a seed is always the same, and holds every fault", () => {
  const plan = (seed: number) => createFaultPlan(createRandom(seed), { answers: 1, streams: 1, gone: true });
  const draw = (seed: number) => {
    const from = plan(seed);
    return Array.from({ length: 500 }, () => [from.answer({ watch: false, method: "GET" }), from.stream()] as const);
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
  const names = draw(7).flatMap(([answer, stream]) => [
    answer && nameAnswerFault(answer),
    stream && nameStreamFault(stream),
  ]);
  expect([...new Set(names)].sort()).toEqual([
    ...["401", "410", "429", "429+retry-after", "500", "503+retry-after", "delay", "html", "reset"],
    ...["reset-after-execution", "silence", "stream-close", "stream-close-mid-line", "stream-error-410"],
    ...["stream-error-429", "stream-error-500", "stream-error-504", "stream-reset", "stream-reset-mid-line"],
    ...["stream-stall", "stream-stall-mid-line", "truncated"],
  ]);
  const never = createFaultPlan(createRandom(7), { answers: 1, streams: 1, gone: false });
  const codes = Array.from({ length: 500 }, () => [never.answer({ watch: true, method: "GET" }), never.stream()]);
  expect(JSON.stringify(codes)).not.toContain("410");
});
