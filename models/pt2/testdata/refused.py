"""python refused.py DIR: archives of networks that can't be read, each for a reason of its own."""
import os, sys, warnings

warnings.filterwarnings("ignore")
import torch
from torch import nn

BATCH = torch.export.Dim("batch", min=2)


class Net(nn.Module):
    def __init__(self, forward, dtype=None):
        super().__init__()
        self.fc = nn.Linear(6, 2, dtype=dtype)
        self.drop = nn.Dropout(0.5)
        self.does = forward

    def forward(self, x, *args, **kwargs):
        return self.does(self, x, *args, **kwargs)


class Keyword(Net):
    def forward(self, *, x):
        return self.fc(self.drop(x))


def no_grad(n, x):
    with torch.no_grad():
        y = n.drop(x)
    return n.fc(y)


def size(n, x):
    k = x.abs().sum().int().item()
    torch._check(k >= 2)
    torch._check(k < 100)
    return n.fc(n.drop(x)) + torch.ones(k).sum()


@torch.library.custom_op("laboratory::double", mutates_args=())
def double(x: torch.Tensor) -> torch.Tensor:
    return x * 2


@double.register_fake
def _(x):
    return torch.empty_like(x)


plain = lambda n, x: n.fc(n.drop(x))
x = torch.randn(4, 6)
first = ({0: BATCH},)
NETS = {
    "fixed": (Net(plain), (x,), None),
    "evaluation": (Net(plain).eval(), (x,), first),
    "two": (Net(lambda n, x, y: n.fc(n.drop(x)) + n.fc(y)), (x, x), None),
    "keyword": (Keyword(None), (), {"x": {0: BATCH}}, {"x": x}),
    "nested": (Net(lambda n, x: n.fc(n.drop(x[0]))), ([x],), ([{0: BATCH}],)),
    "outputs": (Net(lambda n, x: (n.fc(n.drop(x)), x + 1)), (x,), first),
    "dict": (Net(lambda n, x: {"logits": n.fc(n.drop(x))}), (x,), first),
    "condition": (Net(lambda n, x: torch.cond(x.sum() > 0, lambda y: n.fc(n.drop(y)), lambda y: n.fc(y) * 2, (x,))), (x,), first),
    "no_grad": (Net(no_grad), (x,), first),
    "time": (Net(lambda n, x: n.fc(n.drop(x).unflatten(-1, (-1, 6))).mean(1)), (torch.randn(4, 24),), ({0: torch.export.Dim.DYNAMIC, 1: torch.export.Dim.AUTO},)),
    "data": (Net(size), (x,), first),
    "half": (Net(lambda n, x: n.fc(n.drop(x.half())).float(), torch.float16), (x,), first),
    "complex": (Net(lambda n, x: n.fc(n.drop(x).to(torch.complex64)).abs(), torch.complex64), (x,), first),
    "plus": (Net(lambda n, x: n.fc(torch.cat([n.drop(x), x[:1]]))[:-1]), (x,), first),
    "over": (Net(lambda n, x: n.fc(n.drop(x))[: x.shape[0] // 2].repeat_interleave(2, 0)), (x,), ({0: 2 * torch.export.Dim("_batch", min=2)},)),
    "custom": (Net(lambda n, x: n.fc(n.drop(double(x)))), (x,), first),
}
for name, (net, args, shapes, *kwargs) in NETS.items():
    if name != "evaluation":
        net.train()
    try:
        program = torch.export.export(net, args, *kwargs, dynamic_shapes=shapes)
    except Exception as e:
        raise RuntimeError(name) from e
    torch.export.save(program, os.path.join(sys.argv[1], name + ".pt2"))
