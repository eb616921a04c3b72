"""Files of torch.save for the tests of torch/ptfile. Run with torch 2.15 and pytorch-lightning 2.6:
python make.py DIR"""
import argparse, collections, json, os, pathlib, sys, tempfile
import torch
out = sys.argv[1]
p = lambda n: os.path.join(out, n)
x = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4) / 7 - 1.5
base = torch.arange(20, dtype=torch.float32)
half = torch.tensor([0.0, -0.0, 1.0, -2.5, 65504.0, 6e-8, 6.1e-5, float("inf"), float("-inf")])
state = collections.OrderedDict(
    plain=x, parameter=torch.nn.Parameter(x[0]), transposed=x.permute(2, 0, 1), slice=base[3:15:2], again=base.reshape(4, 5)[1:3, 2:4],
    expanded=torch.ones(1).expand(5), scalar=torch.tensor(7), none=torch.zeros(0, 3),
    f64=torch.tensor([1e300, -1 / 3], dtype=torch.float64), f16=half.half(), bf16=torch.tensor([1.0, -3.140625, 1e38]).bfloat16(),
    i64=torch.tensor([-2**62, 5]), i32=torch.tensor([-2**31, 7], dtype=torch.int32), i16=torch.tensor([-300, 300], dtype=torch.int16),
    i8=torch.tensor([-128, 127], dtype=torch.int8), u8=torch.tensor([0, 255], dtype=torch.uint8), bool=torch.tensor([True, False, True]))
torch.save(state, p("types.pt"))
torch.save(state, p("types_legacy.pt"), _use_new_zipfile_serialization=False)
torch.save(state, p("types_legacy4.pt"), _use_new_zipfile_serialization=False, pickle_protocol=4)
torch.save(state, p("types_protocol5.pt"), pickle_protocol=5)
torch.serialization.set_crc32_options(False)
torch.save(state, p("types_nocrc.pt"))
torch.serialization.set_crc32_options(True)
kind = lambda v: {torch.float64: "float64", torch.bool: "bool"}.get(v.dtype, "float32" if v.is_floating_point() else "int64")
want = {k: {"type": kind(v), "shape": list(v.shape), "values": [str(e) for e in v.detach().to(torch.int64 if kind(v) == "int64" else torch.float64).flatten().tolist()]}
        for k, v in state.items()}
json.dump(want, open(p("types.json"), "w"), indent=1)
# Other values beside the tensors.
torch.save({"epoch": 3, "model_state_dict": state, "loss": 0.5, "best": torch.tensor(0.25)}, p("tutorial.pt"))
import pytorch_lightning as pl
class Net(pl.LightningModule):
    def __init__(self, width=3, options=None):
        super().__init__(); self.save_hyperparameters(); self.model = torch.nn.Sequential(torch.nn.Linear(4, width), torch.nn.BatchNorm1d(width))
    def training_step(self, b, i): return self.model(b[0]).pow(2).mean()
    def configure_optimizers(self):
        o = torch.optim.Adam(self.parameters()); return [o], [torch.optim.lr_scheduler.MultiStepLR(o, [1, 2])]
torch.manual_seed(1)
n = Net(3, options=argparse.Namespace(path=pathlib.Path("x"), a={1, 2}))
t = pl.Trainer(max_epochs=1, logger=False, enable_progress_bar=False, enable_checkpointing=True, default_root_dir=tempfile.mkdtemp(), accelerator="cpu")
t.fit(n, torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.randn(8, 4)), 4))
t.save_checkpoint(p("lightning.ckpt"))
torch.save(torch.nn.Linear(2, 2), p("whole.pt"))
class Evil:
    def __reduce__(self): return os.system, ("touch /tmp/eegprune-was-here",)
torch.save({"weight": x, "evil": Evil()}, p("hostile.pt"))
torch.save({"state_dict": {"weight": x}, "hyper": Evil()}, p("hostile_beside.ckpt"))
torch.save({"weight": x, "evil": Evil()}, p("hostile_legacy.pt"), _use_new_zipfile_serialization=False)
torch.save({"weight": x, "other": torch.ones(2, dtype=torch.complex64), "u": torch.ones(2, dtype=torch.uint16), "sparse": torch.eye(2).to_sparse(), "extra": 3}, p("other_types.pt"))
torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), p("script.pt"))
