package source

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/internal/note"
)

const (
	vhdr = "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nDataFile=$b.eeg\nMarkerFile=$b.vmrk\nDataFormat=BINARY\nDataOrientation=MULTIPLEXED\n" +
		"NumberOfChannels=2\nSamplingInterval=10000\n[Binary Infos]\nBinaryFormat=INT_16\n[Channel Infos]\nCh1=Fp1,,1,\xb5V\nCh2=Fp2,,1,\xb5V\n"
	vmrk      = "Brain Vision Data Exchange Marker File, Version 1.0\n[Marker Infos]\n"
	vmrkYAML  = "format: brainvision\nfiles: '(?<subject>[^/]+)/rec\\.vhdr$'\nlabel: {annotations: true, seconds: 1, classes: {S  1: a, S  2: b}}\n"
	twoMarks  = "Mk1=New Segment,,1,1,0\nMk2=Stimulus,S  1,101,1,0\nMk3=Stimulus,S  2,301,1,0\n"
	headBytes = 4 * 1000 // ten seconds
)

// putBrainVision writes recordings rec.vhdr in directories of those names, whose samples tell
// them apart.
func putBrainVision(t *testing.T, yaml, marks string, subjects ...string) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string][]byte{}
	if yaml != "" {
		files[ManifestName] = []byte(yaml)
	}
	for n, s := range subjects {
		data := make([]byte, headBytes)
		for i := range data {
			data[i] = byte(i*7 + n)
			if i%2 == 1 {
				data[i] = 0
			}
		}
		files[s+"/rec.vhdr"], files[s+"/rec.vmrk"], files[s+"/rec.eeg"] = []byte(vhdr), []byte(vmrk+marks), data
	}
	for name, b := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestEqualHeadersAreNoCopies: two recordings whose headers are the same, byte by byte.
func TestEqualHeadersAreNoCopies(t *testing.T) {
	s, err := Open(putBrainVision(t, vmrkYAML, twoMarks, "s1", "s2"), "")
	if err != nil {
		t.Fatal(err)
	}
	if got := collect(t, s); len(s.Files) != 2 || len(got) != 4 {
		t.Errorf("%d files and %d trials, want 2 and 4: %v", len(s.Files), len(got), s.Notes.Sentences())
	}
}

func TestBrainVisionSegments(t *testing.T) {
	// A pause at 3.5 s, within the second trial.
	s, err := Open(putBrainVision(t, vmrkYAML, twoMarks+"Mk4=New Segment,,351,1,0\nMk5=Stimulus,S  1,501,1,2\n", "s1"), "")
	if err != nil {
		t.Fatal(err)
	}
	var got [][3]int
	var notes note.List
	for _, r := range collect(t, s) {
		got = append(got, [3]int{r.Trial, r.Offset, r.Len()})
		notes.Add(r.File, r.Notes...)
		if want := float64((r.Offset * 4 * 7) & 0xff); r.Samples[0][0] != want {
			t.Errorf("trial %d begins with %g, want %g", r.Trial, r.Samples[0][0], want)
		}
	}
	if want := [][3]int{{1, 100, 100}, {2, 300, 50}, {2, 350, 50}, {3, 500, 100}}; !slices.Equal(got, want) {
		t.Errorf("trials, offsets and lengths %v, want %v", got, want)
	}
	said := strings.Join(notes.Sentences(), "\n")
	for _, want := range []string{"It is interrupted: 2 parts, by its markers New Segment.", `Annotations of one channel are taken for all: "S  1" of Fp2.`} {
		if !strings.Contains(said, want) {
			t.Errorf("it doesn't say %q:\n%s", want, said)
		}
	}
}

// TestBrainVisionReadsTrials: of a recording of hours only the trials are in memory.
func TestBrainVisionReadsTrials(t *testing.T) {
	dir := putBrainVision(t, vmrkYAML, twoMarks, "s1")
	if err := os.Truncate(filepath.Join(dir, "s1", "rec.eeg"), 1<<30); err != nil { // of which the end takes no place on the disk
		t.Fatal(err)
	}
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if got := collect(t, s); len(got) != 2 {
		t.Errorf("%d trials", len(got))
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 16<<20 {
		t.Errorf("two trials of a second take %d bytes", used)
	}
}
