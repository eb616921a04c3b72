package brainvision

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const header = "Brain Vision Data Exchange Header File Version 1.0\r\n; a comment\r\n[Common Infos]\r\nCodepage=UTF-8\r\nDataFile=$b.eeg\r\nMarkerFile=old.vmrk\r\nDataFormat=BINARY\r\n" +
	"DataOrientation=ORIENTATION\r\nNumberOfChannels=2\r\nSamplingInterval=5000\r\n[Binary Infos]\r\nBinaryFormat=FORMAT\r\n[Channel Infos]\r\nCh1=A\\1B,,0.5,mV\r\nCh2=Cz,ref,,\r\n[Comment]\r\nCh1=no\r\n"

const markers = "Brain Vision Data Exchange Marker File, Version 1.0\n[Marker Infos]\nMk1=New Segment,,1,1,0,20200101000000000000\nMk2=Stimulus,S  1,3,4,0\nMk3=Stimulus,S  2,x,1,0\n"

func put(t testing.TB, head string, data []byte, marks string) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range map[string][]byte{"r.vhdr": []byte(head), "r.eeg": data, "r.vmrk": []byte(marks)} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "r.vhdr")
}

func TestRead(t *testing.T) {
	want := [][]float64{{0.5, -1, 2}, {7, -8, 9}} // the first channel's steps are halves
	for format, add := range map[string]func([]byte, float64) []byte{
		"INT_16": func(b []byte, v float64) []byte { return binary.LittleEndian.AppendUint16(b, uint16(int16(v))) },
		"INT_32": func(b []byte, v float64) []byte { return binary.LittleEndian.AppendUint32(b, uint32(int32(v))) },
		"IEEE_FLOAT_32": func(b []byte, v float64) []byte {
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
		},
	} {
		notes := 3
		if format == "IEEE_FLOAT_32" { // whose steps need no resolution
			notes = 2
		}
		for orientation, steps := range map[string][]float64{"MULTIPLEXED": {1, 7, -2, -8, 4, 9}, "VECTORIZED": {1, -2, 4, 7, -8, 9}} {
			var data []byte
			for _, v := range steps {
				data = add(data, v)
			}
			f, err := Open(put(t, strings.NewReplacer("FORMAT", format, "ORIENTATION", orientation).Replace(header), data, markers))
			if err != nil {
				t.Fatal(err)
			}
			x, err := f.Read(t.Context(), []int{0, 1}, 0, f.Samples)
			if err != nil || !slices.Equal(x[0], want[0]) || !slices.Equal(x[1], want[1]) {
				t.Errorf("%s %s: %v, %v; want %v", format, orientation, x, err, want)
			}
			if f.Rate != 200 || f.Channels[0] != (Channel{"A,B", "", 0.5, "mV", false}) || f.Channels[1] != (Channel{"Cz", "ref", 1, "", true}) {
				t.Errorf("%g Hz, %v", f.Rate, f.Channels)
			}
			if len(f.Markers) != 2 || f.Markers[1] != (Marker{"Stimulus", "S  1", 2, 4, 0}) || len(f.Notes) != notes {
				t.Errorf("markers %v, notes %v", f.Markers, f.Notes)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(header, []byte("12345678"), markers)
	f.Add(strings.NewReplacer("FORMAT", "INT_16", "ORIENTATION", "VECTORIZED").Replace(header), []byte("12345678"), markers)
	f.Fuzz(func(t *testing.T, head string, data []byte, marks string) {
		file, err := Open(put(t, head, data, marks))
		if err != nil {
			return
		}
		if _, err := file.Read(t.Context(), []int{0, len(file.Channels) - 1}, 0, file.Samples); err != nil {
			t.Fatal(err)
		}
	})
}
