package edf

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/note"
)

// handmade builds a file field by field from the published layout, apart from
// this package's own writer.
type handmade struct {
	version, reserved string
	records, seconds  string
	signals           []handSignal
	claimSignals      string // instead of the true number
	body              []byte
}

type handSignal struct {
	label, dimension       string
	pmin, pmax, dmin, dmax string
	samples                string
}

func (h handmade) bytes() []byte {
	var b bytes.Buffer
	put := func(t string, width int) { fmt.Fprintf(&b, "%-*s", width, t) }
	n := fmt.Sprint(len(h.signals))
	if h.claimSignals != "" {
		n = h.claimSignals
	}
	put(h.version, 8)
	put("X X X X", 80)
	put("Startdate 02-MAR-2024 X X X", 80)
	put("02.03.24", 8)
	put("10.11.12", 8)
	put(fmt.Sprint(256*(1+len(h.signals))), 8)
	put(h.reserved, 44)
	put(h.records, 8)
	put(h.seconds, 8)
	put(n, 4)
	for _, f := range []struct {
		width int
		of    func(s handSignal) string
	}{
		{16, func(s handSignal) string { return s.label }},
		{80, func(handSignal) string { return "AgAgCl" }},
		{8, func(s handSignal) string { return s.dimension }},
		{8, func(s handSignal) string { return s.pmin }},
		{8, func(s handSignal) string { return s.pmax }},
		{8, func(s handSignal) string { return s.dmin }},
		{8, func(s handSignal) string { return s.dmax }},
		{80, func(handSignal) string { return "HP:0.1Hz" }},
		{8, func(s handSignal) string { return s.samples }},
		{32, func(handSignal) string { return "" }},
	} {
		for _, s := range h.signals {
			put(f.of(s), f.width)
		}
	}
	b.Write(h.body)
	return b.Bytes()
}

func (h handmade) open(t *testing.T) (*File, error) {
	t.Helper()
	b := h.bytes()
	return New(bytes.NewReader(b), int64(len(b)), "hand.edf")
}

var annotationSignal8 = handSignal{"EDF Annotations", "", "-1", "1", "-32768", "32767", "8"}

// tal pads a list to the 16 bytes of annotationSignal8.
func tal(s string) string { return s + strings.Repeat("\x00", 16-len(s)) }

func TestReadScalesEachSignalByItsOwnRangeAndRate(t *testing.T) {
	h := handmade{version: "0", records: "2", seconds: "0.5", signals: []handSignal{
		{"EEG Fp1", "uV", "-100", "100", "-1000", "1000", "2"},
		{"Resp", "mV", "0", "10", "0", "100", "1"},
	}, body: []byte{
		0xE8, 0x03, 0x18, 0xFC, 50, 0, // 1000, -1000; 50
		1, 0, 0xFF, 0xFF, 100, 0, // 1, -1; 100
	}}
	f, err := h.open(t)
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Read(t.Context(), []int{0, 1})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]float64{{100, -100, 0.1, -0.1}, {5, 10}}
	for i := range want {
		for j := range want[i] {
			if math.Abs(c.Signals[i][j]-want[i][j]) > 1e-12 {
				t.Errorf("signal %d sample %d = %g, want %g", i, j, c.Signals[i][j], want[i][j])
			}
		}
	}
	if f.Rate(0) != 4 || f.Rate(1) != 2 {
		t.Errorf("rates %g and %g, want 4 and 2", f.Rate(0), f.Rate(1))
	}
}

func TestReadBDFSignExtends24Bits(t *testing.T) {
	h := handmade{version: "\xffBIOSEMI", records: "1", seconds: "1", signals: []handSignal{
		{"A1", "uV", "-262144", "262143", "-8388608", "8388607", "3"},
	}, body: []byte{0x00, 0x00, 0x80, 0xFF, 0xFF, 0x7F, 0xE0, 0xFF, 0xFF}}
	f, err := h.open(t)
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Read(t.Context(), []int{0})
	if err != nil {
		t.Fatal(err)
	}
	gain := (262143.0 + 262144) / (8388607.0 + 8388608)
	for i, want := range []float64{-262144, 262143, -262144 + gain*(8388608-32)} {
		if math.Abs(c.Signals[0][i]-want) > 1e-9 {
			t.Errorf("sample %d = %g, want %g", i, c.Signals[0][i], want)
		}
	}
}

func TestReadInterruptedRecording(t *testing.T) {
	body := ""
	for _, s := range []string{"+0\x14\x14", "+1\x14\x14\x00+1.5\x152\x14go\x14", "+10.5\x14\x14"} {
		body += "\x01\x00" + tal(s)
	}
	h := handmade{version: "0", reserved: "EDF+D", records: "3", seconds: "1", signals: []handSignal{
		{"Cz", "uV", "-1", "1", "-1", "1", "1"}, annotationSignal8}, body: []byte(body)}
	f, err := h.open(t)
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Read(t.Context(), []int{0})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]Annotation{{1.5, 2, "go"}}, c.Annotations); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]Segment{{First: 0, Records: 2, Start: 0}, {First: 2, Records: 1, Start: 10.5}}, f.Segments(c), cmpopts.IgnoreUnexported(Segment{})); d != "" {
		t.Error(d)
	}
}

func TestOpenRefuses(t *testing.T) {
	good := handmade{version: "0", records: "2", seconds: "1", signals: []handSignal{
		{"Cz", "uV", "-1", "1", "-1", "1", "1"}}, body: []byte{0, 0, 0, 0}}
	cases := []struct {
		name   string
		change func(h *handmade)
		want   string
	}{
		{"another format", func(h *handmade) { h.version = "PK\x03\x04" }, "neither EDF nor BDF"},
		{"truncated", func(h *handmade) { h.body = h.body[:1] }, "promises 2 records of 2 bytes and 1 bytes are there"},
		{"negative samples", func(h *handmade) { h.signals[0].samples = "-5" }, "-5 samples a record"},
		{"huge record", func(h *handmade) { h.signals[0].samples = "99999999" }, "truncated"},
		{"huge signal count", func(h *handmade) { h.claimSignals = "9999" }, "9999 signals"},
		{"zero duration", func(h *handmade) { h.seconds = "0" }, "data record 0 s"},
		{"negative records", func(h *handmade) { h.records = "-7" }, "-7 data records"},
		{"no samples", func(h *handmade) { h.signals[0].samples = "0" }, "0 samples"},
	}
	if _, err := good.open(t); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := good
			h.signals = append([]handSignal{}, good.signals...)
			c.change(&h)
			_, err := h.open(t)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "hand.edf: ") {
				t.Errorf("error %v, want one that names the file and says %q", err, c.want)
			}
		})
	}
}

// TestRecordsThatTheHeaderMiscounts: whole records are read, and the fault is noted.
func TestRecordsThatTheHeaderMiscounts(t *testing.T) {
	for _, c := range []struct {
		name, said string
		bytes      int
		records    int
		kinds      []note.Kind
		words      string
	}{
		{"right", "2", 4, 2, nil, ""},
		{"still open", "-1", 5, 2, []note.Kind{note.Assumed, note.LeftOut}, "1 bytes"},
		{"blank", "", 4, 2, []note.Kind{note.Assumed}, "2 that are there"},
		{"zero", "0", 4, 2, []note.Kind{note.Assumed}, "2 that are there"},
		{"empty", "0", 0, 0, nil, ""},
		{"cut in the last", "3", 5, 2, []note.Kind{note.LeftOut}, "1 of the 3 data records"},
		{"cut long before", "300", 4, 2, []note.Kind{note.LeftOut}, "298 of the 300 data records"},
		{"more than it says", "1", 4, 2, []note.Kind{note.Assumed}, "promises 1 data records and 2 are there"},
		{"something behind", "1", 5, 1, []note.Kind{note.LeftOut}, "3 bytes"},
	} {
		h := handmade{version: "0", records: c.said, seconds: "1", signals: []handSignal{
			{"Cz", "uV", "-1", "1", "-1", "1", "1"}}, body: make([]byte, c.bytes)}
		f, err := h.open(t)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var kinds []note.Kind
		for _, n := range f.Notes {
			kinds = append(kinds, n.Kind)
		}
		if f.Records != c.records || !slices.Equal(kinds, c.kinds) || !strings.Contains(fmt.Sprint(f.Notes), c.words) {
			t.Errorf("%s: %d records and %q, want %d, %v and %q", c.name, f.Records, f.Notes, c.records, c.kinds, c.words)
		}
	}
}

// TestSignalsWithoutARange: they matter only where they are asked for.
func TestSignalsWithoutARange(t *testing.T) {
	for _, bad := range []handSignal{
		{"AUX", "", "nan", "1", "-1", "1", "1"},
		{"AUX", "", "-1", "lots", "-1", "1", "1"},
		{"AUX", "", "-1", "1", "x", "1", "1"},
		{"AUX", "", "-1", "1", "", "", "1"},
		{"AUX", "", "-1", "1", "7", "7", "1"},
		{"AUX", "", "0", "0", "-1", "1", "1"},
	} {
		h := handmade{version: "0", records: "1", seconds: "1", signals: []handSignal{
			bad, {"Cz", "uV", "-1", "1", "-1", "1", "1"}}, body: []byte{9, 0, 1, 0}}
		f, err := h.open(t)
		if err != nil {
			t.Errorf("%+v: %v", bad, err)
			continue
		}
		if c, err := f.Read(t.Context(), []int{1}); err != nil || c.Signals[0][0] != 1 {
			t.Errorf("%+v: the good signal is %v, %v", bad, c, err)
		}
		if _, err := f.Read(t.Context(), []int{0}); err == nil || f.Signals[0].Unfit == "" || !strings.Contains(err.Error(), "AUX") {
			t.Errorf("%+v: asked for, the error is %v", bad, err)
		}
		if x, err := f.Digital(t.Context(), 0); err != nil || x[0] != 9 {
			t.Errorf("%+v: stored is %v, %v", bad, x, err)
		}
	}
}

// annotated is a file of one-second records with one sample each, and these bytes in its
// annotation signal.
func annotated(reserved, seconds string, lists ...string) handmade {
	h := handmade{version: "0", reserved: reserved, records: fmt.Sprint(len(lists)), seconds: seconds, signals: []handSignal{
		{"Cz", "uV", "-1", "1", "-1", "1", "1"}, annotationSignal8}}
	for _, l := range lists {
		h.body = append(append(h.body, 1, 0), tal(l)...)
	}
	return h
}

func TestAnnotationsThatAreNotAsTheyShouldBe(t *testing.T) {
	for _, c := range []struct {
		list string
		want []Annotation
		kind note.Kind // of the note; empty where there is none
	}{
		{"+0\x14\x14\x00+1\x14go\x14", []Annotation{{1, 0, "go"}}, ""},
		{"+0\x14\x14\x001\x14go\x14", []Annotation{{1, 0, "go"}}, note.Corrected},
		{"+0\x14\x14\x00+1,5\x14go\x14", []Annotation{{1.5, 0, "go"}}, note.Corrected},
		{"+0\x14\x14\x00+1\x15-2\x14g\x14", []Annotation{{1, 0, "g"}}, note.Corrected},
		{"+0\x14\x14\x00+1\x15x\x14go\x14", []Annotation{{1, 0, "go"}}, note.Corrected},
		{"+0\x14\x14\x00+1\x14go", []Annotation{{1, 0, "go"}}, note.Corrected},
		{"+0\x14\x14\x00go\x14\x00+1\x14a\x14", []Annotation{{1, 0, "a"}}, note.LeftOut},
		{"+0\x14\x14\x00+1 go", nil, note.LeftOut},
		{"+0\x14\x14\x00+inf\x14g\x14", nil, note.LeftOut},
		{"+0\x14\x14\x00+1\x14\xe9\x14", []Annotation{{1, 0, "\xe9"}}, ""},
	} {
		f, err := annotated("EDF+C", "1", c.list).open(t)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Read(t.Context(), []int{0})
		if err != nil {
			t.Errorf("%q: %v", c.list, err)
			continue
		}
		if d := cmp.Diff(c.want, got.Annotations); d != "" {
			t.Errorf("%q: %s", c.list, d)
		}
		if c.kind == "" && len(got.Notes) > 0 || c.kind != "" && (len(got.Notes) != 1 || got.Notes[0].Kind != c.kind || !strings.Contains(got.Notes[0].What, "data record 1")) {
			t.Errorf("%q: notes %q, want one of kind %q", c.list, got.Notes, c.kind)
		}
	}
}

// TestSegments: gaps are those between the times, and rounded times make none.
func TestSegments(t *testing.T) {
	time := func(x string) string { return x + "\x14\x14" }
	for _, c := range []struct {
		name, reserved, seconds string
		times                   []string
		want                    []Segment
		notes                   int
		fails                   bool
	}{
		{"thirds in milliseconds", "EDF+D", "0.333333", []string{time("+0"), time("+0.333"), time("+0.667"), time("+1")}, []Segment{{Records: 4}}, 0, false},
		{"a gap", "EDF+D", "1", []string{time("+0"), time("+1"), time("+5.25")}, []Segment{{Records: 2}, {First: 2, Records: 1, Start: 5.25}}, 0, false},
		{"a gap of a sample and a half", "EDF+D", "1", []string{time("+0"), time("+2.5")}, []Segment{{Records: 1}, {First: 1, Records: 1, Start: 2.5}}, 0, false},
		{"late start", "EDF+C", "1", []string{time("+0.25"), time("+1.25")}, []Segment{{Records: 2, Start: 0.25}}, 0, false},
		{"a gap in what is called continuous", "EDF+C", "1", []string{time("+0"), time("+7")}, []Segment{{Records: 1}, {First: 1, Records: 1, Start: 7}}, 1, false},
		{"the same time", "EDF+C", "1", []string{time("+0"), time("+0"), time("+0")}, []Segment{{Records: 3}}, 1, false},
		{"a time that is lost", "EDF+D", "1", []string{time("+3"), "x", time("+5")}, []Segment{{Records: 3, Start: 3}}, 2, false},
		{"a time that is lost in a gap", "EDF+D", "1", []string{time("+3"), "x", time("+9")}, nil, 0, true},
		{"no times", "EDF+C", "1", []string{"", "", ""}, []Segment{{Records: 3}}, 0, false},
		{"no word of EDF+", "", "1", []string{time("+2"), time("+3")}, []Segment{{Records: 2, Start: 2}}, 0, false},
	} {
		f, err := annotated(c.reserved, c.seconds, c.times...).open(t)
		if err != nil {
			t.Fatal(err)
		}
		got, err := f.Read(t.Context(), []int{0})
		if (err != nil) != c.fails {
			t.Errorf("%s: error %v", c.name, err)
		}
		if err != nil {
			continue
		}
		if d := cmp.Diff(c.want, f.Segments(got), cmpopts.IgnoreUnexported(Segment{})); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		if len(got.Notes) != c.notes {
			t.Errorf("%s: notes %q, want %d", c.name, got.Notes, c.notes)
		}
	}
}

// TestSegmentAtFollowsTheClock: where records are farther apart than their length, by less
// than a gap, times are found by the records' own.
func TestSegmentAtFollowsTheClock(t *testing.T) {
	var times []string
	for r := range 100 {
		times = append(times, fmt.Sprintf("+%.1f\x14\x14", 1.2*float64(r)))
	}
	h := annotated("EDF+D", "1", times...)
	f, err := h.open(t)
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Read(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := f.Segments(c)
	if len(s) != 1 {
		t.Fatalf("%d segments of records that are a fifth of a sample apart", len(s))
	}
	for at, want := range map[float64]float64{0: 0, 60: 50, 60.5: 50.5, 118.8: 99, 119.8: 100, -1: -1} {
		if got := s[0].At(at); math.Abs(got-want) > 1e-9 {
			t.Errorf("after %g s %g records have passed, want %g", at, got, want)
		}
	}
	if got := s[0].Seconds(); math.Abs(got-119.8) > 1e-9 {
		t.Errorf("it lasts %g s, want 119.8", got)
	}
}

// TestOpenEveryTruncation: a file cut before its first record ends is refused, one cut later
// says so.
func TestOpenEveryTruncation(t *testing.T) {
	b := handmade{version: "0", reserved: "EDF+C", records: "2", seconds: "1", signals: []handSignal{
		{"Cz", "uV", "-1", "1", "-1", "1", "1"}, annotationSignal8},
		body: []byte("\x01\x00" + tal("+0\x14\x14") + "\x01\x00" + tal("+1\x14\x14"))}.bytes()
	for n := range len(b) {
		f, err := New(bytes.NewReader(b[:n]), int64(n), "cut.edf")
		if whole := n >= 768+18; (err == nil) != whole || whole && len(f.Notes) == 0 {
			t.Errorf("a file cut to %d of %d bytes: %v", n, len(b), err)
		}
	}
}

// TestWriteReadRoundTrip: written samples come back within half a step of the digital range,
// whatever the rates and ranges.
func TestWriteReadRoundTrip(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		h := &Header{Plus: true, StartDate: "01.01.24", StartTime: "00.00.00",
			Records:       rapid.IntRange(1, 5).Draw(t, "records"),
			RecordSeconds: rapid.SampledFrom([]float64{0.5, 1, 2}).Draw(t, "seconds")}
		var signals [][]float64
		for i := range rapid.IntRange(1, 4).Draw(t, "signals") {
			top := rapid.SampledFrom([]float64{1, 100, 3276.7}).Draw(t, "range")
			s := Signal{Label: fmt.Sprint("S", i), Dimension: "uV", PhysicalMin: -top, PhysicalMax: top,
				DigitalMin: -32768, DigitalMax: 32767, SamplesPerRecord: rapid.IntRange(1, 40).Draw(t, "samples")}
			h.Signals = append(h.Signals, s)
			signals = append(signals, rapid.SliceOfN(rapid.Float64Range(-top, top), h.Records*s.SamplesPerRecord, h.Records*s.SamplesPerRecord).Draw(t, "x"))
		}
		total := float64(h.Records) * h.RecordSeconds
		var notes []Annotation
		for range rapid.IntRange(0, 6).Draw(t, "annotations") {
			notes = append(notes, Annotation{rapid.Float64Range(0, total*0.999).Draw(t, "onset"),
				rapid.Float64Range(0, 9).Draw(t, "duration"), rapid.StringMatching(`[a-zA-Z0-9 ]{1,20}`).Draw(t, "text")})
		}
		path := filepath.Join(dir, "r.edf")
		w, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := Write(w, h, signals, notes); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		all := make([]int, len(signals))
		for i := range all {
			all[i] = i
		}
		c, err := f.Read(context.Background(), all)
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range h.Signals {
			half := (s.PhysicalMax - s.PhysicalMin) / 65535 / 2
			for j := range signals[i] {
				if math.Abs(c.Signals[i][j]-signals[i][j]) > half*1.0001 {
					t.Fatalf("signal %d sample %d: wrote %g, read %g", i, j, signals[i][j], c.Signals[i][j])
				}
			}
		}
		sortAnnotations(notes)
		if d := cmp.Diff(notes, c.Annotations); d != "" {
			t.Fatal(d)
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	h := Header{Records: 1, RecordSeconds: 1, Plus: true, Signals: []Signal{
		{Label: "Cz", PhysicalMin: -1, PhysicalMax: 1, DigitalMin: -1, DigitalMax: 1, SamplesPerRecord: 1}}}
	long := h
	long.Patient = strings.Repeat("x", 81)
	accent := h
	accent.Patient = "Zoë"
	for name, err := range map[string]error{
		"missing samples": Write(&bytes.Buffer{}, &h, [][]float64{{}}, nil),
		"late annotation": Write(&bytes.Buffer{}, &h, [][]float64{{0}}, []Annotation{{5, 0, "x"}}),
		"empty text":      Write(&bytes.Buffer{}, &h, [][]float64{{0}}, []Annotation{{0, 0, ""}}),
		"long field":      Write(&bytes.Buffer{}, &long, [][]float64{{0}}, nil),
		"not ASCII":       Write(&bytes.Buffer{}, &accent, [][]float64{{0}}, nil),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
