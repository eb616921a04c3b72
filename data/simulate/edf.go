package simulate

import (
	"fmt"
	"io"

	"github.com/eegprune/eegprune/data/edf"
	"github.com/eegprune/eegprune/data/source"
)

// digitalStep is the resolution of the files in microvolts.
const digitalStep = 0.05

func edfFormat() fileFormat {
	name := numbered("s%02d", 1)
	return fileFormat{name: "edf", gap: 2, subject: name, subjects: 999,
		files: func(c Config, s int, made *session) []file {
			return []file{{name(s) + ".edf", func(w io.Writer) error { return writeEDF(w, c, s, made) }}}
		},
		own: func(c Config) *source.Manifest {
			m := &source.Manifest{Format: "edf", Files: `(^|/)(?<subject>s\d+)\.edf$`}
			m.Label.Annotations = true
			for _, name := range c.Classes {
				m.Label.Classes = append(m.Label.Classes, source.ClassRule{Label: name, Class: name})
			}
			return m
		}}
}

func edfHeader(c Config, made *session) *edf.Header {
	h := &edf.Header{StartDate: "01.01.00", StartTime: "00.00.00", RecordSeconds: 1, Plus: true}
	h.Records = len(made.signals[0]) / int(c.Rate)
	for _, e := range c.Electrodes {
		h.Signals = append(h.Signals, edf.Signal{Label: "EEG " + e, Transducer: "simulated", Dimension: "uV",
			PhysicalMin: -32768 * digitalStep, PhysicalMax: 32767 * digitalStep, DigitalMin: -32768, DigitalMax: 32767, SamplesPerRecord: int(c.Rate)})
	}
	return h
}

func writeEDF(w io.Writer, c Config, s int, made *session) error {
	h := edfHeader(c, made)
	h.Patient, h.Recording = fmt.Sprintf("s%02d X X X", s+1), "Startdate 01-JAN-2000 X X eegprune_simulation"
	var notes []edf.Annotation
	for _, t := range made.trials {
		notes = append(notes, edf.Annotation{Onset: float64(t.start) / c.Rate, Duration: float64(t.length) / c.Rate, Text: c.Classes[t.class]})
	}
	return edf.Write(w, h, made.signals, notes)
}
