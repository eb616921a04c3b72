package source

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReadsAsMNE reads files that MNE, pyedflib, edfio and pybv wrote as MNE reads them:
// scripts/check_mne.py --store made both, and judges more of them and real ones.
func TestReadsAsMNE(t *testing.T) {
	b, err := os.ReadFile("testdata/mne/expected.json")
	if err != nil {
		t.Fatal(err)
	}
	var files []struct {
		File       string
		Channels   []string
		Rate       float64
		Microvolts [][]float64 // null where MNE doesn't know the unit
		Events     [][3]any    // onset, duration, text
	}
	if err := json.Unmarshal(b, &files); err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("%d files", len(files))
	}
	for _, w := range files {
		t.Run(w.File, func(t *testing.T) {
			f, ok := formatOfFile(w.File)
			if !ok {
				t.Fatal("no format has such an ending")
			}
			m := &Manifest{Format: f.name, Files: "^(?<subject>.+)$", files: regexp.MustCompile("^(?<subject>.+)$"), Channels: ChannelRule{Pick: w.Channels}}
			got := make([][]float64, len(w.Channels))
			var events []Event
			for r, err := range f.read(t.Context(), m, File{Path: filepath.Join("testdata/mne", w.File), Name: w.File}) {
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(r.Channels, w.Channels) || math.Abs(r.Rate-w.Rate) > 1e-9*w.Rate {
					t.Errorf("channels %v at %g, want %v at %g", r.Channels, r.Rate, w.Channels, w.Rate)
				}
				for c := range got {
					got[c] = append(got[c], r.Samples[c]...)
				}
				events = append(events, r.Events...)
			}
			for c, want := range w.Microvolts {
				if want == nil {
					continue
				}
				if len(got[c]) != len(want) {
					t.Fatalf("%d samples, want %d", len(got[c]), len(want))
				}
				for i := range want { // which have 12 digits
					if math.Abs(got[c][i]-want[i]) > 1e-11*math.Abs(want[i])+1e-9 {
						t.Fatalf("channel %s: sample %d is %v, want %v", w.Channels[c], i, got[c][i], want[i])
					}
				}
			}
			// MNE gives a BrainVision marker its type too, and one sample for its length.
			var wanted []Event
			for _, e := range w.Events {
				text := e[2].(string)
				duration := e[1].(float64)
				if f.name == "brainvision" {
					_, text, _ = strings.Cut(text, "/")
					if math.Abs(duration*w.Rate-1) < 1e-6 {
						duration = 0
					}
				}
				wanted = append(wanted, Event{e[0].(float64), duration, text})
			}
			if !slices.EqualFunc(events, wanted, func(a, b Event) bool {
				return math.Abs(a.Onset-b.Onset) < 1e-6 /* to which MNE rounds */ && math.Abs(a.Duration-b.Duration) < 1e-9 && a.Text == b.Text
			}) {
				t.Errorf("events %v, want %v", events, wanted)
			}
		})
	}
}
