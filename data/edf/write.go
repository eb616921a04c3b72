package edf

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// Write writes an EDF file of 16-bit samples, EDF+ if the header is Plus, or a BDF file of 24-bit
// samples if it is BDF.
//
// signals[i] holds the physical values of the i-th signal of h that isn't an
// annotation signal; all must fill h.Records records. Values beyond a signal's
// physical range are held at its ends. Annotations are written into the
// record in which they begin, and an annotation signal is added to the file if
// h.Plus. h itself isn't changed.
func Write(w io.Writer, h *Header, signals [][]float64, annotations []Annotation) error {
	if h.Discontinuous {
		return fmt.Errorf("edf: only continuous files are written")
	}
	if len(signals) != len(h.Signals) {
		return fmt.Errorf("edf: %d signals of samples for %d signals in the header", len(signals), len(h.Signals))
	}
	for i, s := range h.Signals {
		if s.IsAnnotation() {
			return fmt.Errorf("edf: the annotation signal is added by Write itself")
		}
		if want := h.Records * s.SamplesPerRecord; len(signals[i]) != want {
			return fmt.Errorf("edf: signal %q has %d samples and its records hold %d", s.Label, len(signals[i]), want)
		}
		if gain, _ := s.scale(); gain == 0 || math.IsInf(gain, 0) || math.IsNaN(gain) {
			return fmt.Errorf("edf: signal %q has an empty physical or digital range", s.Label)
		}
	}
	out := *h
	var tals [][]byte
	if h.Plus {
		var err error
		if tals, err = layTALs(h, annotations); err != nil {
			return err
		}
		out.Signals = append(append([]Signal{}, h.Signals...), h.annotationSignal(tals))
	} else if len(annotations) > 0 {
		return fmt.Errorf("edf: annotations need EDF+ (Header.Plus)")
	}
	b := bufio.NewWriterSize(w, blockBytes)
	if err := writeHeader(b, &out); err != nil {
		return err
	}
	for r := range h.Records {
		for i, s := range h.Signals {
			writeSamples(b, h.sampleBytes(), s, signals[i][r*s.SamplesPerRecord:(r+1)*s.SamplesPerRecord])
		}
		if tals != nil {
			// bufio keeps the first error for Flush to return.
			_, _ = b.Write(tals[r])
		}
	}
	return b.Flush()
}

func writeSamples(b *bufio.Writer, width int, s Signal, x []float64) {
	gain, offset := s.scale()
	low, high := float64(s.DigitalMin), float64(s.DigitalMax)
	var four [4]byte
	for _, v := range x {
		d := math.RoundToEven((v - offset) / gain)
		if !(d > low) { // NaN too
			d = low
		}
		binary.LittleEndian.PutUint32(four[:], uint32(int32(min(d, high))))
		_, _ = b.Write(four[:width])
	}
}

// layTALs returns the bytes of the annotation signal of every record, all of
// one length in whole samples.
func layTALs(h *Header, annotations []Annotation) ([][]byte, error) {
	tals := make([][]byte, h.Records)
	for r := range tals {
		tals[r] = append([]byte("+"+decimal(float64(r)*h.RecordSeconds)), talText, talText, talEnd)
	}
	for _, a := range annotations {
		if strings.ContainsAny(a.Text, "\x00\x14\x15") || a.Text == "" {
			return nil, fmt.Errorf("edf: annotation text %q is empty or has control bytes", a.Text)
		}
		r := int(a.Onset / h.RecordSeconds)
		if a.Onset < 0 || r >= h.Records {
			return nil, fmt.Errorf("edf: annotation %q at %g s lies outside the recording", a.Text, a.Onset)
		}
		t := []byte("+" + decimal(a.Onset))
		if a.Duration > 0 {
			t = append(append(t, talDuration), decimal(a.Duration)...)
		}
		t = append(append(append(t, talText), a.Text...), talText, talEnd)
		tals[r] = append(tals[r], t...)
	}
	size, width := 0, h.sampleBytes()
	for _, t := range tals {
		size = max(size, (len(t)+width-1)/width*width)
	}
	for r, t := range tals {
		tals[r] = append(t, make([]byte, size-len(t))...)
	}
	return tals, nil
}

func (h *Header) annotationSignal(tals [][]byte) Signal {
	s := Signal{Label: edfAnnotations, PhysicalMin: -1, PhysicalMax: 1, DigitalMin: -32768, DigitalMax: 32767}
	if h.BDF {
		s.Label, s.DigitalMin, s.DigitalMax = bdfAnnotations, -8388608, 8388607
	}
	if len(tals) > 0 {
		s.SamplesPerRecord = len(tals[0]) / h.sampleBytes()
	}
	return s
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// headerWriter lays out fixed-width fields and keeps the first error.
type headerWriter struct {
	b   *bufio.Writer
	err error
}

func (w *headerWriter) text(name, t string, width int) {
	if len(t) > width && w.err == nil {
		w.err = fmt.Errorf("edf: header field %q has %d bytes and room for %d: %q", name, len(t), width, t)
	}
	for _, r := range t {
		if (r < ' ' || r > '~') && w.err == nil {
			w.err = fmt.Errorf("edf: header field %q has a character outside printable ASCII: %q", name, t)
		}
	}
	_, _ = fmt.Fprintf(w.b, "%-*s", width, t)
}

func (w *headerWriter) number(name string, x float64) { w.text(name, decimal(x), 8) }

func (w *headerWriter) integer(name string, n, width int) { w.text(name, strconv.Itoa(n), width) }

func writeHeader(b *bufio.Writer, h *Header) error {
	w := &headerWriter{b: b}
	reserved := ""
	if h.Plus {
		reserved = "EDF+C"
	}
	if h.BDF {
		reserved = "24BIT"
		if h.Plus {
			reserved = "BDF+C"
		}
		_, _ = b.WriteString("\xffBIOSEMI")
	} else {
		w.text("version", "0", 8)
	}
	w.text("patient", h.Patient, 80)
	w.text("recording", h.Recording, 80)
	w.text("start date", h.StartDate, 8)
	w.text("start time", h.StartTime, 8)
	w.integer("header bytes", int(h.headerBytes()), 8)
	w.text("reserved", reserved, 44)
	w.integer("number of data records", h.Records, 8)
	w.number("duration of a data record", h.RecordSeconds)
	w.integer("number of signals", len(h.Signals), 4)
	each := func(put func(s Signal)) {
		for _, s := range h.Signals {
			put(s)
		}
	}
	each(func(s Signal) { w.text("label", s.Label, 16) })
	each(func(s Signal) { w.text("transducer", s.Transducer, 80) })
	each(func(s Signal) { w.text("physical dimension", s.Dimension, 8) })
	each(func(s Signal) { w.number("physical minimum", s.PhysicalMin) })
	each(func(s Signal) { w.number("physical maximum", s.PhysicalMax) })
	each(func(s Signal) { w.integer("digital minimum", s.DigitalMin, 8) })
	each(func(s Signal) { w.integer("digital maximum", s.DigitalMax, 8) })
	each(func(s Signal) { w.text("prefiltering", s.Prefilter, 80) })
	each(func(s Signal) { w.integer("samples per record", s.SamplesPerRecord, 8) })
	each(func(Signal) { w.text("reserved", "", 32) })
	return w.err
}
