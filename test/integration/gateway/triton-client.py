"""NVIDIA's client of the Open Inference Protocol, unmodified: prints what it gets as one JSON object. Arguments: host:port, key."""

import asyncio
import json
import sys

import numpy as np
import tritonclient.http.aio as triton
from tritonclient.utils import InferenceServerException


def image_input(binary):
    pixels = np.full((2, 784), 7, np.uint8)
    return triton.InferInput("pixels", pixels.shape, "UINT8").set_data_from_numpy(pixels, binary_data=binary)


async def main(address, key):
    # The client writes into the headers that it is given.
    headers = lambda: {"Authorization": f"Bearer {key}"} if key else {}
    seen = {}
    async with triton.InferenceServerClient(address) as client:
        seen["live"] = await client.is_server_live()
        seen["ready"] = await client.is_server_ready() and await client.is_model_ready("mnist", "1", headers=headers())
        seen["extensions"] = (await client.get_server_metadata())["extensions"]
        seen["inputs"] = (await client.get_model_metadata("mnist", headers=headers()))["inputs"]
        seen["labels"] = []
        for binary_in in (True, False):
            for binary_out in (True, False):
                outputs = [triton.InferRequestedOutput(name, binary_data=binary_out) for name in ("score", "label")]
                result = await client.infer("mnist", [image_input(binary_in)], outputs=outputs, headers=headers(), request_id="r")
                seen["labels"].append([result.as_numpy("label").tolist(), result.as_numpy("score").tolist()])
        result = await client.infer("mnist", [image_input(True)], headers=headers())
        seen["labels"].append([result.as_numpy("label").tolist(), result.as_numpy("score").tolist()])
        seen["errors"] = []
        wrong = triton.InferInput("pixels", (1, 3), "UINT8").set_data_from_numpy(np.zeros((1, 3), np.uint8))
        for model, tensor in (("nothing", image_input(True)), ("mnist", wrong)):
            try:
                await client.infer(model, [tensor], headers=headers())
            except InferenceServerException as error:
                seen["errors"].append([error.status(), error.message()])
    print(json.dumps(seen))


asyncio.run(main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""))
