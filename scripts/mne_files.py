"""Files of EEG at random, as MNE, pyedflib, edfio and pybv write them."""
import re

import edfio
import numpy as np
import pybv
import pyedflib

import mne

NAMES = ["Fp1", "F7", "Cz", "O2", "T7", "PO3", "E17", "B12", "AFF1h", "C10", "EEG 003", "Pz"]
TEXTS = ["rest", "happy", "S 12", "geöffnet", "眼睛", "a,b"]


class Random:
    def __init__(self, seed, seconds, most_rate):
        self.rng = np.random.default_rng(seed)
        self.seconds = seconds
        self.rate = int(self.rng.integers(8, most_rate // 4)) * 4
        self.names = list(self.rng.permutation(NAMES)[:4])

    def samples(self, scale=100.0):
        """[channels, samples], in a unit of which scale are usual."""
        return self.rng.normal(size=(len(self.names), self.rate * self.seconds)) * scale / 3

    def events(self, plain=False):
        """Onset, duration and text of events, none twice. MNE's export to BrainVision writes
        commas that its reader takes for the end of a text, so that plain texts have none."""
        texts = [t for t in TEXTS if t.isascii() and "," not in t] if plain else TEXTS
        onsets = np.sort(self.rng.choice(np.arange(1, self.seconds * 8 - 2), size=4, replace=False)) / 8
        return [(float(o), float(self.rng.integers(0, 3)) / 8, str(self.rng.choice(texts))) for o in onsets]


def by_pyedflib(r, path, kind):
    x = r.samples()
    w = pyedflib.EdfWriter(str(path), len(r.names), file_type=kind)
    wide = kind in (pyedflib.FILETYPE_BDF, pyedflib.FILETYPE_BDFPLUS)
    digital = 8388607 if wide else 32767
    headers = []
    for name in r.names:
        unit = str(r.rng.choice(["uV", "mV", "V", "nV"]))
        most = {"uV": float(r.rng.integers(400, 9000)), "mV": 4.5, "V": 0.25, "nV": 999999.0}[unit]
        headers.append(dict(label=name, dimension=unit, sample_frequency=r.rate, physical_max=most, physical_min=-most / 2,
                            digital_max=digital, digital_min=-digital - 1, transducer="", prefilter=""))
    w.setSignalHeaders(headers)
    w.writeSamples([np.clip(row / 300 * h["physical_max"], h["physical_min"], h["physical_max"]) for row, h in zip(x, headers)])
    if kind in (pyedflib.FILETYPE_EDFPLUS, pyedflib.FILETYPE_BDFPLUS):
        for onset, duration, text in r.events():
            w.writeAnnotation(onset, duration if duration else -1, text)
    w.close()


def by_edfio(r, path, signal, file):
    rows = r.samples()
    signals = []
    for name, row in zip(r.names, rows):
        unit = str(r.rng.choice(["uV", "mV", "V"]))
        row = row * {"uV": 1, "mV": 1e-3, "V": 1e-6}[unit]
        signals.append(signal(row, r.rate, label=name, physical_dimension=unit))
    notes = [edfio.EdfAnnotation(o, d or None, t) for o, d, t in r.events()]
    file(signals, annotations=notes, data_record_duration=0.25).write(path)


def gaps(path, records):
    """Makes EDF+D of an EDF+C file of edfio's: a pause of 3 s after some records."""
    b = bytearray(path.read_bytes())
    b[192:197] = b"EDF+D"
    size = (len(b) - int(b[184:192])) // int(b[236:244])
    at = int(b[184:192])
    for k in range(int(b[236:244])):
        record = bytes(b[at + k * size:at + (k + 1) * size])
        m = re.search(rb"\+(\d+(?:\.\d+)?)\x14\x14\x00", record)
        late = b"+%g\x14\x14\x00" % (float(m.group(1)) + (3 if k >= records else 0))
        rest = record[m.end():]
        need = len(late) - (m.end() - m.start())
        if need > 0:
            assert rest.endswith(b"\x00" * need), "no room for a later time"
            rest = rest[:-need]
        else:
            rest += b"\x00" * -need
        b[at + k * size:at + (k + 1) * size] = record[:m.start()] + late + rest
    path.write_bytes(b)


def by_mne(r, path, fmt):
    raw = mne.io.RawArray(r.samples() * 1e-6, mne.create_info(r.names, r.rate, "eeg"))
    onsets, durations, texts = zip(*r.events(plain=fmt == "brainvision"))
    raw.set_annotations(mne.Annotations(onsets, durations, texts))
    mne.export.export_raw(path, raw, fmt=fmt)


def by_pybv(r, path, fmt, unit):
    scale = {"V": 1.0, "mV": 1e-3, "µV": 1e-6, "nV": 1e-9}[unit]
    resolution = float(r.rng.choice([0.1, 0.5, 0.0488281]))
    usual = 100 * resolution * scale
    events = [dict(onset=int(o * r.rate), duration=max(1, int(d * r.rate)), description=i + 1, type="Stimulus") for i, (o, d, _) in enumerate(r.events())]
    pybv.write_brainvision(data=r.samples(usual), sfreq=r.rate, ch_names=r.names, fname_base=path.stem, folder_out=str(path.parent),
                           events=events, resolution=resolution, unit=unit, fmt=fmt)


def vectorize(path):
    """Rewrites a BrainVision recording with its channels one after another."""
    text = path.read_text(encoding="utf-8").replace("DataOrientation=MULTIPLEXED", "DataOrientation=VECTORIZED")
    width = 2 if "INT_16" in text else 4
    n = int(re.search(r"NumberOfChannels=(\d+)", text).group(1))
    data = path.with_suffix(".eeg")
    x = np.frombuffer(data.read_bytes(), dtype=f"V{width}").reshape(-1, n)
    data.write_bytes(np.ascontiguousarray(x.T).tobytes())
    path.write_text(text.replace("NumberOfChannels", f"DataPoints={len(x)}\nNumberOfChannels"), encoding="utf-8")


def write(directory, seed, seconds, most_rate):
    """Writes a file of each kind and returns their paths; a name begins with its writer's."""
    paths = []
    seeds = iter(range(100))

    def new(name):
        paths.append(directory / name)
        return Random([seed, next(seeds)], seconds, most_rate), paths[-1]

    by_pyedflib(*new("pyedflib-plain.edf"), pyedflib.FILETYPE_EDF)
    by_pyedflib(*new("pyedflib-plus.edf"), pyedflib.FILETYPE_EDFPLUS)
    by_pyedflib(*new("pyedflib-plain.bdf"), pyedflib.FILETYPE_BDF)
    by_pyedflib(*new("pyedflib-plus.bdf"), pyedflib.FILETYPE_BDFPLUS)
    by_edfio(*new("edfio-plus.edf"), edfio.EdfSignal, edfio.Edf)
    by_edfio(*new("edfio-plus.bdf"), edfio.BdfSignal, edfio.Bdf)
    by_edfio(*new("edfio-gaps.edf"), edfio.EdfSignal, edfio.Edf)
    gaps(paths[-1], records=2)
    by_mne(*new("mne.edf"), "edf")
    by_mne(*new("mne.vhdr"), "brainvision")
    by_mne(*new("mne.set"), "eeglab")
    for fmt in ("binary_float32", "binary_int16"):
        for unit in ("µV", "nV", "mV", "V"):
            by_pybv(*new(f"pybv-{fmt[7:]}-{unit.replace('µ', 'u')}.vhdr"), fmt, unit)
            if unit in ("µV", "V"):
                r, path = new(f"pybv-{fmt[7:]}-{unit.replace('µ', 'u')}-vectorized.vhdr")
                by_pybv(r, path, fmt, unit)
                vectorize(path)
    return paths
