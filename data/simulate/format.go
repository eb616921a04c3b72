package simulate

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"eegprune/data/edf"
	"eegprune/data/mat"
	"eegprune/data/montage"
	"eegprune/data/pickle"
	"eegprune/data/source"
	"eegprune/internal/atomicfile"
)

// A fileFormat writes one subject's recording.
type fileFormat struct {
	name string
	// subject is what the reader will call subject number s, counted from 0, and
	// file the name of the file.
	subject func(s int) string
	file    func(s int) string
	write   func(w io.Writer, c Config, s int, made *session) error
	// beside writes what belongs to all subjects; nil for nothing.
	beside map[string]func(w io.Writer, c Config, trials []trial) error
	// montage, rate and classes are what the format allows; zero for any.
	montage string
	rate    float64
	classes int
	gap     float64 // seconds of rest before each trial
	// sameOrder says that all subjects have the trials in one order.
	sameOrder bool
}

// formats lists the formats that recordings are written in.
func formats() []fileFormat {
	return []fileFormat{
		{name: "edf", gap: 2, subject: func(s int) string { return fmt.Sprintf("s%02d", s+1) },
			file: func(s int) string { return fmt.Sprintf("s%02d.edf", s+1) }, write: writeEDF},
		{name: "deap", gap: 3, subject: func(s int) string { return fmt.Sprintf("%02d", s+1) },
			file: func(s int) string { return fmt.Sprintf("s%02d.dat", s+1) }, write: writeDEAP, montage: "deap", rate: 128, classes: 2},
		{name: "seed", gap: 2, subject: func(s int) string { return fmt.Sprint(s + 1) },
			file: func(s int) string { return fmt.Sprintf("%d_20000101.mat", s+1) }, write: writeSEED, montage: "seed", rate: 200, classes: 3, sameOrder: true,
			beside: map[string]func(w io.Writer, c Config, trials []trial) error{"label.mat": writeSEEDLabels}},
	}
}

func formatNamed(name string) (fileFormat, error) {
	var names []string
	for _, f := range formats() {
		if f.name == name || (name == "" && f.name == "edf") {
			return f, nil
		}
		names = append(names, f.name)
	}
	return fileFormat{}, fmt.Errorf("no format %q to simulate: there are %s", name, strings.Join(names, ", "))
}

// DefaultFor is [Default] in another format: "edf", "deap" or "seed", with that
// data set's electrodes, rate and number of classes.
func DefaultFor(format string) (Config, error) {
	f, err := formatNamed(format)
	if err != nil {
		return Config{}, err
	}
	c := Default()
	c.Format = f.name
	if f.rate > 0 {
		c.Rate = f.rate
	}
	if f.classes == 3 {
		c.Classes = []string{"negative", "neutral", "positive"}
	}
	if f.montage != "" {
		m, err := montage.Find(f.montage)
		if err != nil {
			return Config{}, err
		}
		c.Electrodes = m.Electrodes
	}
	return c, nil
}

// check finds what the format can't hold.
func (f fileFormat) check(c Config) error {
	switch {
	case f.classes > 0 && len(c.Classes) != f.classes:
		return fmt.Errorf("%d classes: format %s has %d", len(c.Classes), f.name, f.classes)
	case f.rate > 0 && c.Rate != f.rate:
		return fmt.Errorf("%g samples a second: format %s has %g", c.Rate, f.name, f.rate)
	case f.name == "deap" && c.Subjects > 99:
		return fmt.Errorf("%d subjects: format %s has names for 99", c.Subjects, f.name)
	}
	if f.montage == "" {
		return nil
	}
	m, err := montage.Find(f.montage)
	if err != nil {
		return err
	}
	if !slices.Equal(c.Electrodes, m.Electrodes) {
		return fmt.Errorf("%d electrodes: format %s has the %d of its montage in their order", len(c.Electrodes), f.name, len(m.Electrodes))
	}
	return nil
}

// writeBeside writes the files that belong to all subjects.
func (f fileFormat) writeBeside(dir string, c Config, trials []trial) error {
	for name, write := range f.beside {
		if err := atomicfile.Write(filepath.Join(dir, name), func(w io.Writer) error { return write(w, c, trials) }); err != nil {
			return err
		}
	}
	return nil
}

// manifest is what tells the reader what the format doesn't.
func (f fileFormat) manifest(c Config) (*source.Manifest, error) {
	if f.name != "edf" {
		list, err := source.Builtin()
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			if m.Format == f.name {
				return m, nil
			}
		}
		return nil, fmt.Errorf("no built-in manifest for format %s", f.name)
	}
	m := &source.Manifest{Format: "edf", Files: `(^|/)(?<subject>s\d+)\.edf$`}
	m.Label.Annotations = true
	for _, name := range c.Classes {
		m.Label.Classes = append(m.Label.Classes, source.ClassRule{Label: name, Class: name})
	}
	return m, nil
}

// digitalStep is the resolution of the files in microvolts.
const digitalStep = 0.05

func writeEDF(w io.Writer, c Config, s int, made *session) error {
	h := &edf.Header{Patient: fmt.Sprintf("s%02d X X X", s+1), Recording: "Startdate 01-JAN-2000 X X eegprune_simulation",
		StartDate: "01.01.00", StartTime: "00.00.00", RecordSeconds: 1, Plus: true}
	h.Records = len(made.signals[0]) / int(c.Rate)
	for _, e := range c.Electrodes {
		h.Signals = append(h.Signals, edf.Signal{Label: "EEG " + e, Transducer: "simulated", Dimension: "uV",
			PhysicalMin: -32768 * digitalStep, PhysicalMax: 32767 * digitalStep, DigitalMin: -32768, DigitalMax: 32767, SamplesPerRecord: int(c.Rate)})
	}
	var notes []edf.Annotation
	for _, t := range made.trials {
		notes = append(notes, edf.Annotation{Onset: float64(t.start) / c.Rate, Duration: float64(t.length) / c.Rate, Text: c.Classes[t.class]})
	}
	return edf.Write(w, h, made.signals, notes)
}

// deapChannels is the number of rows in DEAP's files: 32 of EEG, and eight of
// other recordings, which are zero here.
const deapChannels = 40

// writeDEAP puts each trial after the rest before it as its baseline. The class
// is that of the valence, below 5 or not; the other ratings say nothing.
func writeDEAP(w io.Writer, c Config, s int, made *session) error {
	before := int(3 * c.Rate)
	length := before + made.trials[0].length
	rng := rand.New(rand.NewPCG(c.Seed, 1<<32+uint64(s)))
	rate := func(low, high float64) float64 { return math.Round((low+(high-low)*rng.Float64())*100) / 100 }
	return pickle.WriteDict(w, []pickle.Named{
		{Name: "labels", Shape: []int{len(made.trials), 4}, Lines: func(yield func([]float64) bool) {
			for _, t := range made.trials {
				valence := rate(1, 4.99)
				if t.class == 1 {
					valence = rate(5, 9)
				}
				if !yield([]float64{valence, rate(1, 9), rate(1, 9), rate(1, 9)}) {
					return
				}
			}
		}},
		{Name: "data", Shape: []int{len(made.trials), deapChannels, length}, Lines: func(yield func([]float64) bool) {
			zero := make([]float64, length)
			for _, t := range made.trials {
				for row := range deapChannels {
					line := zero
					if row < len(made.signals) {
						line = made.signals[row][t.start-before : t.start+t.length]
					}
					if !yield(line) {
						return
					}
				}
			}
		}},
	})
}

func writeSEED(w io.Writer, c Config, _ int, made *session) error {
	if err := mat.WriteHeader(w); err != nil {
		return err
	}
	for i, t := range made.trials {
		rows := make([][]float64, len(made.signals))
		for r, x := range made.signals {
			rows[r] = make([]float64, t.length)
			for k, v := range x[t.start : t.start+t.length] {
				rows[r][k] = math.Round(v/digitalStep) * digitalStep // else it wouldn't compress
			}
		}
		if err := mat.WriteMatrix(w, fmt.Sprintf("sim_eeg%d", i+1), rows); err != nil {
			return err
		}
	}
	return nil
}

// writeSEEDLabels writes -1, 0 and 1 for the three classes.
func writeSEEDLabels(w io.Writer, _ Config, trials []trial) error {
	if err := mat.WriteHeader(w); err != nil {
		return err
	}
	labels := make([]float64, len(trials))
	for i, t := range trials {
		labels[i] = float64(t.class - 1)
	}
	return mat.WriteMatrix(w, "label", [][]float64{labels})
}
