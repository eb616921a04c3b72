package source

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/montage"
)

// eeglabSets puts data sets of eeglab/testdata into a directory.
func eeglabSets(t testing.TB, manifest string, names ...string) string {
	t.Helper()
	files := map[string][]byte{}
	if manifest != "" {
		files[ManifestName] = []byte(manifest)
	}
	for _, n := range names {
		b, err := os.ReadFile(filepath.Join("..", "eeglab", "testdata", n))
		if err != nil {
			t.Fatal(err)
		}
		files[n] = b
	}
	return filetest.Put(t, files)
}

// eeglabSample is a sample of those data sets, as their make.py makes it.
func eeglabSample(channel, at int) float64 {
	return float64((at*(7+2*channel)+31*channel)%601-300) / 8
}

// A trialAt is where a recording lies in its file.
type trialAt struct {
	Trial, Offset, Samples int
	Label                  float64
}

func eeglabTrials(t *testing.T, dir string) (list []trialAt, notes string) {
	t.Helper()
	s, err := Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range s.recordings(t.Context(), 1, nil) {
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"Fp1", "C3"}, r.Channels); d != "" {
			t.Error(d)
		}
		for c, x := range r.Samples {
			for i, v := range x {
				if want := eeglabSample(c, r.Offset+i); v != want {
					t.Fatalf("trial %d: sample %d of channel %d is %g, want %g", r.Trial, i, c, v, want)
				}
			}
		}
		label, ok := r.Labels["label"]
		if !ok {
			label = -1
		}
		list = append(list, trialAt{r.Trial, r.Offset, r.Len(), label})
		for _, n := range r.Notes {
			notes += n.What + "\n"
		}
	}
	return list, notes
}

func TestEEGLABTrials(t *testing.T) {
	epochs := []trialAt{{1, 0, 15, 0}, {2, 15, 15, 1}, {3, 30, 15, 0}, {4, 45, 15, 1}}
	for name, c := range map[string]struct {
		set, manifest string
		want          []trialAt
		says          []string
	}{
		// S 1 at 5 lasts over the boundary before 30, S 2 at 15.4 too, and S 1 at 59 to the end.
		"events": {"v5.set", filetest.ByEvent, []trialAt{{1, 5, 25, 0}, {1, 30, 5, 0}, {2, 15, 15, 1}, {2, 30, 15, 1}, {3, 59, 1, 0}},
			[]string{`"7"`, "HEOG", "boundary events: 2 parts", "last longer", `"S 2" at 0.308 s over "S 1"`}},
		"events of 7.3":    {"v73.set", filetest.ByEvent, []trialAt{{1, 5, 25, 0}, {1, 30, 5, 0}, {2, 15, 15, 1}, {2, 30, 15, 1}, {3, 59, 1, 0}}, nil},
		"no manifest":      {"v5_fields.set", "", []trialAt{{1, 0, 30, -1}, {1, 30, 30, -1}}, []string{`"S 1" 2 times`, "boundary"}},
		"a name's label":   {"fdt.set v5.set", "format: eeglab\nfiles: '^(?<subject>.)(?<m>.)t?\\.set$'\nlabel: {group: m, classes: {5: sad, d: glad}}\n", []trialAt{{1, 0, 30, 1}, {1, 30, 30, 1}, {1, 0, 30, 0}, {1, 30, 30, 0}}, nil},
		"epochs":           {"epochs.set", strings.Replace(filetest.ByEvent, "seconds: 0.6, ", "", 1), epochs, []string{"4 epochs"}},
		"epochs from 0 on": {"epochs73.set", strings.Replace(filetest.ByEvent, "0.6", "0.1", 1), []trialAt{{1, 5, 5, 0}, {2, 20, 5, 1}, {3, 35, 5, 0}, {4, 50, 5, 1}}, nil},
		"short epochs":     {"epochs_fdt.set", filetest.ByEvent, []trialAt{{1, 5, 10, 0}, {2, 20, 10, 1}, {3, 35, 10, 0}, {4, 50, 10, 1}}, []string{"end before"}},
		"some epochs":      {"epochs.set", strings.Replace(filetest.ByEvent, "seconds: 0.6, classes: {S 1: sad, S 2: glad}", "classes: {S 1: sad, S 3: glad}", 1), []trialAt{epochs[0], epochs[2]}, []string{"2 epoch(s) have no event.*2, 4"}},
		"epochs, no label": {"epochs.set", "", []trialAt{{1, 0, 15, -1}, {2, 15, 15, -1}, {3, 30, 15, -1}, {4, 45, 15, -1}}, []string{`"S 1" 2 times`}},
	} {
		t.Run(name, func(t *testing.T) {
			files := strings.Fields(c.set)
			if first := files[0]; strings.Contains(first, "fdt") {
				files = append(files, strings.Replace(first, ".set", ".fdt", 1))
			}
			got, notes := eeglabTrials(t, eeglabSets(t, c.manifest, files...))
			if d := cmp.Diff(c.want, got); d != "" {
				t.Error(d)
			}
			for _, s := range c.says {
				for _, part := range strings.Split(s, ".*") {
					if !strings.Contains(notes, part) {
						t.Errorf("the notes don't say %s: %s", part, notes)
					}
				}
			}
		})
	}
}

// TestEEGLABPlaces: where channels lie is the data set's own word, unless a montage says it.
func TestEEGLABPlaces(t *testing.T) {
	s, err := Open(eeglabSets(t, "", "v73.set"), "")
	if err != nil {
		t.Fatal(err)
	}
	at, ok := s.Positions.Of("C3")
	want, _ := montage.Position("C3")
	if !ok || at.Distance(want) > 0.3 || math.Abs(at.Distance(montage.Point{})-1) > 1e-9 {
		t.Errorf("C3 lies at %v, in the 10-10 system at %v", at, want)
	}
}
