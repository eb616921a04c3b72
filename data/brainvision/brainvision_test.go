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

// small is a header of two channels of 16 bits, with changes.
func small(changes ...string) string {
	h := strings.NewReplacer("FORMAT", "INT_16", "ORIENTATION", "MULTIPLEXED", "MarkerFile=old.vmrk", "MarkerFile=r.vmrk", "Ch2=Cz,ref,,", "Ch2=Cz,ref,1,").Replace(header)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(h, changes[i]) {
			panic(changes[i])
		}
		h = strings.Replace(h, changes[i], changes[i+1], 1)
	}
	return h
}

const (
	marksHead  = "Brain Vision Data Exchange Marker File, Version 1.0\n[Marker Infos]\n"
	twoByThree = "\x01\x00\x07\x00\xfe\xff\xf8\xff\x04\x00\x09\x00" // 1 7, -2 -8, 4 9
)

// TestOddFiles has files that differ in one thing from the format, the note of it, and the
// first channel, whose steps are halves unless the header says otherwise.
func TestOddFiles(t *testing.T) {
	halves := []float64{0.5, -1, 2}
	for about, c := range map[string]struct {
		head, data, marks string
		says              string
		x                 []float64
		markers           []Marker
	}{
		"as it should be":          {head: small(), x: halves},
		"no file of samples named": {head: small("DataFile=$b.eeg\r\n", ""), says: "names no file, which is not there: r.eeg is read", x: halves},
		"no file of markers named": {head: small("MarkerFile=r.vmrk\r\n", ""), marks: marksHead + "Mk1=Stimulus,S 1,2,1,0\n", says: "names no file, which is not there: r.vmrk is read", x: halves,
			markers: []Marker{{"Stimulus", "S 1", 1, 1, 0}}},
		"markers that are gone":       {head: small("MarkerFile=r.vmrk", "MarkerFile=gone.vmrk"), marks: "-", says: "Its markers are missing: it names gone.vmrk, which is not beside it", x: halves},
		"an absolute path":            {head: small("DataFile=$b.eeg", "DataFile=C:\\eeg\\r.eeg"), x: halves},
		"no resolution":               {head: small("Ch1=A\\1B,,0.5,mV", "Ch1=A\\1B,,,mV"), says: "Channels without a resolution are taken to have one of 1: A,B.", x: []float64{1, -2, 4}},
		"a comma for a point":         {head: small("Ch1=A\\1B,,0.5,mV", "Ch1=A\\1B,,0,5,mV"), says: "Resolutions have a comma where the format has a point: A,B.", x: halves},
		"an interval with a comma":    {head: small("SamplingInterval=5000", "SamplingInterval=5000,0"), x: halves},
		"big-endian":                  {head: small("BinaryFormat=INT_16", "BinaryFormat=INT_16\r\nUseBigEndianOrder=YES"), data: "\x00\x01\x00\x07\xff\xfe\xff\xf8\x00\x04\x00\x09", x: halves},
		"bytes too many":              {head: small(), data: twoByThree + "\x01", says: "1 bytes after the last whole sample of all channels are left out.", x: halves},
		"fewer samples than are said": {head: small("NumberOfChannels", "DataPoints=5\r\nNumberOfChannels"), says: "Its header says 5 samples, and r.eeg holds 3, which are read.", x: halves},
		"more channels than are said": {head: small("NumberOfChannels=2", "NumberOfChannels=1"), data: "\x01\x00\xfe\xff\x04\x00", says: "describes more channels than its NumberOfChannels, 1, which counts.", x: halves},
		"an average":                  {head: small("NumberOfChannels", "Averaged=YES\r\nAveragedSegments=40\r\nNumberOfChannels"), says: "It is no recording but an average of 40 segments", x: halves},
		"segments": {head: small("NumberOfChannels", "SegmentationType=MARKERBASED\r\nSegmentDataPoints=2\r\nNumberOfChannels"), marks: marksHead + "Mk1=New Segment,,1,1,0\n", x: halves,
			markers: []Marker{{"New Segment", "", 0, 1, 0}, {"New Segment", "", 2, 1, 0}}},
		"numbers of markers with gaps, and one twice": {head: small(), marks: marksHead + "Mk1=Stimulus,S 1,1,1,0\nMk7=Stimulus,S 2,2,1,0\nMk7=Stimulus,S 3,3,1,-1\n", x: halves,
			markers: []Marker{{"Stimulus", "S 1", 0, 1, 0}, {"Stimulus", "S 2", 1, 1, 0}, {"Stimulus", "S 3", 2, 1, 0}}},
		"a description with a comma": {head: small(), marks: marksHead + "Mk1=Comment,a,b,2,1,0\nMk2=Comment,c\\1d,3,1,2\n", says: "Descriptions of markers have commas that should be written", x: halves,
			markers: []Marker{{"Comment", "a,b", 1, 1, 0}, {"Comment", "c,d", 2, 1, 2}}},
		"a position that is none": {head: small(), marks: marksHead + "Mk1=Stimulus,S 1,x,1,0\n", says: "Markers can't be read and are left out: Mk1.", x: halves},
		"no section of markers":   {head: small(), marks: "Brain Vision Data Exchange Marker File, Version 1.0\n", says: "has no section [Marker Infos]", x: halves},
	} {
		t.Run(about, func(t *testing.T) {
			data, marks := c.data, c.marks
			if data == "" {
				data = twoByThree
			}
			if marks == "" {
				marks = marksHead
			}
			path := put(t, c.head, []byte(data), marks)
			if marks == "-" {
				if err := os.Remove(strings.TrimSuffix(path, ".vhdr") + ".vmrk"); err != nil {
					t.Fatal(err)
				}
			}
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			x, err := f.Read(t.Context(), []int{0}, 0, f.Samples)
			if err != nil || !slices.Equal(x[0], c.x) {
				t.Errorf("samples %v, %v; want %v", x, err, c.x)
			}
			if !slices.Equal(f.Markers, c.markers) {
				t.Errorf("markers %v, want %v", f.Markers, c.markers)
			}
			said := ""
			for _, n := range f.Notes {
				said += n.What + " "
			}
			if c.says == "" && said != "" || !strings.Contains(said, c.says) {
				t.Errorf("it says %q, want %q", said, c.says)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for says, head := range map[string]string{
		"export it as binary, or convert it by python -c":    small("DataFormat=BINARY", "DataFormat=ASCII"),
		"recordings in the time domain are needed":           small("DataFormat=BINARY", "DataFormat=BINARY\r\nDataType=FREQUENCYDOMAIN"),
		"MULTIPLEXED and VECTORIZED are read":                small("DataOrientation=MULTIPLEXED", "DataOrientation=SPIRAL"),
		"INT_16, UINT_16, INT_32 and IEEE_FLOAT_32 are read": small("BinaryFormat=INT_16", "BinaryFormat=INT_12"),
		"its samples are missing: it names gone.dat2":        strings.Replace(small(), "DataFile=$b.eeg", "DataFile=gone.dat2", 1),
		"its resolution is":                                  small("Ch1=A\\1B,,0.5,mV", "Ch1=A\\1B,,half,mV"),
		"channel 2: it has no name":                          small("Ch2=Cz,ref,1,", ""),
	} {
		path := put(t, head, []byte(twoByThree), marksHead)
		if strings.Contains(says, "missing") {
			if err := os.Remove(strings.TrimSuffix(path, ".vhdr") + ".eeg"); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
}

// TestReadAPart reads any part as the same part of the whole is.
func TestReadAPart(t *testing.T) {
	for _, orientation := range []string{"MULTIPLEXED", "VECTORIZED"} {
		data := make([]byte, 4*10000)
		for i := range data {
			data[i] = byte(i * i >> 3)
		}
		f, err := Open(put(t, small("DataOrientation=MULTIPLEXED", "DataOrientation="+orientation), data, marksHead))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := f.Read(t.Context(), []int{0, 1}, 0, f.Samples)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range [][2]int{{0, 1}, {4095, 4097}, {9000, 10000}, {10000, 10000}} {
			x, err := f.Read(t.Context(), []int{1, 0}, p[0], p[1])
			if err != nil || !slices.Equal(x[0], whole[1][p[0]:p[1]]) || !slices.Equal(x[1], whole[0][p[0]:p[1]]) {
				t.Errorf("%s: samples %v differ from the whole's: %v", orientation, p, err)
			}
		}
		if _, err := f.Read(t.Context(), []int{0}, 0, f.Samples+1); err == nil {
			t.Error("samples after the end are read")
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
