// Package edf reads and writes EDF, EDF+ and BDF files: the European Data Format of Kemp
// et al. (Electroencephalogr Clin Neurophysiol 1992, 82:391), its extension by
// annotations and interrupted recordings (Kemp & Olivan, Clin Neurophysiol 2003,
// 114:1755), and BioSemi's 24-bit variant of it.
//
// The package knows the file format only: its caller decides which signal is an electrode
// and how to read an annotation.
package edf

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// The fixed part of a header, and the part that each signal adds, in bytes.
const (
	fixedHeader  = 256
	signalHeader = 256
)

// annotationLabels name the signals whose bytes are text instead of samples.
const (
	edfAnnotations = "EDF Annotations"
	bdfAnnotations = "BDF Annotations"
)

// A Header is the header of a file.
type Header struct {
	Patient       string  // local patient identification
	Recording     string  // local recording identification
	StartDate     string  // dd.mm.yy
	StartTime     string  // hh.mm.ss
	Records       int     // number of data records
	RecordSeconds float64 // duration of one data record
	Signals       []Signal

	BDF           bool // 24-bit samples
	Plus          bool // EDF+ or BDF+, or a file with a signal of annotations
	Discontinuous bool // EDF+D or BDF+D: records need not follow one another without a gap
}

// A Signal is the description of one signal of a file. Its texts are the bytes of the
// file, which need not be UTF-8.
type Signal struct {
	Label            string
	Transducer       string
	Dimension        string // unit of the physical values, such as "uV"
	PhysicalMin      float64
	PhysicalMax      float64
	DigitalMin       int
	DigitalMax       int
	Prefilter        string
	SamplesPerRecord int

	// Unfit is why the samples have no physical value, such as a range without extent;
	// empty where they have.
	Unfit string
}

// IsAnnotation reports whether the signal holds annotations instead of samples.
func (s Signal) IsAnnotation() bool {
	return strings.EqualFold(s.Label, edfAnnotations) || strings.EqualFold(s.Label, bdfAnnotations)
}

// scale returns gain and offset: physical = gain*digital + offset.
func (s Signal) scale() (gain, offset float64) {
	gain = (s.PhysicalMax - s.PhysicalMin) / float64(s.DigitalMax-s.DigitalMin)
	return gain, s.PhysicalMin - gain*float64(s.DigitalMin)
}

// Rate returns the samples per second of signal i.
func (h *Header) Rate(i int) float64 {
	return float64(h.Signals[i].SamplesPerRecord) / h.RecordSeconds
}

func (h *Header) sampleBytes() int {
	if h.BDF {
		return 3
	}
	return 2
}

// recordBytes returns the size of one data record.
func (h *Header) recordBytes() int64 {
	var n int64
	for _, s := range h.Signals {
		n += int64(s.SamplesPerRecord)
	}
	return n * int64(h.sampleBytes())
}

// headerBytes returns the size of the whole header.
func (h *Header) headerBytes() int64 {
	return fixedHeader + signalHeader*int64(len(h.Signals))
}

// fields takes fixed-width text fields off the front of a header.
type fields struct {
	b    []byte
	name string // of the field last taken, for error messages
	err  error
}

func (f *fields) text(name string, width int) string {
	f.name = name
	t := f.b[:width]
	f.b = f.b[width:]
	// Some writers pad with NUL instead of the space that the format wants.
	return strings.TrimSpace(string(bytes.TrimRight(t, "\x00 ")))
}

func (f *fields) integer(name string, width int) int {
	t := f.text(name, width)
	v, err := strconv.Atoi(strings.TrimPrefix(t, "+"))
	if err != nil {
		// "256.0" is not an integer by the letter of the format, yet is written.
		if x, err2 := strconv.ParseFloat(t, 64); err2 == nil && x == math.Trunc(x) && math.Abs(x) < 1e8 {
			return int(x)
		}
		f.fail("%q where a whole number belongs", t)
	}
	return v
}

// unknownRecords is the number of records of a file that is still being written.
const unknownRecords = -1

// count is an integer that a recorder may not have written yet.
func (f *fields) count(name string, width int) int {
	if len(bytes.Trim(f.b[:width], "\x00 ")) == 0 {
		f.b = f.b[width:]
		return unknownRecords
	}
	return f.integer(name, width)
}

func (f *fields) number(name string, width int) float64 {
	t := f.text(name, width)
	v, err := strconv.ParseFloat(strings.Replace(t, ",", ".", 1), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		f.fail("%q where a number belongs", t)
		return 0
	}
	return v
}

func (f *fields) fail(format string, args ...any) {
	if f.err == nil {
		f.err = fmt.Errorf("header field %q holds %s: the file is damaged or not EDF/BDF", f.name, fmt.Sprintf(format, args...))
	}
}

// parseFixed reads the first 256 bytes of a file. It returns the header without
// its signals, their number, and the header size that the file claims.
func parseFixed(b []byte) (h *Header, signals, claimed int, err error) {
	h = &Header{}
	switch {
	case b[0] == 0xFF && string(b[1:8]) == "BIOSEMI":
		h.BDF = true
	case strings.TrimSpace(string(b[:8])) == "0":
	default:
		return nil, 0, 0, fmt.Errorf("it begins with %q where EDF has \"0\" and BDF has \"\\xffBIOSEMI\": it is neither EDF nor BDF", b[:8])
	}
	f := &fields{b: b[8:]}
	h.Patient = f.text("patient", 80)
	h.Recording = f.text("recording", 80)
	h.StartDate = f.text("start date", 8)
	h.StartTime = f.text("start time", 8)
	claimed = f.integer("header bytes", 8)
	reserved := f.text("reserved", 44)
	kind := strings.ToUpper(reserved)
	h.Plus = strings.HasPrefix(kind, "EDF+") || strings.HasPrefix(kind, "BDF+")
	h.Discontinuous = h.Plus && strings.HasPrefix(kind[4:], "D")
	h.Records = f.count("number of data records", 8)
	h.RecordSeconds = f.number("duration of a data record", 8)
	signals = f.integer("number of signals", 4)
	return h, signals, claimed, f.err
}

// parseSignals reads the header's second part, whose fields are stored signal
// by signal within each field.
func (h *Header) parseSignals(b []byte, n int) error {
	f := &fields{b: b}
	h.Signals = make([]Signal, n)
	each := func(set func(s *Signal)) {
		for i := range h.Signals {
			set(&h.Signals[i])
		}
	}
	each(func(s *Signal) { s.Label = f.text("label", 16) })
	each(func(s *Signal) { s.Transducer = f.text("transducer", 80) })
	each(func(s *Signal) { s.Dimension = f.text("physical dimension", 8) })
	// A range that can't be read is no matter unless its signal is wanted.
	ranged := func(name string, set func(s *Signal, of *fields)) {
		each(func(s *Signal) {
			of := &fields{b: f.b}
			set(s, of)
			f.b = of.b
			if of.err != nil && s.Unfit == "" {
				s.Unfit = fmt.Sprintf("its %s is no number", name)
			}
		})
	}
	ranged("physical minimum", func(s *Signal, of *fields) { s.PhysicalMin = of.number("physical minimum", 8) })
	ranged("physical maximum", func(s *Signal, of *fields) { s.PhysicalMax = of.number("physical maximum", 8) })
	ranged("digital minimum", func(s *Signal, of *fields) { s.DigitalMin = of.integer("digital minimum", 8) })
	ranged("digital maximum", func(s *Signal, of *fields) { s.DigitalMax = of.integer("digital maximum", 8) })
	each(func(s *Signal) { s.Prefilter = f.text("prefiltering", 80) })
	each(func(s *Signal) { s.SamplesPerRecord = f.integer("samples per record of "+s.Label, 8) })
	return f.err
}

// check finds numbers that are well-formed but can't be true.
func (h *Header) check() error {
	if h.RecordSeconds < 0 || (h.RecordSeconds == 0 && h.hasSamples()) {
		return fmt.Errorf("its header gives a data record %g s: the file is damaged", h.RecordSeconds)
	}
	if h.Records < unknownRecords {
		return fmt.Errorf("its header gives %d data records: the file is damaged", h.Records)
	}
	for _, s := range h.Signals {
		if s.SamplesPerRecord < 0 {
			return fmt.Errorf("its header gives signal %q %d samples a record: the file is damaged", s.Label, s.SamplesPerRecord)
		}
	}
	return nil
}

// checkRanges marks the signals whose samples have no physical value.
func (h *Header) checkRanges() {
	for i, s := range h.Signals {
		switch {
		case s.IsAnnotation() || s.Unfit != "":
		case s.DigitalMin == s.DigitalMax:
			h.Signals[i].Unfit = fmt.Sprintf("its digital minimum and maximum are both %d", s.DigitalMin)
		case s.PhysicalMin == s.PhysicalMax:
			h.Signals[i].Unfit = fmt.Sprintf("its physical minimum and maximum are both %g", s.PhysicalMin)
		}
	}
}

func (h *Header) hasAnnotations() bool { return slices.ContainsFunc(h.Signals, Signal.IsAnnotation) }

func (h *Header) hasSamples() bool {
	for _, s := range h.Signals {
		if !s.IsAnnotation() {
			return true
		}
	}
	return false
}
