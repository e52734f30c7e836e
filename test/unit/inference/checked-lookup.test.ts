import type { LookupAddress, LookupOptions } from "node:dns";
import { describe, expect, it } from "vitest";
import { createAddressCheck } from "../../../src/inference/address-policy.ts";
import { createCheckedLookup } from "../../../src/inference/checked-lookup.ts";

const four = (address: string): LookupAddress => ({ address, family: 4 });
const six = (address: string): LookupAddress => ({ address, family: 6 });

function ask(answers: readonly LookupAddress[] | Error, options: LookupOptions = { all: true }) {
  const lookup = createCheckedLookup(createAddressCheck(), (_, done) =>
    answers instanceof Error ? done(answers, []) : done(null, answers),
  );
  return new Promise<unknown>((resolve, reject) => {
    lookup("store.example", options, (error, address, family) =>
      error ? reject(error) : resolve(family === undefined ? address : [address, family]),
    );
  });
}

describe("a checked DNS answer", () => {
  it("keeps only what may be connected to", async () => {
    const answers = [four("127.0.0.1"), four("93.184.216.34"), six("::1"), six("2606:2800::1")];
    expect(await ask(answers)).toEqual([four("93.184.216.34"), six("2606:2800::1")]);
    expect(await ask(answers, { all: false })).toEqual(["93.184.216.34", 4]);
    expect(await ask(answers, { all: false, family: 6 })).toEqual(["2606:2800::1", 6]);
  });

  it.each([
    { what: "metadata", answers: [four("169.254.169.254")], why: /local link/ },
    { what: "this machine", answers: [six("::1"), four("127.0.0.1")], why: /this machine/ },
  ])("is refused where it is $what alone, and does not repeat the address", async ({ answers, why }) => {
    await expect(ask(answers)).rejects.toMatchObject({ code: "NotAllowed", message: expect.stringMatching(why) });
    await expect(ask(answers)).rejects.not.toThrow(/169\.254\.169|::1|127\.0/);
  });

  it("passes on that a name is not known", async () => {
    await expect(ask(new Error("ENOTFOUND"))).rejects.toThrow("ENOTFOUND");
  });
});
