"""The weights of torch/testdata/tsception.pt in other forms: python make_pt.py DIR, with
torch 2.15."""
import argparse, collections, os, sys
import torch
here = os.path.dirname(os.path.abspath(__file__))
state = torch.load(os.path.join(here, "../../torch/testdata/tsception.pt"), weights_only=True)
out = lambda name: os.path.join(sys.argv[1], name)
torch.save(state, out("tsception_legacy.pth"), _use_new_zipfile_serialization=False)
within = collections.OrderedDict(("model." + k, v) for k, v in state.items())
torch.save({"epoch": 1, "state_dict": within, "hyper_parameters": {"options": argparse.Namespace(lr=1e-3)}}, out("tsception_lightning.ckpt"))
wrong = collections.OrderedDict(within)
del wrong["model.fc.3.bias"]
wrong["model.fc.0.weight"] = torch.zeros(32, 16)
wrong["loss.weight"] = torch.ones(2)
torch.save({"state_dict": wrong}, out("tsception_wrong.ckpt"))
