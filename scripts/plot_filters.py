#!/usr/bin/env python3
"""What the form of a band filter does to the differential entropy of EEG clips.

    python scripts/plot_filters.py --program bin/eegprune

Compares torcheeg's BandDifferentialEntropy and eegprune's, in both of its forms, with
the same filters computed to 50 digits, on clips of 1 s of noise with EEG's 1/f spectrum.
What another processor or library may make of torcheeg's form is shown by changing the
last digit of its coefficients at random. Writes the plot docs/filters.svg and the table in docs/filters.md.
Needs torcheeg, mpmath and matplotlib.
"""
import argparse
import json
import os
import pathlib
import platform
import subprocess
import tempfile
import warnings

import mpmath
import numpy as np

ORDER = 5
BANDS = {"delta": (1, 4), "theta": (4, 8), "alpha": (8, 14), "beta": (14, 31), "gamma": (31, 49)}
RATES = (128, 200, 250, 500, 1000)
NUDGED = "torcheeg, other last digits"
FORMS = ("torcheeg", NUDGED, "eegprune --filter ba", "eegprune")
NUDGES = 100


def noise(rng, channels, samples, rate):
    """Noise of 10 microvolts whose power falls with the frequency."""
    f = np.fft.rfftfreq(samples, 1 / rate)
    spectrum = (rng.normal(size=(channels, f.size)) + 1j * rng.normal(size=(channels, f.size))) / np.sqrt(np.maximum(f, 0.5))
    x = np.fft.irfft(spectrum, samples)
    return np.round(10 * x / x.std(), 6)


def exact_sections(low, high, rate):
    """The Butterworth band-pass as sections of second order, and its gain, in mpmath."""
    w1, w2 = (2 * mpmath.tan(mpmath.pi * mpmath.mpf(f) / rate) for f in (low, high))
    poles = []
    for i in range(ORDER):
        p = mpmath.expjpi(mpmath.mpf(2 * i + ORDER + 1) / (2 * ORDER)) * (w2 - w1) / 2
        root = mpmath.sqrt(p * p - w1 * w2)
        poles += [p + root, p - root]
    z = [(2 + p) / (2 - p) for p in poles]
    gain = mpmath.re((w2 - w1) ** ORDER * mpmath.mpf(2) ** ORDER / mpmath.fprod(2 - p for p in poles))
    return [(-2 * mpmath.re(p), abs(p) ** 2) for p in z if p.imag > 0], gain


def exact_entropy(x, sections, gain):
    y = [mpmath.mpf(float(v)) * gain for v in x]
    for a1, a2 in sections:
        s1 = s2 = mpmath.mpf(0)
        for i, v in enumerate(y):  # numerator 1 - z^-2
            w = v + s1
            s1, s2 = s2 - a1 * w, -v - a2 * w
            y[i] = w
    mean = mpmath.fsum(y) / len(y)
    variance = mpmath.fsum((v - mean) ** 2 for v in y) / len(y)
    return float(mpmath.log(2 * mpmath.pi * mpmath.e * variance, 2) / 2)


def with_torcheeg(x, rate):
    from torcheeg.transforms import BandDifferentialEntropy
    with np.errstate(all="ignore"):
        return BandDifferentialEntropy(sampling_rate=rate, order=ORDER, band_dict={k: list(v) for k, v in BANDS.items()})(eeg=x)["eeg"]


def nudged(rng, x, low, high, rate):
    """What torcheeg would give if the last digit of its coefficients came out otherwise."""
    from scipy.signal import butter, lfilter
    b, a = butter(ORDER, [low, high], btype="band", fs=rate)
    for _ in range(NUDGES):
        other = np.nextafter(a, rng.choice([-np.inf, np.inf], a.size))
        other = np.where(rng.random(a.size) < 1 / 3, a, other)
        other[0] = 1
        with np.errstate(all="ignore"):
            yield np.log2(2 * np.pi * np.e * lfilter(b, other, x).var(1)) / 2


def with_eegprune(program, x, rate, montage, form):
    """Both halves of x as recordings of two classes, one clip each."""
    half = len(montage["electrodes"])
    with tempfile.TemporaryDirectory() as d:
        for i, name in enumerate(("s1_a", "s2_b")):
            np.save(os.path.join(d, name + ".npy"), x[i * half:(i + 1) * half])
        pathlib.Path(d, "eegprune.yaml").write_text(
            "format: npy\nfiles: 's(?<subject>\\d)_(?<c>.)\\.npy$'\nlabel: {group: c, classes: {a: a, b: b}}\n"
            f"signal: {{rate: {rate}, electrodes: [{montage['name']}]}}\n")
        bands = ",".join(f"{k}={low}-{high}" for k, (low, high) in BANDS.items())
        subprocess.run([program, "data", "features", d, "--quiet", "--cache", os.path.join(d, "cache"), "--clip", "1", "--bands", bands,
                        "--filter", form, "--out", os.path.join(d, "f.npz")], check=True, stdout=subprocess.DEVNULL)
        grid = np.load(os.path.join(d, "f.npz"))["x"]
    return np.concatenate([np.stack([clip[:, r, c] for r, c in (montage["grid"][e] for e in montage["electrodes"])]) for clip in grid])


def measure(program):
    """The largest error in bits over the clips, and over the nudges: errors[form][rate, band]."""
    montage = json.loads(subprocess.run([program, "data", "montage", "10-20", "--json"], check=True, capture_output=True, text=True).stdout)
    clips = 2 * len(montage["electrodes"])
    errors = {form: np.zeros((len(RATES), len(BANDS))) for form in FORMS}
    rng = np.random.default_rng(1)
    for r, rate in enumerate(RATES):
        x = noise(rng, clips, rate, rate)
        got = {"torcheeg": with_torcheeg(x, rate), "eegprune": with_eegprune(program, x, rate, montage, "sos"),
               "eegprune --filter ba": with_eegprune(program, x, rate, montage, "ba")}
        for b, (low, high) in enumerate(BANDS.values()):
            sections, gain = exact_sections(low, high, rate)
            exact = np.array([exact_entropy(row, sections, gain) for row in x])
            for form in FORMS:
                if form in got:
                    errors[form][r, b] = np.max(np.abs(got[form][:, b] - exact))
            errors[NUDGED][r, b] = max(np.max(np.abs(e - exact)) for e in nudged(rng, x, low, high, rate))
        print(f"{rate} Hz done", flush=True)
    return errors, clips


def bits(v):
    return "no number" if not np.isfinite(v) else f"{v:.1e}" if v < 0.01 else f"{v:.2f}" if v < 100 else f"{v:.0f}"


def finite(e):
    return np.where(np.isfinite(e), np.clip(e, 1e-12, None), np.nan)


def plot(errors, path):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "filters", "svg.fonttype": "none"})
    import matplotlib.pyplot as plt
    fig, axes = plt.subplots(1, 2, figsize=(9, 3.8), sharey=True)
    for ax, form, title in zip(axes, ("torcheeg", "eegprune"), ("torcheeg: transfer function", "eegprune: second-order sections")):
        for b, (name, (low, high)) in enumerate(BANDS.items()):
            line, = ax.semilogy(RATES, finite(errors[form][:, b]), "o-", label=f"{name} {low}-{high} Hz")
            if form == "torcheeg":
                ax.semilogy(RATES, finite(errors[NUDGED][:, b]), ":", color=line.get_color())
        ax.set(title=title, xlabel="samples per second", xscale="log", xticks=RATES, xticklabels=RATES)
        ax.minorticks_off()
        ax.grid(alpha=0.3)
    axes[0].set_ylabel("largest error, bits")
    axes[1].legend(fontsize=8)
    fig.tight_layout()
    fig.savefig(path, metadata={"Date": None})


def machine():
    import scipy
    import torcheeg
    name = platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        name = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), name)
    return f"{name}; torcheeg {torcheeg.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}"


def table(errors, clips):
    lines = [f"Measured on {machine()}: the largest error in bits over {clips} clips of 1 s, and over {NUDGES} choices of last digits.", "",
             "| filters | samples/s | " + " | ".join(f"{k} {low}-{high} Hz" for k, (low, high) in BANDS.items()) + " |",
             "|---|---:|" + "---:|" * len(BANDS)]
    for form in FORMS:
        for r, rate in enumerate(RATES):
            lines.append(f"| {form} | {rate} | " + " | ".join(bits(v) for v in errors[form][r]) + " |")
    return "\n".join(lines)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--program", default="bin/eegprune")
    p.add_argument("--docs", default="docs", help="directory of filters.md")
    a = p.parse_args()
    warnings.simplefilter("ignore")
    mpmath.mp.dps = 50
    errors, clips = measure(a.program)
    docs = pathlib.Path(a.docs)
    plot(errors, docs / "filters.svg")
    page = (docs / "filters.md").read_text()
    begin, end = "<!-- measured -->\n", "\n<!-- end -->"
    before, rest = page.split(begin)
    (docs / "filters.md").write_text(before + begin + table(errors, clips) + end + rest.split(end)[1])
    print(table(errors, clips))


if __name__ == "__main__":
    main()
