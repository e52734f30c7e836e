/** Numbers of the signals, as container statuses carry them. Pure. */
import { constants } from "node:os";

export function signalNumber(signal: NodeJS.Signals | null | undefined): number {
  return signal === null || signal === undefined ? 0 : constants.signals[signal];
}
