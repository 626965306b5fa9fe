"""Reads and writes safetensors files with numpy alone: a length, a JSON table of names, shapes and offsets, then the bytes."""
import json
import struct

import numpy as np

TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U8": "u1",
         "BOOL": "?"}


def read(path):
    """Tensor by name, as float64 (integers too); bf16 is widened."""
    with open(path, "rb") as file:
        data = file.read()
    (length,) = struct.unpack("<Q", data[:8])
    table = json.loads(data[8:8 + length])
    body = memoryview(data)[8 + length:]
    tensors = {}
    for name, entry in table.items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        raw = body[first:last]
        if entry["dtype"] == "BF16":
            flat = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
        elif entry["dtype"] in TYPES:
            flat = np.frombuffer(raw, TYPES[entry["dtype"]])
        else:
            raise ValueError(f"{path}: tensor {name} has type {entry['dtype']}, which this reader does not know")
        tensors[name] = flat.reshape(entry["shape"]).astype(np.float64)
    return tensors


def write(path, tensors):
    """Writes float32 tensors, in the order of their names, the data aligned to 8 bytes."""
    table, blobs, offset = {}, [], 0
    for name in sorted(tensors):
        blob = np.ascontiguousarray(tensors[name], dtype="<f4").tobytes()
        table[name] = {"dtype": "F32", "shape": list(np.shape(tensors[name])), "data_offsets": [offset, offset + len(blob)]}
        blobs.append(blob)
        offset += len(blob)
    header = json.dumps(table, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)))
        file.write(header)
        for blob in blobs:
            file.write(blob)
