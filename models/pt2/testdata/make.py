#!/usr/bin/env python3
"""Writes archives here, NAME.VERSION.pt2, with the PyTorch that runs it, and values.json.

    python make.py --only attention     (torch 2.9.1)
    python make.py                      (torch 2.15.0, of which attention.2.15.pt2 is not kept)

Paths of the machine and sample inputs are left out of the archives. values.json has x [3, 4, 32] and of each network
logits [3, 2] of x in evaluation mode with the weights of the archive, and the losses [4] of steps
of SGD(lr=0.05) on all of x with labels 0, 1, 0 after torch.manual_seed(7), in training mode.
"""
import argparse, json, os, warnings, zipfile

warnings.filterwarnings("ignore")
import torch
from torch import nn
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))


class CNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, (1, 5), padding=(0, 2), bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.depth = nn.Conv2d(4, 8, (4, 1), groups=4)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(64, 2)

    def forward(self, x):
        x = F.elu(self.depth(self.bn(self.conv(x.unsqueeze(1)))))
        return self.fc(self.drop(F.avg_pool2d(x, (1, 4)).flatten(1)))


class Decomposed(nn.Module):
    """Whose archive has functional operations, which give a buffer's new value beside the logits."""

    def __init__(self):
        super().__init__()
        self.bn = nn.BatchNorm1d(4)
        self.drop = nn.Dropout(0.25)
        self.fc = nn.Linear(128, 2)

    def forward(self, x):
        return self.fc(self.drop(self.bn(x)).flatten(1))


class Attention(nn.Module):
    """Values named as tensors are, several outputs, and sizes that are multiples of the batch's."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Parameter(torch.randn(4, 8) / 2)  # so is the value of F.linear named
        self.qkv = nn.Linear(8, 24)
        self.norm = nn.LayerNorm(8)
        self.rnn = nn.LSTM(8, 5, batch_first=True)
        self.fc = nn.Linear(10, 2)

    def forward(self, input):
        b, c, t = input.shape
        x = F.linear(input.transpose(1, 2).reshape(b * t, c), self.linear.t()).view(b, t, 8)
        q, k, v = (z.view(b, t, 2, 4).transpose(1, 2) for z in self.qkv(self.norm(x)).chunk(3, -1))
        x = x + F.scaled_dot_product_attention(q, k, v, dropout_p=0.0).transpose(1, 2).reshape(b, -1, 8)
        (x,) = x.split(8, -1)
        x, _ = self.rnn(x)
        return self.fc(F.dropout(torch.cat([x.amax(1), x[:, -1]], 1), 0.1, self.training))


class Norms(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = torch.nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 6, 3, padding="same"))
        self.old = torch.nn.utils.weight_norm(nn.Linear(6, 5))
        self.fc = nn.Linear(5, 2)

    def forward(self, x):
        x, _ = F.max_pool1d(F.leaky_relu(self.conv(x)), 4, return_indices=True)
        x = F.dropout1d(x, 0.2, self.training)
        w = torch.renorm(self.fc.weight, 2, 0, 0.25)
        return F.linear(F.gelu(self.old(x.mean(-1)), approximate="tanh"), w, self.fc.bias)


class Constants(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("order", torch.tensor([3, 1, 0, 2]), persistent=False)
        self.register_buffer("on", torch.arange(32) % 3 > 0)
        self.register_buffer("scale", torch.linspace(0.5, 1.5, 4, dtype=torch.float64)[:, None].t().expand(32, 4).t())
        self.register_buffer("lag", torch.tensor([1, 2], dtype=torch.int32))
        self.a = nn.Linear(32, 6, bias=False)
        self.b = nn.Linear(32, 6, bias=False)
        self.b.weight = self.a.weight
        self.frozen = nn.Parameter(torch.rand(6), requires_grad=False)
        self.fc = nn.Linear(24, 2)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        x = (x[:, self.order] * self.scale).to(torch.float32).masked_fill(~self.on, float("-inf")).clamp(min=-1e3)
        x = x + torch.tensor([[0.25], [0.5], [-0.25], [0.0]]) * torch.arange(32, dtype=torch.float32)
        x = torch.stack([self.a(x / 1e3), self.b(x / 500)], 1) * self.frozen * self.lag.to(x.device, torch.float32).sum()
        return self.fc(self.drop(x.mean(1).flatten(1)))


class Views(nn.Module):
    """Views of narrow maps, which other layouts of them do not give."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 5, (2, 20))
        self.fc = nn.Linear(195, 2)

    def forward(self, x):
        return self.fc(F.relu(self.conv(x.unsqueeze(1))).view(x.shape[0], -1))


class Tall(nn.Module):
    """Maps of time along their height, and views and sums along it of what convolutions return."""

    def __init__(self):
        super().__init__()
        self.temporal = nn.Conv2d(1, 6, (5, 1), padding=(2, 0))
        self.norm = nn.BatchNorm2d(6)
        self.spatial = nn.Conv2d(6, 12, (1, 4), groups=6)
        self.mix = nn.Conv2d(12, 8, (3, 1), padding=(1, 0))
        self.fc = nn.Linear(128, 2)

    def forward(self, x):
        x = F.elu(self.norm(self.temporal(x.unsqueeze(1).transpose(2, 3).contiguous())))
        x = F.elu(self.spatial(x - x.mean(2, keepdim=True)))
        x = self.mix(x)
        x = x * x.select(2, 0).unsqueeze(2).sigmoid() + torch.cumsum(x, 2) / 32
        return self.fc(F.avg_pool2d(x, (2, 1)).view(x.shape[0], -1))


class Causal(nn.Module):
    """Convolutions that see the past alone, by slices of what they compute of zeros behind, as in a TCN."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv1d(4, 6, 3, padding=2)
        self.second = torch.nn.utils.parametrizations.weight_norm(nn.Conv1d(6, 6, 3, padding=8, dilation=4))
        self.beside = nn.Conv1d(4, 6, 1)
        self.strided = nn.Conv1d(6, 5, 4, padding=3, stride=2)
        self.maps = nn.Conv2d(1, 3, (2, 3), padding=(1, 2), dilation=(1, 2))
        self.fc = nn.Linear(16, 2)

    def forward(self, x):
        y = F.relu(self.first(x)[:, :, :-2].contiguous())
        y = F.relu(self.second(y)[:, :, :-8].contiguous()) + self.beside(x)
        y = F.relu(self.strided(y)[:, :, 1:-1])
        y = y.transpose(1, 2).contiguous().view(-1, 5).sigmoid().view(x.shape[0], 16, 5)
        y = F.elu(self.maps(y.unsqueeze(1))[:, :, :, 1:-1][:, :, :-1])
        return self.fc(y.mean((1, 3)))


class Double(nn.Module):
    """Layers of float64 between others, and a BatchNorm that no convolution is before."""

    def __init__(self):
        super().__init__()
        self.before = nn.BatchNorm1d(4)
        self.conv = nn.Conv1d(4, 6, 3).double()
        self.norm = nn.BatchNorm1d(6).double()
        self.fc = nn.Linear(6, 2)

    def forward(self, x):
        x = F.selu(self.before(x)).double()
        return self.fc(F.elu(self.norm(self.conv(x))).mean(2).float())


class Heads(nn.Module):
    """Attention within sequences of a clip, of which there are several, with weights that nothing takes."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(8, 12)
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)
        self.across = nn.MultiheadAttention(12, 3)
        self.fc = nn.Linear(12, 2)

    def forward(self, x):
        x = self.embed(x.unflatten(2, (4, 8))).reshape(-1, 4, 12)
        x = x + self.attention(x, x, x)[0]
        x = x.reshape(-1, 4, 4, 12).transpose(1, 2).reshape(-1, 4, 12).transpose(0, 1)
        x = x + self.across(x, x, x, need_weights=False)[0]
        return self.fc(F.relu(x.transpose(0, 1)).reshape(-1, 16, 12).mean(1))


class Rows(nn.Module):
    """Convolutions of several rows of each clip, each a batch's, and gates of what they return."""

    def __init__(self):
        super().__init__()
        self.temporal = nn.Conv1d(1, 6, 8, padding="same")
        self.norm = nn.BatchNorm1d(6)
        self.strided = nn.Conv1d(6, 8, 3, stride=2, groups=2)
        self.slope = nn.PReLU(4)
        self.maps = nn.Conv2d(4, 6, (2, 3), padding=(1, 1))
        self.drop = nn.Dropout(0.25)
        self.mix = nn.Conv1d(24, 10, 3, padding=1)
        self.fc = nn.Linear(70, 2)

    def forward(self, x):
        b, c, t = x.shape
        y = F.relu(self.norm(self.temporal(x.reshape(b * c, 1, t))))
        y = self.slope(F.glu(self.strided(F.gelu(y)), 1))
        y = F.avg_pool2d(F.gelu(self.maps(y.reshape(b * c, 4, 3, 5))), (2, 1)).reshape(b, c * 6, 10)
        y = F.silu(self.mix(self.drop(y)))
        return self.fc(F.selu(F.max_pool1d(y, 4, 1)).reshape(b, -1))


def strip(path):
    """Takes what the operations' metadata says of the author's machine out of an archive."""
    with zipfile.ZipFile(path) as z:
        records = {n.split("/", 1)[1]: z.read(n) for n in z.namelist()}
    e = json.loads(records["models/model.json"])
    for n in e["graph_module"]["graph"]["nodes"]:
        n["metadata"] = {}
    records["models/model.json"] = json.dumps(e, separators=(",", ":")).encode()
    records["data/sample_inputs/model.pt"] = b""
    w = torch._C.PyTorchFileWriter(path)
    for n, b in records.items():
        if not n.startswith(".data/") and n != "byteorder":
            w.write_record(n, b, len(b))
    w.write_end_of_file()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--only")
    a = p.parse_args()
    g = torch.Generator().manual_seed(3)
    x, y = torch.randn(3, 4, 32, generator=g), torch.tensor([0, 1, 0])
    values = {"x": x.flatten().tolist()}
    version = ".".join(torch.__version__.split(".")[:2])
    for name, cls in dict(cnn=CNN, decomposed=Decomposed, attention=Attention, norms=Norms, constants=Constants, views=Views, tall=Tall, causal=Causal, double=Double, heads=Heads, rows=Rows).items():
        if a.only not in (None, name):
            continue
        torch.manual_seed(0)
        net = cls().train()
        batch = torch.export.Dim("batch", min=2, max=64) if name == "cnn" else torch.export.Dim.DYNAMIC
        ep = torch.export.export(net, (x,), dynamic_shapes=({0: batch},))
        if name == "decomposed":
            ep = ep.run_decompositions()
        path = os.path.join(HERE, f"{name}.{version}.pt2")
        torch.export.save(ep, path, extra_files={"note.txt": "beside the network"} if name == "cnn" else None)
        strip(path)
        torch.export.load(path)
        with torch.no_grad():
            logits = net.eval()(x)
        net.train()
        opt = torch.optim.SGD(net.parameters(), lr=0.05)
        losses = []
        torch.manual_seed(7)
        for _ in range(4):
            opt.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
            losses.append(loss.item())
        values[name] = {"logits": logits.flatten().tolist(), "losses": losses}
    if a.only:
        with open(os.path.join(HERE, "values.json")) as f:
            values = json.load(f) | values
    with open(os.path.join(HERE, "values.json"), "w") as f:
        json.dump(values, f)


if __name__ == "__main__":
    main()
