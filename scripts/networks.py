"""The networks as plain PyTorch, for comparing with: the definitions of torcheeg 1.1.3
and, for CCNN, of the pruning paper. Widths are those of the unpruned network, or of a
pruned one, by the names of the channel groups that eegprune prints."""
import torch
from torch import nn

NAMES = ("ccnn", "ccnn-selu", "fbccnn", "tsception", "eegnet")


class CCNN(nn.Module):
    def __init__(self, bands, classes, selu=False, dropout=0.0, widths=None):
        super().__init__()
        w = widths or {}
        channels = [bands] + [w.get(f"conv{i}.1", n) for i, n in enumerate((64, 128, 256, 64), 1)]
        for i, (a, b) in enumerate(zip(channels, channels[1:]), 1):
            setattr(self, f"conv{i}", nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(a, b, 4), nn.ReLU()))
        lin1 = nn.Linear(81 * channels[-1], 1024)
        self.lin1 = nn.Sequential(lin1, nn.SELU(), nn.Dropout2d(dropout)) if selu else lin1
        self.lin2 = nn.Linear(1024, classes)

    def forward(self, x):
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = conv(x)
        return self.lin2(self.lin1(x.flatten(1)))


class FBCCNN(nn.Module):
    def __init__(self, bands, classes, widths=None):
        super().__init__()
        w = widths or {}
        channels = [bands] + [w.get(f"block{i}.0", n) for i, n in enumerate((12, 32, 64, 128, 256, 128, 32), 1)]
        self.blocks = [f"block{i}" for i in range(1, 8)]
        for name, a, b in zip(self.blocks, channels, channels[1:]):
            setattr(self, name, nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(b)))
        self.lin1 = nn.Sequential(nn.Linear(81 * channels[-1], 512), nn.ReLU())
        self.lin2 = nn.Sequential(nn.Linear(512, 128), nn.ReLU())
        self.lin3 = nn.Linear(128, classes)

    def forward(self, x):
        for name in self.blocks:
            x = getattr(self, name)(x)
        return self.lin3(self.lin2(self.lin1(x.flatten(1))))


class TSCeption(nn.Module):
    def __init__(self, electrodes, rate, classes, dropout=0.0, widths=None):
        super().__init__()
        w = widths or {}
        t, s, f = (w.get(n, 15) for n in ("BN_t", "BN_s", "BN_fusion"))

        def block(a, b, kernel, stride, pool):
            return nn.Sequential(nn.Identity(), nn.Conv2d(a, b, kernel, stride), nn.LeakyReLU(), nn.AvgPool2d((1, pool), (1, pool)))

        for i, window in enumerate((0.5, 0.25, 0.125), 1):
            setattr(self, f"Tception{i}", block(1, t, (1, int(window * rate)), 1, 8))
        half = electrodes // 2
        self.Sception1 = block(t, s, (electrodes, 1), 1, 2)
        self.Sception2 = block(t, s, (half, 1), (half, 1), 2)
        self.fusion_layer = block(s, f, (3, 1), 1, 4)
        self.BN_t, self.BN_s, self.BN_fusion = nn.BatchNorm2d(t), nn.BatchNorm2d(s), nn.BatchNorm2d(f)
        self.fc = nn.Sequential(nn.Linear(f, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, classes))

    def forward(self, x):
        x = self.BN_t(torch.cat((self.Tception1(x), self.Tception2(x), self.Tception3(x)), -1))
        x = self.BN_s(torch.cat((self.Sception1(x), self.Sception2(x)), 2))
        x = self.BN_fusion(self.fusion_layer(x))
        return self.fc(x.mean(-1).squeeze(-1))


class ConstrainedConv2d(nn.Conv2d):
    """Filters of norm 1 at most."""

    def forward(self, x):
        self.weight.data = torch.renorm(self.weight.data, p=2, dim=0, maxnorm=1)
        return super().forward(x)


class EEGNet(nn.Module):
    def __init__(self, electrodes, samples, rate, classes, dropout=0.0, widths=None):
        super().__init__()
        w = widths or {}
        time, separable = w.get("block1.0", 8), w.get("block2.1", 16)
        space, long, short = 2 * time, rate // 2, rate // 8

        def norm(channels):
            return nn.BatchNorm2d(channels, momentum=0.01, eps=1e-3)

        self.block1 = nn.Sequential(
            nn.Conv2d(1, time, (1, long), padding=(0, long // 2), bias=False), norm(time),
            ConstrainedConv2d(time, space, (electrodes, 1), groups=time, bias=False), norm(space),
            nn.ELU(), nn.AvgPool2d((1, 4), stride=4), nn.Dropout(dropout))
        self.block2 = nn.Sequential(
            nn.Conv2d(space, space, (1, short), padding=(0, short // 2), bias=False, groups=space), nn.Conv2d(space, separable, 1, bias=False),
            norm(separable), nn.ELU(), nn.AvgPool2d((1, 8), stride=8), nn.Dropout(dropout))
        # As torcheeg does it, in training mode: it draws and moves running statistics.
        with torch.no_grad():
            steps = self.block2(self.block1(torch.zeros(1, 1, electrodes, samples))).shape[3]
        self.lin = nn.Linear(separable * steps, classes, bias=False)

    def forward(self, x):
        return self.lin(self.block2(self.block1(x)).flatten(1))


def build(name, shape=None, classes=2, rate=128, dropout=0.0, widths=None):
    """The network and the shape of one clip, by default DEAP's. Dropout None is the
    network's own."""
    def p(own):
        return own if dropout is None else dropout

    shape = tuple(shape or ((1, 28, 512) if name in ("tsception", "eegnet") else (4, 9, 9)))
    if name == "tsception":
        return TSCeption(shape[1], rate, classes, p(0.5), widths), shape
    if name == "eegnet":
        return EEGNet(shape[1], shape[2], rate, classes, p(0.25), widths), shape
    if name == "fbccnn":
        return FBCCNN(shape[0], classes, widths), shape
    return CCNN(shape[0], classes, name == "ccnn-selu", p(0.5), widths), shape
