package edf

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Spans are parts of the output of Read, for EDF+ and for BDF+, and annotations come back from
// both.
func TestSpansAndAnnotationsOfWrittenFiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &Header{Patient: "X", Recording: "X", StartDate: "01.01.00", StartTime: "00.00.00", RecordSeconds: 1, Plus: true, BDF: rapid.Bool().Draw(t, "bdf")}
		h.Records = rapid.IntRange(1, 5).Draw(t, "records")
		per := rapid.IntRange(1, 7).Draw(t, "samples")
		var signals [][]float64
		for range rapid.IntRange(0, 3).Draw(t, "signals") {
			h.Signals = append(h.Signals, Signal{Label: "x", PhysicalMin: -100, PhysicalMax: 100, DigitalMin: -30000, DigitalMax: 30000, SamplesPerRecord: per})
			signals = append(signals, rapid.SliceOfN(rapid.Float64Range(-100, 100), h.Records*per, h.Records*per).Draw(t, "values"))
		}
		notes := []Annotation{{Onset: 0.25, Text: "101"}, {Onset: 0.5, Duration: 0.125, Text: "a longer text"}}
		var b bytes.Buffer
		if err := Write(&b, h, signals, notes); err != nil {
			t.Fatal(err)
		}
		f, err := New(bytes.NewReader(b.Bytes()), int64(b.Len()), "f")
		if err != nil {
			t.Fatal(err)
		}
		var which []int
		for i := range signals {
			which = append(which, i)
		}
		all, err := f.Read(t.Context(), which)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(notes, all.Annotations); d != "" || !f.Plus {
			t.Errorf("annotations: %s", d)
		}
		if len(which) == 0 {
			return
		}
		from := rapid.IntRange(0, h.Records*per).Draw(t, "from")
		to := rapid.IntRange(from, h.Records*per).Draw(t, "to")
		part, err := f.Span(t.Context(), which, from, to)
		if err != nil {
			t.Fatal(err)
		}
		for k := range part {
			if len(part[k]) != to-from || to > from && !cmp.Equal(part[k], all.Signals[k][from:to]) {
				t.Errorf("samples %d to %d of signal %d are %v", from, to, k, part[k])
			}
		}
	})
}

func TestSpanRefuses(t *testing.T) {
	h := &Header{Patient: "X", Recording: "X", StartDate: "01.01.00", StartTime: "00.00.00", RecordSeconds: 1, Records: 2,
		Signals: []Signal{{Label: "x", PhysicalMax: 1, DigitalMax: 1, SamplesPerRecord: 3}, {Label: "y", PhysicalMax: 1, DigitalMax: 1, SamplesPerRecord: 2}}}
	var b bytes.Buffer
	if err := Write(&b, h, [][]float64{make([]float64, 6), make([]float64, 4)}, nil); err != nil {
		t.Fatal(err)
	}
	f, err := New(bytes.NewReader(b.Bytes()), int64(b.Len()), "f")
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		signals  []int
		from, to int
	}{
		"asked for and it has 6": {[]int{0}, 2, 7}, "samples -1": {[]int{0}, -1, 3}, "samples 4 to 3": {[]int{0}, 4, 3},
		"another rate": {[]int{0, 1}, 0, 1}, "signal 2 holds no samples": {[]int{2}, 0, 1},
	} {
		if _, err := f.Span(t.Context(), c.signals, c.from, c.to); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one that says %q", err, want)
		}
	}
}
