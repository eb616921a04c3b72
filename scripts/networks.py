"""The networks as plain PyTorch, for comparing with: the definitions of torcheeg 1.1.3
and, for CCNN, of the pruning paper."""
import torch
from torch import nn


class CCNN(nn.Module):
    def __init__(self, bands, classes, selu=False, dropout=0.0):
        super().__init__()
        widths = [bands, 64, 128, 256, 64]
        for i, (a, b) in enumerate(zip(widths, widths[1:]), 1):
            setattr(self, f"conv{i}", nn.Sequential(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(a, b, 4), nn.ReLU()))
        lin1 = nn.Linear(81 * 64, 1024)
        self.lin1 = nn.Sequential(lin1, nn.SELU(), nn.Dropout(dropout)) if selu else lin1
        self.lin2 = nn.Linear(1024, classes)

    def forward(self, x):
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = conv(x)
        return self.lin2(self.lin1(x.flatten(1)))


class FBCCNN(nn.Module):
    def __init__(self, bands, classes):
        super().__init__()
        widths = [bands, 12, 32, 64, 128, 256, 128, 32]
        self.blocks = [f"block{i}" for i in range(1, 8)]
        for name, a, b in zip(self.blocks, widths, widths[1:]):
            setattr(self, name, nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(b)))
        self.lin1 = nn.Sequential(nn.Linear(81 * 32, 512), nn.ReLU())
        self.lin2 = nn.Sequential(nn.Linear(512, 128), nn.ReLU())
        self.lin3 = nn.Linear(128, classes)

    def forward(self, x):
        for name in self.blocks:
            x = getattr(self, name)(x)
        return self.lin3(self.lin2(self.lin1(x.flatten(1))))


class TSCeption(nn.Module):
    def __init__(self, electrodes, rate, classes, dropout=0.0):
        super().__init__()

        def block(a, b, kernel, stride, pool):
            return nn.Sequential(nn.Identity(), nn.Conv2d(a, b, kernel, stride), nn.LeakyReLU(), nn.AvgPool2d((1, pool), (1, pool)))

        for i, window in enumerate((0.5, 0.25, 0.125), 1):
            setattr(self, f"Tception{i}", block(1, 15, (1, int(window * rate)), 1, 8))
        half = electrodes // 2
        self.Sception1 = block(15, 15, (electrodes, 1), 1, 2)
        self.Sception2 = block(15, 15, (half, 1), (half, 1), 2)
        self.fusion_layer = block(15, 15, (3, 1), 1, 4)
        self.BN_t, self.BN_s, self.BN_fusion = nn.BatchNorm2d(15), nn.BatchNorm2d(15), nn.BatchNorm2d(15)
        self.fc = nn.Sequential(nn.Linear(15, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, classes))

    def forward(self, x):
        x = self.BN_t(torch.cat((self.Tception1(x), self.Tception2(x), self.Tception3(x)), -1))
        x = self.BN_s(torch.cat((self.Sception1(x), self.Sception2(x)), 2))
        x = self.BN_fusion(self.fusion_layer(x))
        return self.fc(x.mean(-1).squeeze(-1))


class EEGNet(nn.Module):
    """Of kernels of half and, at a quarter of the rate, half a second. Its spatial filters are
    not held to their norm of 1 here."""

    def __init__(self, electrodes, samples, classes, kernels=(64, 16), dropout=0.0):
        super().__init__()
        f1, d, f2 = 8, 2, 16

        def norm(channels):
            return nn.BatchNorm2d(channels, momentum=0.01, eps=1e-3)

        self.block1 = nn.Sequential(nn.Conv2d(1, f1, (1, kernels[0]), padding=(0, kernels[0] // 2), bias=False), norm(f1),
                                    nn.Conv2d(f1, f1 * d, (electrodes, 1), groups=f1, bias=False), norm(f1 * d), nn.ELU(), nn.AvgPool2d((1, 4)), nn.Dropout(dropout))
        self.block2 = nn.Sequential(nn.Conv2d(f1 * d, f1 * d, (1, kernels[1]), padding=(0, kernels[1] // 2), groups=f1 * d, bias=False),
                                    nn.Conv2d(f1 * d, f2, 1, bias=False), norm(f2), nn.ELU(), nn.AvgPool2d((1, 8)), nn.Dropout(dropout))
        with torch.no_grad():
            features = self.block2.eval()(self.block1.eval()(torch.zeros(1, 1, electrodes, samples))).numel()
        self.train()
        self.lin = nn.Linear(features, classes, bias=False)

    def forward(self, x):
        return self.lin(self.block2(self.block1(x)).flatten(1))


def build(name, classes=2):
    """The network and the shape of one clip."""
    if name == "eegnet":
        return EEGNet(28, 512, classes), (1, 28, 512)
    if name == "tsception":
        return TSCeption(28, 128, classes), (1, 28, 512)
    if name == "fbccnn":
        return FBCCNN(4, classes), (4, 9, 9)
    return CCNN(4, classes, selu=name == "ccnn-selu"), (4, 9, 9)
