#!/usr/bin/env python3
"""Writes models/op/schemas.txt: what libtorch says of the arguments of the operations that a network
from another program may have.

    python scripts/schemas.py > models/op/schemas.txt

They compute tensors from tensors and numbers alone. Left out are operations that read files, that
belong to other libraries or devices, that only a backward pass has, and those whose results have a
shape that depends on numbers.
"""
import re

import torch

OWN = {
    "_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "_conj", "_fft_c2c", "_fft_c2r", "_fft_r2c", "_log_softmax",
    "_native_batch_norm_legit", "_softmax", "_to_copy", "_trilinear", "_unsafe_index", "_unsafe_view",
    "_upsample_bicubic2d_aa", "_upsample_bilinear2d_aa", "_weight_norm", "_weight_norm_interface", "__and__",
    "__or__", "__xor__", "__lshift__", "__rshift__", "__iand__", "__ior__", "ones_like", "zeros_like", "full_like",
    "rand_like", "randn_like", "empty", "copy_", "fill_", "zero_", "lift_fresh_copy", "triu_indices", "tril_indices", "max_pool1d_with_indices",
    "max_pool2d_with_indices", "max_pool3d_with_indices", "new_empty",
}
LEFT_OUT = re.compile(
    r"_.*|.*backward.*|.*_copy|.*_out|.*_like|(cudnn|miopen|mkldnn|mps|copy_sparse|quantize|fake_quantize|fused|fbgemm|q_|sparse|hspmm|smm|"
    r"resize|set|sym_|rename|align|unsafe_|empty|new_empty|lift|batch_norm_|is_|load|as_strided|unique).*|.*(mkldnn|sparse|nested|"
    r"coalesce|csr|csc|bsr|bsc|qparams|qint|indices)|from_file|dequantize|int_repr|record_stream|nonzero.*|masked_select|item|tolist|"
    r"retain_grad|requires_grad_|refine_names|argwhere|bincount|pin_memory|data|grad|cuda|cpu|names|values|segment_reduce|save|"
    r"embedding_renorm_?|shallow_copy_data_|convolution_overrideable|as_tensor|sorted|chalf|slice_inverse|flatten_dense_tensors|"
    r"range|hash_tensor|histogramdd|numpy_T|alias_copy|geqrf|orgqr|ormqr|lu_unpack|to"
)
KINDS = re.compile(r"Tensor|int|SymInt|float|bool|str|Scalar|ScalarType|MemoryFormat|Device|Layout|Generator")


def main():
    lines = []
    for schema in torch._C._jit_get_all_schemas():
        name = schema.name.removeprefix("aten::")
        overload = schema.overload_name
        if not schema.name.startswith("aten::") or any(a.is_out for a in schema.arguments):
            continue
        if name not in OWN and LEFT_OUT.fullmatch(name) and not (name == "to" and overload in ("dtype", "device", "dtype_layout")):
            continue
        text = re.sub(r"\([a-z!|*>\- ]*\)", "", str(schema).removeprefix("aten::"))
        head, _, returns = text.rpartition(" -> ")
        if not all(re.fullmatch(r"Tensor(\[\])?", str(r).split(" ")[0]) for r in returns.strip("()").split(", ")):
            continue
        arguments = head[head.index("(") + 1 : -1]
        kinds = [a.split(" ")[0] for a in re.split(r", (?![0-9-])", arguments) if a and a != "*"]
        if not all(KINDS.fullmatch(re.sub(r"[\[\]?0-9]", "", k)) for k in kinds):
            continue
        lines.append(text)
    print("\n".join(sorted(set(lines))))


if __name__ == "__main__":
    main()
