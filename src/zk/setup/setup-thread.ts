/**
 * A thread of setup-threads.ts: sums points, one task after another, with an instance of the curve's arithmetic that is its own.
 * Effects: none but its memory.
 */
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { describeError } from "../../base/errors.ts";
import { CircuitSums } from "./circuit-sums.ts";
import { CurveInstance } from "./curve-instance.ts";
import { PointSummer, type PointSums, summerMemory } from "./point-summer.ts";
import { recodeScalar } from "./recode-scalar.ts";
import type { SetupAnswer, SetupTask, ThreadData } from "./sum-task.ts";

class SetupThread {
  readonly #circuit: CircuitSums | undefined;
  readonly #curve: CurveInstance;
  readonly #g1: PointSummer;
  readonly #g2: PointSummer;

  private constructor({ circuit }: ThreadData, curve: CurveInstance) {
    this.#circuit = circuit && new CircuitSums(circuit);
    this.#curve = curve;
    this.#g1 = new PointSummer(curve, curve.g1);
    this.#g2 = new PointSummer(curve, curve.g2);
  }

  static async open(data: ThreadData): Promise<SetupThread> {
    const needs = [32, 64].map((bytes) => summerMemory({ affineBytes: 2 * bytes, jacobianBytes: 3 * bytes }));
    const bytes = needs.reduce((sum, need) => sum + need.bytes, 0);
    const points = Math.max(...needs.map((need) => need.points));
    return new SetupThread(data, await CurveInstance.open(data.module, { bytes, points }));
  }

  run(task: SetupTask): PointSums {
    switch (task.kind) {
      case "groups":
      case "wires":
        return this.#sumCircuit(task);
      case "scale":
        return this.#scale(task.points, task.scalar);
      case "subtract":
        return this.#subtract(task.points, task.less);
    }
  }

  #sumCircuit({ kind, sum, from, to }: Extract<SetupTask, { kind: "groups" | "wires" }>): PointSums {
    if (this.#circuit === undefined) throw new Error("The thread was given no circuit.");
    const summer = sum === "b2" ? this.#g2 : this.#g1;
    return kind === "groups"
      ? this.#circuit.sumGroups(summer, sum, from, to)
      : this.#circuit.sumWires(summer, sum, from, to);
  }

  #scale(points: Uint8Array, scalar: bigint): PointSums {
    const recoded = recodeScalar(scalar);
    const count = points.length / this.#curve.g1.affineBytes;
    this.#g1.forget();
    this.#g1.begin(count);
    for (let index = 0; index < count; index++) this.#g1.add(index, { points, number: 0, index }, recoded);
    const sums = this.#g1.finish(count);
    this.#g1.forget();
    return sums;
  }

  #subtract(points: Uint8Array, less: Uint8Array): PointSums {
    const count = points.length / this.#curve.g1.affineBytes;
    this.#g1.begin(count);
    for (let index = 0; index < count; index++) this.#g1.subtract(index, points, less, index);
    return this.#g1.finish(count);
  }
}

function listen(port: MessagePort, data: ThreadData): void {
  const opening = SetupThread.open(data);
  // Told with the first task.
  opening.catch(() => undefined);
  port.on("message", async (task: SetupTask) => {
    try {
      const sums = (await opening).run(task);
      port.postMessage({ sums } satisfies SetupAnswer, [sums.points.buffer, sums.uncompressed.buffer] as ArrayBuffer[]);
    } catch (error) {
      port.postMessage({ error: describeError(error) } satisfies SetupAnswer);
    }
  });
}

// Nothing happens where it is loaded outside a thread.
if (parentPort !== null) listen(parentPort, workerData as ThreadData);
