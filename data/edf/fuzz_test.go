package edf

import (
	"bytes"
	"math"
	"testing"
)

// FuzzRead: whatever the bytes, reading ends with an error or with as many samples as the
// header says, and no allocation exceeds the bound that the file's size sets.
func FuzzRead(f *testing.F) {
	body := []byte("\x01\x00" + tal("+0\x14\x14\x00+0.2\x151\x14T1\x14"))
	f.Add(handmade{version: "0", reserved: "EDF+C", records: "1", seconds: "1", signals: []handSignal{
		{"EEG Fp1", "uV", "-1", "1", "-1", "1", "1"}, annotationSignal8}, body: body}.bytes())
	f.Add(handmade{version: "0", reserved: "EDF+D", records: "1", seconds: "1", signals: []handSignal{
		{"Cz..", "uV", "-1", "1", "-1", "1", "1"}, annotationSignal8}, body: body}.bytes())
	f.Add(handmade{version: "\xffBIOSEMI", records: "-1", seconds: "1", signals: []handSignal{
		{"A1", "uV", "-1", "1", "-1", "1", "3"}}, body: make([]byte, 27)}.bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := New(bytes.NewReader(b), int64(len(b)), "fuzz.edf")
		if err != nil {
			return
		}
		var samples []int
		for i, s := range file.Signals {
			if !s.IsAnnotation() && s.Unfit == "" {
				samples = append(samples, i)
			}
		}
		c, err := file.Read(t.Context(), samples)
		if err != nil {
			return
		}
		for k, i := range samples {
			if len(c.Signals[k]) != file.Records*file.Signals[i].SamplesPerRecord {
				t.Fatalf("signal %d has %d samples", i, len(c.Signals[k]))
			}
		}
		records := 0
		for _, s := range file.Segments(c) {
			records += s.Records
			if at := s.At(s.Start); at != 0 {
				t.Fatalf("%g records have passed when the first begins", at)
			}
		}
		if records != file.Records {
			t.Fatalf("segments hold %d of %d records", records, file.Records)
		}
		for _, a := range c.Annotations {
			if math.IsNaN(a.Onset) || a.Duration < 0 {
				t.Fatalf("annotation %+v", a)
			}
		}
	})
}
