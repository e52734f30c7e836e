/** The set-up's arithmetic: scalars cut in two and recoded are the same scalars, and sums of many points are right where memory runs full. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fieldPrime } from "../../../../src/zk/field.ts";
import { openCurveCode } from "../../../../src/zk/setup/curve-code.ts";
import { CurveInstance } from "../../../../src/zk/setup/curve-instance.ts";
import { lambda, splitScalar } from "../../../../src/zk/setup/endomorphism.ts";
import { PointSummer, summerMemory } from "../../../../src/zk/setup/point-summer.ts";
import { recodeScalar } from "../../../../src/zk/setup/recode-scalar.ts";

const scalars = fc.oneof(
  fc.bigInt(0n, fieldPrime - 1n),
  fc.bigInt(0n, 300n),
  fc.bigInt(fieldPrime - 300n, fieldPrime - 1n),
);

describe("a scalar", () => {
  test("is its halves, each of 127 bits at most", () => {
    fc.assert(
      fc.property(scalars, (scalar) => {
        const [first, second] = splitScalar(scalar);
        expect((first + second * lambda - scalar) % fieldPrime).toBe(0n);
        for (const half of [first, second]) expect(half < 1n << 127n && half > -(1n << 127n)).toBe(true);
      }),
    );
  });

  test("is the sum of its digits, which are odd, below 32 and five zeros apart", () => {
    fc.assert(
      fc.property(scalars, (scalar) => {
        const { length, first, second, isPlain } = recodeScalar(scalar);
        const value = (digits: Int8Array) =>
          digits.reduce((sum, digit, position) => sum + (BigInt(digit) << BigInt(position)), 0n);
        expect((value(first) + value(second) * lambda - scalar) % fieldPrime).toBe(0n);
        for (const digits of [first, second]) {
          const places = [...digits.keys()].filter((position) => digits[position] !== 0);
          expect(places.every((place) => place < length && Math.abs(digits[place] ?? 0) % 2 === 1)).toBe(true);
          expect(places.every((place, index) => index === 0 || place - (places[index - 1] ?? 0) >= 6)).toBe(true);
          expect(digits.every((digit) => Math.abs(digit) < 32)).toBe(true);
        }
        expect(isPlain).toBe(second.every((digit) => digit === 0) && first.every((digit) => Math.abs(digit) < 2));
      }),
    );
  });

  test.each([
    [0n, 0],
    [1n, 1],
    [fieldPrime - 1n, 1],
    [1n << 100n, 101],
    [127n, 8],
    [fieldPrime - 128n, 8],
  ])("%d takes as many positions as it is long: %d", (scalar, length) => {
    expect(recodeScalar(scalar).length).toBe(length);
  });
});

describe("sums of points", () => {
  const open = async (group: "g1" | "g2") => {
    const { curve, module } = await openCurveCode();
    const bytes = group === "g1" ? 32 : 64;
    const memory = summerMemory({ affineBytes: 2 * bytes, jacobianBytes: 3 * bytes });
    const instance = await CurveInstance.open(module, memory);
    const G = group === "g1" ? curve.G1 : curve.G2;
    return { summer: new PointSummer(instance, instance[group]), G, Fr: curve.Fr, pointBytes: 2 * bytes };
  };

  test.each(["g1", "g2"] as const)(
    "of %s are what the curve says of each scalar, also of equal and opposite points",
    async (group) => {
      const { summer, G, Fr, pointBytes } = await open(group);
      const points = G.toAffine(G.g).slice(0, pointBytes);
      const add = (sum: number, ...terms: readonly bigint[]) => {
        for (const scalar of terms) summer.add(sum, { points, number: 0, index: 0 }, recodeScalar(scalar));
      };
      const values = [1n, 5n, 1n << 200n, fieldPrime - 3n, 0x1234567890abcdefn ** 3n, lambda];
      const sums: readonly (readonly bigint[])[] = [
        ...values.map((value) => [value]),
        [4n, 4n],
        [9n, fieldPrime - 9n],
        [],
      ];
      summer.begin(sums.length);
      for (const [index, terms] of sums.entries()) add(index, ...terms);
      const { points: made } = summer.finish(sums.length);
      for (const [index, terms] of sums.entries()) {
        const total = terms.reduce((sum, term) => sum + term, 0n) % fieldPrime;
        const want =
          total === 0n ? new Uint8Array(pointBytes) : G.toAffine(G.timesFr(G.g, Fr.e(total))).slice(0, pointBytes);
        expect(made.slice(index * pointBytes, (index + 1) * pointBytes), `sum ${index}`).toEqual(want);
      }
    },
  );

  test("are right for multiples of more points than are kept", async () => {
    const { summer, G, Fr, pointBytes } = await open("g1");
    const count = 5000;
    const points = new Uint8Array(count * pointBytes);
    let multiple = G.g;
    for (let index = 0; index < count; index++) {
      points.set(G.toAffine(multiple).slice(0, pointBytes), index * pointBytes);
      multiple = G.add(multiple, G.g);
    }
    const three = recodeScalar(3n);
    summer.begin(1);
    for (let index = 0; index < count; index++) summer.add(0, { points, number: 0, index }, three);
    const total = (3n * BigInt(count) * BigInt(count + 1)) / 2n;
    expect(summer.finish(1).points).toEqual(G.toAffine(G.timesFr(G.g, Fr.e(total))).slice(0, pointBytes));
  });

  test("are right for more points as they are than the memory holds", async () => {
    const { summer, G, Fr, pointBytes } = await open("g1");
    const points = G.toAffine(G.g).slice(0, pointBytes);
    const [count, minusOne] = [150_000, recodeScalar(fieldPrime - 1n)];
    summer.begin(1);
    for (let index = 0; index < count; index++) summer.add(0, { points, number: 0, index: 0 }, minusOne);
    const want = G.toAffine(G.timesFr(G.g, Fr.e(fieldPrime - BigInt(count)))).slice(0, pointBytes);
    expect(summer.finish(1).points).toEqual(want);
  });

  test("of more than a call takes are refused", async () => {
    const { summer } = await open("g1");
    expect(() => summer.begin(1025)).toThrow(RangeError);
  });
});
