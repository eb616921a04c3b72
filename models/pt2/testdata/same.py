"""python same.py ORIGINAL.pt2 WRITTEN.pt2 ...: whether torch.export.load takes each second archive and finds in it what is in the first.

Both give the same logits in training mode, bit by bit, are the same after three steps of SGD, and
have the same names, types and trained parameters. What is written can be decomposed and saved again.
"""
import io, sys, warnings

warnings.filterwarnings("ignore")
import torch

torch.set_num_threads(1)


def run(program, train):
    module = program.module()
    x = next(n for n in program.graph.nodes if n.name in program.graph_signature.user_inputs).meta["val"]
    gave = []
    for clips in (5, 2):
        clip = torch.randn(clips, *x.shape[1:], generator=torch.Generator().manual_seed(1))
        torch.manual_seed(3)
        optimizer = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=0.01)
        for _ in range(3):
            with torch.set_grad_enabled(train):
                logits = module(clip)
            gave.append(logits.detach())
            if train:
                optimizer.zero_grad()
                logits.square().mean().backward()
                optimizer.step()
    return gave, module.state_dict()


def described(program):
    return {
        "state": {n: (t.dtype, t.requires_grad, tuple(t.shape)) for n, t in program.state_dict.items()},
        "constants": {n: (t.dtype, tuple(t.shape)) for n, t in program.constants.items()},
        "parameters": [n for n, _ in program.named_parameters()],
        "buffers": [n for n, _ in program.named_buffers()],
        "ranges": [(r.lower, r.upper) for r in program.range_constraints.values()],
    }


for original, written in zip(sys.argv[1::2], sys.argv[2::2]):
    a, b = torch.export.load(original), torch.export.load(written)
    assert described(a) == described(b), (written, described(a), described(b))
    # PyTorch can't train a graph that it has decomposed: batch_norm's statistics change before they are used.
    train = "decomposed" not in original
    (gave_a, state_a), (gave_b, state_b) = run(a, train), run(b, train)
    assert all(torch.equal(p, q) for p, q in zip(gave_a, gave_b)), written
    assert state_a.keys() == state_b.keys() and all(torch.equal(state_a[n], state_b[n]) for n in state_a), written
    b.run_decompositions()
    again = io.BytesIO()
    torch.export.save(b, again)
    again.seek(0)
    torch.export.load(again)
print("same")
