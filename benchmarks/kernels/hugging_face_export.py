#!/usr/bin/env python3
"""Hugging Face's own BERT, with the weights of a model folder, exported to ONNX by PyTorch: what our export is held against.

usage: hugging_face_export.py MODEL OUTPUT.onnx   (needs torch 2.x, transformers, onnx and onnxscript)
"""
import sys

import torch
from transformers import BertConfig, BertForSequenceClassification

import reference


def main():
    folder, output = sys.argv[1:]
    source = reference.Reference.open(folder)
    architecture = source.architecture
    layer = architecture["layers"][0]
    config = BertConfig(
        vocab_size=architecture["vocabulary_size"], hidden_size=layer["hidden_size"], num_hidden_layers=len(architecture["layers"]),
        num_attention_heads=len(layer["heads"]), intermediate_size=layer["feed_forward"][0],
        max_position_embeddings=architecture["maximum_positions"], type_vocab_size=architecture["type_vocabulary_size"],
        layer_norm_eps=source.epsilon, num_labels=len(source.weights["classifier.bias"]), return_dict=False)
    model = BertForSequenceClassification(config).eval()
    state = {}
    for name, tensor in source.weights.items():
        if not name.startswith("cls."):
            state[name if name.startswith("classifier.") else "bert." + name] = torch.from_numpy(tensor).to(torch.float32)
    missing, unexpected = model.load_state_dict(state, strict=False)
    missing = [name for name in missing if not name.endswith(("position_ids", "token_type_ids"))]
    if missing or unexpected:
        sys.exit(f"{folder}: weights missing {missing}, not known {unexpected}")
    example = torch.ones((2, 16), dtype=torch.int64)
    names = ["input_ids", "attention_mask", "token_type_ids"]

    class Logits(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, attention_mask, token_type_ids):
            return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]

    axes = {name: {0: "batch", 1: "sequence"} for name in names}
    with torch.no_grad():
        torch.onnx.export(
            Logits().eval(), (example, example, example * 0), output, input_names=names, output_names=["logits"],
            dynamic_axes={**axes, "logits": {0: "batch"}}, opset_version=17, dynamo=False)


if __name__ == "__main__":
    main()
