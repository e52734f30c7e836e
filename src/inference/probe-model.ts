/**
 * An ONNX graph of one node, y = x + x on float32[1]: the least that needs a device, a kernel and a copy both ways. Tells
 * whether an execution provider works here, and pays beforehand for what the first session of a process costs.
 */
export const probeModel = "CAg6NQoOCgF4CgF4EgF5IgNBZGQSAWdaDwoBeBIKCggIARIECgIIAWIPCgF5EgoKCAgBEgQKAggBQgQKABAN";
export const probeInput = 21;
export const probeOutput = 42;
