#!/usr/bin/env python3
"""Exports one small network for each kind of operation, and compares what onnxruntime computes.

    python kinds.py write DIR     writes DIR/NAME.pt2 and DIR/NAME.npz: x [3, 4, 32] and PyTorch's logits
    python kinds.py compare DIR   runs DIR/NAME.onnx, which another program made of NAME.pt2, on all of x
                                  and on its first clip

A network is a function of x [batch, 4, 32]; what it gives of a clip is the clip's logits.
"""
import glob, os, sys, warnings

warnings.filterwarnings("ignore")
import numpy as np

TOLERANCE = 1e-5  # of the largest logit


def kinds():
    import torch
    from torch import nn
    import torch.nn.functional as F

    torch.manual_seed(0)
    w = lambda *shape: nn.Parameter(torch.randn(*shape) / 2)
    whole = lambda x: (x * 5).to(torch.int64)
    img = lambda x: x.reshape(-1, 2, 8, 8)
    vol = lambda x: x.reshape(-1, 2, 4, 4, 4)
    heads = lambda x: x.reshape(-1, 2, 8, 8)
    mask = torch.rand(8, 8) > 0.3
    mask[2] = False
    eye = torch.arange(4)

    k = {}

    def kind(name, f, *parameters, modules=(), bare=False):
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.p = nn.ParameterList(parameters)
                self.m = nn.ModuleList(modules)

            def forward(self, x):
                y = f(x, *self.p, *self.m)
                return y if bare else y.reshape(x.shape[0], -1).to(torch.float32)

        k[name] = Net()

    for name in ("abs ceil cos cosh erf exp floor neg relu selu sigmoid sign sin sinh tan tanh expm1 frac trunc round square silu mish hardswish "
                 "hardsigmoid log_sigmoid relu6 exp2 rad2deg deg2rad sinc nan_to_num asinh atan erfc").split():
        f = getattr(torch, name, None) or getattr(F, "logsigmoid" if name == "log_sigmoid" else name)
        kind(name, lambda x, f=f: f(x * 0.7))
    for name in "log log2 log10 log1p sqrt rsqrt reciprocal acosh".split():
        kind(name, lambda x, f=getattr(torch, name): f(x.abs() + 1.1))
    kind("numbers_or_not", lambda x: torch.isnan(x.log()) + 2 * torch.isinf(x / x.relu()) + 4 * torch.isfinite(x / x.relu()) + torch.nan_to_num(x / x.relu(), 3, 5, -7))
    for name in "acos asin atanh".split():
        kind(name, lambda x, f=getattr(torch, name): f(torch.tanh(x) * 0.9))
    kind("gelu", lambda x: F.gelu(x))
    kind("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"))
    kind("celu", lambda x: F.celu(x, 0.7))
    kind("elu", lambda x: F.elu(x, 0.7) + F.elu(x.clone(), 1.3, inplace=True))
    kind("elu_scaled", lambda x: torch.ops.aten.elu(x, 0.7, 1.5, 0.4))
    kind("leaky_relu", lambda x: F.leaky_relu(x, 0.3))
    kind("rrelu", lambda x, m: m(x), modules=[nn.RReLU(0.1, 0.4)])
    kind("softplus", lambda x: F.softplus(x, 2, 1.5))
    kind("softshrink", lambda x: F.softshrink(x, 0.4) + F.hardshrink(x, 0.6))
    kind("hardtanh", lambda x: F.hardtanh(x, -0.3, 0.6))
    kind("threshold", lambda x: F.threshold(x, 0.2, -1.5))
    kind("logit", lambda x: torch.logit(torch.sigmoid(x * 9), 0.01))
    kind("prelu", lambda x, a: F.prelu(x, a), w(4))
    kind("prelu_one", lambda x, a: F.prelu(x, a), w(1))
    kind("glu", lambda x: F.glu(x, 1))
    kind("clamp", lambda x: x.clamp(-0.4, 0.9) + x.clamp(min=0.1) + x.clamp(max=0) + whole(x).clamp(-2, 3))
    kind("clamp_tensor", lambda x: torch.clamp(x, x.mean(-1, keepdim=True), torch.ones(32)))
    kind("dropouts", lambda x, a, b, c: c(b(a(x))), modules=[nn.Dropout(0.3), nn.AlphaDropout(0.2), nn.Dropout1d(0.4)])
    kind("arithmetic", lambda x, a: torch.add(x, a, alpha=0.3) - torch.sub(x * a, 2, alpha=3) / (a.abs() + 1) + 2 - (1.5 - x) + 3 * x, w(4, 1))
    kind("whole_numbers", lambda x: (whole(x) + 3) * whole(x.flip(-1)) - torch.tensor(7) + whole(x) / 4 + (whole(x) > 1) + True)
    kind("divisions", lambda x: torch.div(whole(x), 3, rounding_mode="floor") + torch.div(x, 0.3, rounding_mode="floor") + torch.div(x, 0.3, rounding_mode="trunc")
         + torch.div(whole(x), 3, rounding_mode="trunc") + whole(x) // 4 + whole(x) % 3 + x % -0.7 + torch.fmod(x, 0.7))
    kind("powers", lambda x: x**2 + x**3 + (x.abs() + 1) ** -0.5 + 2 ** (x * 0.5) + (x.abs() + 0.5) ** x + torch.float_power(x.abs() + 1, 0.3))
    kind("pairs", lambda x: torch.maximum(x, x.flip(-1)) + torch.minimum(x, torch.zeros(())) + torch.hypot(x, x.flip(1)) + torch.logaddexp(x, x * 2)
         + torch.atan2(x, x.flip(-1)) + torch.lerp(x, x * 3, 0.2) + torch.addcmul(x, x, x, value=0.3) + torch.addcdiv(x, x, x.abs() + 1, value=2))
    kind("comparisons", lambda x: (x > 0).int() + (x <= 0.5).int() * 2 + (whole(x) == 1).int() * 4 + (whole(x) != 2).int() * 8 + (x >= x.flip(-1)).int() * 16 + (whole(x) < 0.5).int() * 32)
    kind("connectives", lambda x: ((x > 0) & (x < 1)).int() + ((x > 1) | (x < -1)).int() * 2 + torch.logical_xor(x > 0, x > 0.5).int() * 4 + (~(x > 0)).int() * 8 + torch.logical_not(whole(x)).int() * 16)
    kind("where", lambda x: torch.where(x > 0, x, -2 * x) + torch.where(x > 0.5, 1.0, x) + torch.where(x < 0, x, torch.zeros(1)) + torch.where(x > 0, whole(x), 3) + x.masked_fill(x > 1, 7.0))
    kind("types", lambda x: x.to(torch.int32) + x.double() * 2 + (x > 0).to(x.dtype) + whole(x).type_as(x) + x.bool())
    kind("filled", lambda x: torch.zeros(x.shape[0], 4, 32) + torch.ones_like(x) * torch.full((x.shape[0], 1, 32), 2.5) + x.new_zeros(x.shape[0], 4, 1) + torch.full_like(x, 3) + x)
    kind("views", lambda x: x.reshape(-1, 2, 2, 32).flatten(1, 2).unflatten(2, (4, 8)).unsqueeze(0).squeeze(0).transpose(1, 2).contiguous().view(x.shape[0], 128))
    kind("views_of_batch", lambda x: x.reshape(x.shape[0] * 4, 32).mul(torch.arange(32)).view(x.shape[0], 4, 8, 4).permute(0, 3, 1, 2).movedim(1, -1))
    kind("expand", lambda x, a: a.expand(x.shape[0], -1, -1) * x + a.expand_as(x) + x[:, :1].expand(-1, 4, 32), w(1, 4, 1))
    kind("token", lambda x, a: torch.cat([a.expand(x.shape[0], -1, -1), x], 1), w(1, 1, 32))
    kind("repeat", lambda x: x.repeat(1, 2, 1) + x.unsqueeze(1).repeat(1, 2, 1, 1).flatten(1, 2) + x.repeat_interleave(2, 1) + x.tile(2, 1))
    kind("repeat_batch", lambda x: torch.arange(4.0).reshape(1, 4, 1).repeat(x.shape[0], 1, 32) * x)
    kind("windows", lambda x: x.unfold(-1, 8, 4).mean(-1))
    kind("parts", lambda x: torch.cat([x[:, 1:3], x[..., ::5].repeat(1, 1, 5)[..., :32], x[:, -1:], torch.stack([x[:, 0], x[:, 2]], 1)], 1))
    kind("split", lambda x: sum((i + 1) * part for i, part in enumerate(x.split(8, -1))) + x.chunk(4, -1)[2] * 5 + x.split([8, 24], -1)[0] + torch.tensor_split(x, 4, -1)[1])
    kind("unbind", lambda x: sum((i + 1) * part for i, part in enumerate(x.unbind(1))) + x.select(1, -1) + x.narrow(1, 1, 2).sum(1))
    kind("pad", lambda x: F.pad(x, (1, 2, 0, 1)) + F.pad(x, (2, 1, 1, 0), value=0.5) + F.pad(F.pad(x, (1, 2), mode="reflect"), (0, 0, 1, 0)) + F.pad(F.pad(x, (1, 2), mode="replicate"), (0, 0, 1, 0)) + F.pad(F.pad(x, (1, 2), mode="circular"), (0, 0, 1, 0)))
    kind("crop", lambda x: F.pad(x, (-3, -2, 1, 0)))
    kind("reductions", lambda x: x.sum(-1) + x.mean(1)[:, :4] + x.amax((1, 2), keepdim=True).squeeze(-1) + x.amin(-1) + torch.logsumexp(x, -1) + x.sum((1, 2)).unsqueeze(1) + (x / 2).prod(1)[:, :4] + whole(x).sum(-1))
    kind("variances", lambda x: x.var(-1) + x.std(-1, correction=0) + x.var((1, 2), keepdim=True, unbiased=False)[..., 0] + torch.std_mean(x, -1)[0] * torch.var_mean(x, -1)[1])
    kind("norms_of_vectors", lambda x: x.norm(dim=-1) + x.norm(p=1, dim=-1) + torch.linalg.vector_norm(x, 3, -1) + torch.linalg.vector_norm(x, float("inf"), -1) + torch.linalg.vector_norm(x, 0, -1))
    kind("extremes", lambda x: x.max(-1)[0] + x.max(-1)[1] + x.min(-1)[1] + x.argmax(-1) + x.argmin(1)[:, :4] + (x > 0).any(-1) + (x > -1).all(-1))
    kind("along", lambda x: x.softmax(-1) + x.log_softmax(1) + x.cumsum(-1) + x.flip(1, 2) + x.roll(3, -1) + x.roll((1, -2), (1, 2)) + x.sort(-1)[0] + x.sort(1, descending=True)[0])
    kind("topk", lambda x: x.topk(5, -1)[0] + x.topk(5, -1)[1])
    kind("lookup", lambda x, a: a[whole(x).clamp(0, 6)].sum(-1) + F.embedding(whole(x).clamp(0, 6), a).mean(-1) + x.index_select(1, eye.flip(0)) + x[:, eye] + x.gather(2, whole(x).clamp(0, 6)), w(7, 3))
    kind("index", lambda x: x[:, eye, eye * 3] + x[:, eye[:, None], eye * 2].sum(-1) + x[:, :, eye].sum(-1))
    kind("products", lambda x, a, b: x @ a + torch.matmul(x, x.transpose(1, 2)) @ b + torch.bmm(x, x.mT @ b) + torch.baddbmm(b[0], x, x.mT @ b, beta=0.5, alpha=2), w(32, 6), w(4, 6))
    kind("matrices", lambda x, a, b: torch.mm(x.flatten(1), a) + torch.addmm(b, x.flatten(1), a, beta=0.3, alpha=0.7) + torch.addmm(b, x.flatten(1), a) + torch.outer(x[:, 0, 0], b), w(128, 5), w(5))
    kind("linear", lambda x, a, b, c: F.linear(x, a, b) + F.linear(x, a) + F.linear(x.flatten(1), c).unsqueeze(1), w(6, 32), w(6), w(6, 128))
    kind("einsum", lambda x, a: torch.einsum("bct,ct->bt", x, a) + torch.einsum("bct, dt -> bd", x, a).sum(1, keepdim=True), w(4, 32))
    kind("attention", lambda x: F.scaled_dot_product_attention(heads(x), heads(x) * 0.5, heads(x).flip(2)) + F.scaled_dot_product_attention(heads(x), heads(x), heads(x), scale=0.7)
         + F.scaled_dot_product_attention(heads(x), heads(x), heads(x), is_causal=True) + F.scaled_dot_product_attention(heads(x), heads(x), heads(x), attn_mask=mask)
         + F.scaled_dot_product_attention(heads(x), heads(x), heads(x), attn_mask=mask.float() * 2))
    kind("conv1d", lambda x, a, b, c: a(x) + b(x) + c(x), modules=[nn.Conv1d(4, 6, 5, padding=2), nn.Conv1d(4, 6, 4, padding="same", dilation=3), nn.Conv1d(4, 6, 5, padding="same", bias=False, padding_mode="reflect")])
    kind("conv1d_strides", lambda x, a, b: a(x) + b(x), modules=[nn.Conv1d(4, 8, 5, stride=3, padding=1, groups=4), nn.Conv1d(4, 8, 7, stride=3, padding=2, dilation=1)])
    kind("conv2d", lambda x, a, b: a(img(x)) + b(img(x)), modules=[nn.Conv2d(2, 4, (3, 2), padding="same", groups=2), nn.Conv2d(2, 4, 3, padding=1)])
    kind("conv2d_valid", lambda x, a: a(img(x)), modules=[nn.Conv2d(2, 4, (3, 2), padding="valid", stride=(1, 2))])
    kind("conv3d", lambda x, a: a(vol(x)), modules=[nn.Conv3d(2, 3, (2, 3, 1), padding=(1, 1, 0))])
    kind("conv_transpose", lambda x, a, b: a(x).flatten(1).sum(1, keepdim=True) + b(img(x)).flatten(1), modules=[nn.ConvTranspose1d(4, 6, 5, stride=2, padding=1, output_padding=1), nn.ConvTranspose2d(2, 4, 3, stride=(1, 2), groups=2, dilation=2)])
    kind("avg_pool", lambda x: F.avg_pool1d(x, 4, 3, 1) + F.avg_pool1d(x, 4, 3, 1, count_include_pad=False))
    kind("avg_pool_ceil", lambda x: F.avg_pool2d(img(x), 3, 2, 1, ceil_mode=True) + F.avg_pool2d(img(x), 3, 2, 1, ceil_mode=True, count_include_pad=False) + F.avg_pool2d(img(x), 3, 2, 1, ceil_mode=True, divisor_override=4))
    kind("avg_pool_divisor", lambda x: F.avg_pool2d(img(x), 3, 2, 1, divisor_override=5))
    kind("avg_pool3d", lambda x: F.avg_pool3d(vol(x), 2, 1))
    kind("max_pool", lambda x: F.max_pool1d(x, 3, 2, 1)[..., :15] + F.max_pool1d(x, 2, dilation=2, stride=2))
    kind("max_pool_ceil", lambda x: F.max_pool2d(img(x), 3, 2, ceil_mode=True) + F.max_pool2d(img(x), 2, 2, 0, ceil_mode=True))
    kind("max_pool_indices", lambda x: F.max_pool1d(x, 4, return_indices=True)[0] + F.max_pool3d(vol(x), 2).flatten(1)[:, :4].unsqueeze(-1))
    kind("adaptive", lambda x: F.adaptive_avg_pool1d(x, 8) + F.adaptive_avg_pool1d(x, 5).sum(-1, keepdim=True) + F.adaptive_avg_pool1d(x, 1) + F.adaptive_max_pool1d(x, 8))
    kind("adaptive2d", lambda x: F.adaptive_avg_pool2d(img(x), (3, 5)) + F.adaptive_avg_pool2d(img(x), 1) + F.adaptive_max_pool2d(img(x), 1))
    kind("upsample", lambda x: F.interpolate(x, scale_factor=2) + F.interpolate(x, 64, mode="linear") + F.interpolate(x, scale_factor=2, mode="linear", align_corners=True))
    kind("upsample2d", lambda x: F.interpolate(img(x), (12, 16)) + F.interpolate(img(x), (12, 16), mode="bilinear") + F.interpolate(img(x), (12, 16), mode="bicubic"))
    kind("batch_norm", lambda x, a, b: a(x) + b(x.flatten(1)).reshape(x.shape), modules=[nn.BatchNorm1d(4), nn.BatchNorm1d(128, affine=False)])
    kind("layer_norm", lambda x, a, b, c: a(x) + b(x) + c(x), modules=[nn.LayerNorm(32), nn.LayerNorm((4, 32), elementwise_affine=False, eps=1e-3), nn.LayerNorm(32, bias=False)])
    kind("rms_norm", lambda x, a, b: a(x) + b(x), modules=[nn.RMSNorm(32), nn.RMSNorm((4, 32), eps=1e-3)])
    kind("group_norm", lambda x, a, b: a(x) + b(x), modules=[nn.GroupNorm(2, 4), nn.GroupNorm(1, 4, affine=False)])
    kind("instance_norm", lambda x, a, b, c: a(x) + b(x) + c(x), modules=[nn.InstanceNorm1d(4), nn.InstanceNorm1d(4, affine=True), nn.InstanceNorm1d(4, track_running_stats=True)])
    kind("weight_norms", lambda x, a, b: a(x) + b(x), modules=[torch.nn.utils.parametrizations.weight_norm(nn.Conv1d(4, 6, 3)), torch.nn.utils.weight_norm(nn.Conv1d(4, 6, 3))])
    kind("renorm", lambda x, a: F.linear(x, torch.renorm(a, 2, 0, 0.5)), w(6, 32))
    kind("lstm", lambda x, m: m(x)[0], modules=[nn.LSTM(32, 5, batch_first=True)])
    kind("lstm_layers", lambda x, m: torch.cat([m(x.mT)[0][:, -1], *m(x.mT)[1][0], *m(x.mT)[1][1]], 1), modules=[nn.LSTM(4, 5, 2, bidirectional=True, batch_first=True, bias=False)])
    kind("gru", lambda x, m: m(x)[0] + m(x)[1].transpose(0, 1), modules=[nn.GRU(32, 5, batch_first=True)])
    kind("gru_time_first", lambda x, m: m(x.permute(2, 0, 1))[0][-1], modules=[nn.GRU(4, 5, bidirectional=True)])
    kind("rnn", lambda x, m, n: m(x)[0] + n(x)[0], modules=[nn.RNN(32, 5, batch_first=True), nn.RNN(32, 5, batch_first=True, nonlinearity="relu")])
    kind("fft", lambda x: torch.view_as_real(torch.fft.fft(x, dim=1)) + torch.view_as_real(torch.fft.ifft(torch.complex(x, x.flip(-1)), norm="ortho")))
    kind("rfft", lambda x: torch.cat([torch.fft.rfft(x).abs(), torch.fft.rfft(x, norm="forward").angle(), torch.fft.rfft(x, 30).imag, torch.fft.rfft(x, 70).real], -1))
    kind("irfft", lambda x: torch.cat([torch.fft.irfft(torch.fft.rfft(x, 40) * torch.fft.rfft(x[:, :1], 40)), torch.fft.irfft(torch.fft.rfft(x), 31), torch.fft.irfft(torch.complex(x, x.flip(1)), norm="ortho")], -1))
    kind("fft_prime", lambda x: torch.fft.rfft(x.flatten(1)[:, :127]).abs() + torch.fft.rfft(x.flatten(1), 126).abs()[:, :64])
    kind("stft", lambda x: torch.stft(x.flatten(1), 16, 4, 12, torch.hann_window(12), center=False, return_complex=True).abs() + torch.view_as_real(torch.stft(x.flatten(1), 16, 4, center=False, normalized=True, onesided=True, return_complex=True)).sum(-1))
    kind("complex", lambda x: torch.view_as_real(torch.fft.rfft(x).reshape(-1, 2, 2, 17).transpose(1, 3).conj() * 2 + torch.fft.rfft(x, dim=-1).reshape(-1, 2, 2, 17).permute(0, 3, 2, 1)[..., :1]))

    def in_place(x):
        y = torch.zeros(x.shape[0], 6, 32)
        y[:, 1:5] = x * 2
        y[:, 0] += x[:, 1]
        z = x.clone()
        z[..., 3].mul_(5)
        z.transpose(1, 2)[:, 2:7].add_(1)
        return torch.cat([y, z], 1)

    def logits_in_place(x):
        y = torch.zeros(x.shape[0], 5)
        y[:, 1:4] = x.mean(-1)[:, :3]
        y[:, 4] = 2
        return y

    def buffer_in_place(x):
        table = torch.zeros(4, 4)
        table[1, 2] = 3
        first = table * 2
        table += 1
        return (x.mT @ table + x.mT @ first).mul_(2)

    kind("in_place", in_place)
    kind("logits_in_place", logits_in_place, bare=True)
    kind("buffer_in_place", buffer_in_place)
    kind("bare", lambda x: x.flatten(1), bare=True)
    kind("more", lambda x: torch.maximum(x, x * 2) + torch.max(x, x.flip(-1)) + torch.xlogy(x.abs(), x.abs() + 1) + torch.fmax(x, x * 2) + torch.fmin(x, x * 2) + torch.heaviside(x, x * 0 + 0.5) + torch.special.erf(x) + torch.special.expit(x))
    kind("medians", lambda x: x.median(-1)[0] + x.kthvalue(3, -1)[0])
    kind("grouped_attention", lambda x: F.scaled_dot_product_attention(x.reshape(-1, 4, 4, 8), x.reshape(-1, 4, 4, 8)[:, :2], x.reshape(-1, 4, 4, 8)[:, 2:], enable_gqa=True))
    kind("cosine", lambda x: F.cosine_similarity(x, x.flip(-1), -1) + F.normalize(x, dim=-1).sum(-1))
    kind("batch_positions", lambda x: x.reshape(-1, 32)[torch.arange(x.shape[0] * 4)].reshape(x.shape))
    kind("pixels", lambda x: F.pixel_shuffle(x.reshape(-1, 8, 4, 4), 2) + F.channel_shuffle(x.reshape(-1, 8, 4, 4), 4).reshape(-1, 2, 8, 8))
    kind("lp_pool", lambda x: F.lp_pool1d(x, 2, 4) + F.local_response_norm(x, 3)[..., :8])
    kind("mha", lambda x, m: m(x, x, x)[0], modules=[nn.MultiheadAttention(32, 4, batch_first=True)])
    kind("transformer", lambda x, m: m(x), modules=[nn.TransformerEncoderLayer(32, 4, 48, batch_first=True)])
    kind("masks", lambda x: (x @ x.mT).masked_fill(torch.ones(4, 4, dtype=torch.bool).triu(1), float("-inf")).softmax(-1) + (x @ x.mT).tril() + (x @ x.mT).triu(-1))
    return k


def write(where):
    import torch

    x = torch.randn(3, 4, 32, generator=torch.Generator().manual_seed(3))
    for name, net in kinds().items():
        generator = torch.Generator().manual_seed(5)
        for m in net.modules():
            if getattr(m, "running_var", None) is not None:
                m.running_mean.uniform_(-0.2, 0.2, generator=generator)
                m.running_var.uniform_(0.5, 2, generator=generator)
        net.train()
        torch.export.save(torch.export.export(net, (x,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)), os.path.join(where, name + ".pt2"))
        net.eval()
        with torch.no_grad():
            np.savez(os.path.join(where, name + ".npz"), x=x.numpy(), logits=net(x).numpy())


def compare(where):
    import onnx, onnxruntime

    onnxruntime.set_default_logger_severity(3)
    wrong = 0
    files = sorted(glob.glob(os.path.join(where, "*.onnx")))
    for path in files:
        name = os.path.basename(path)[:-5]
        v = np.load(path[:-5] + ".npz")
        try:
            onnx.checker.check_model(onnx.load(path), full_check=True)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            for n in (3, 1):
                got, want = session.run(["logits"], {"input": v["x"][:n]})[0], v["logits"][:n]
                finite = np.isfinite(want)
                d = np.abs(np.where(finite, got, 0) - np.where(finite, want, 0)).max() / np.abs(want[finite]).max()
                if got.shape != want.shape or (np.isfinite(got) != finite).any() or not d <= TOLERANCE:
                    raise ValueError(f"of {n} clips the logits differ by {d:.1e} of the largest, at {np.unravel_index(np.abs(got - want).argmax(), got.shape)}")
        except Exception as e:
            wrong += 1
            print(f"{name}: {str(e).strip()[:600]}")
    print(f"{len(files) - wrong} of {len(files)} kinds agree")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit({"write": write, "compare": compare}[sys.argv[1]](sys.argv[2]))
