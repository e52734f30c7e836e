/** What answers a call of an agent that speaks the Open Inference Protocol: a model in this process, or a server. */
import type { NamedTensors } from "../../protocol/tensors/tensor.ts";

export interface OipBackend {
  /** All outputs of the model. @throws InferiumError */
  infer(inputs: NamedTensors, signal: AbortSignal): Promise<NamedTensors>;
  /** The protocol's model metadata, as JSON. */
  describe(signal: AbortSignal): Promise<object>;
  isReady(signal: AbortSignal): Promise<boolean>;
  close(): Promise<void>;
}
