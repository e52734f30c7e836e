/**
 * What a fuzz target is: something of ours that takes what strangers send. One execution makes an input from its random source
 * and gives it to the code; it throws only where the code did what it must not: an error that is not one of ours, an answer of
 * 500, a broken promise. Hangs and deaths are the parent's to see (`run.ts`).
 */
import { InferiumError } from "../../src/base/errors.ts";
import type { SeededRandom } from "../chaos/random.ts";

export interface OpenTarget {
  /** @returns a name for what came of it, for the statistics. @throws where the code is broken */
  execute(random: SeededRandom): string | Promise<string>;
  close?(): Promise<void>;
}

export interface FuzzTarget {
  readonly name: string;
  readonly what: string;
  /** An execution that takes longer is a hang. */
  readonly hangMs: number;
  open(): OpenTarget | Promise<OpenTarget>;
}

/** The code's name of the refusal, or `taken`. @throws anything that is no error of ours */
export function refusalOf(call: () => unknown): string {
  try {
    call();
    return "taken";
  } catch (error) {
    if (error instanceof InferiumError) return error.code;
    throw error;
  }
}

export async function refusalOfAsync(call: () => Promise<unknown>): Promise<string> {
  try {
    await call();
    return "taken";
  } catch (error) {
    if (error instanceof InferiumError) return error.code;
    throw error;
  }
}
