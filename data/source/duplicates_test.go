package source

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/internal/note"
)

// copied puts files below a new directory as they are: copies are equal.
func copied(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, b := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCopiesAreLeftOutAndNamed(t *testing.T) {
	one, two := filetest.Plain(), filetest.Plain()
	two.Sample = func(c, i int) float64 { return filetest.Wave(c+7, i) }
	a, b := one.Bytes(t), two.Bytes(t)
	for name, c := range map[string]struct {
		manifest string
		files    map[string][]byte
		want     []string // the files that are read
		words    []string
	}{
		"different":            {"", map[string][]byte{"s1.edf": a, "s2.edf": b}, []string{"s1.edf", "s2.edf"}, nil},
		"two names":            {"", map[string][]byte{"s1.edf": a, "s2.edf": a, "s3.edf": b}, []string{"s1.edf", "s3.edf"}, []string{"s2.edf (of s1.edf)", "same contents"}},
		"in backup":            {"", map[string][]byte{"s1.edf": a, "backup/s1.edf": a, "s2.edf": b}, []string{"s1.edf", "s2.edf"}, []string{"backup/s1.edf (of s1.edf)"}},
		"sorted before":        {"", map[string][]byte{"Backup_2020/s1.edf": a, "data/s1.edf": a}, []string{"data/s1.edf"}, []string{"Backup_2020/s1.edf (of data/s1.edf)"}},
		"worked on":            {"", map[string][]byte{"sub-1/sub-1_eeg.edf": a, "derivatives/clean/sub-1/sub-1_eeg.edf": b}, []string{"sub-1/sub-1_eeg.edf"}, []string{"derivatives/clean/sub-1/sub-1_eeg.edf (of sub-1/sub-1_eeg.edf)", "directory of copies"}},
		"nothing but backups":  {"", map[string][]byte{"backup/s1.edf": a, "backup/s2.edf": b}, []string{"backup/s1.edf", "backup/s2.edf"}, nil},
		"of another label":     {filetest.ByName, map[string][]byte{"s1_1_sad.edf": a, "s1_2_glad.edf": a}, []string{"s1_1_sad.edf", "s1_2_glad.edf"}, []string{"another label", "s1_1_sad.edf (sad) and s1_2_glad.edf (glad)"}},
		"other case":           {"", map[string][]byte{"S1.edf": a, "s1.edf": b}, []string{"S1.edf", "s1.edf"}, []string{`"S1" and "s1"`}},
		"one name, two places": {"format: edf\nfiles: 's(?<subject>\\d)\\.edf$'\n", map[string][]byte{"mon/s1.edf": a, "tue/s1.edf": b}, []string{"mon/s1.edf", "tue/s1.edf"}, []string{"mon/s1.edf and tue/s1.edf"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.manifest != "" {
				c.files[ManifestName] = []byte(c.manifest)
			}
			dir := copied(t, c.files)
			s, err := Open(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, f := range s.Files {
				names = append(names, f.Name)
			}
			slices.Sort(names)
			if !slices.Equal(names, c.want) {
				t.Errorf("it reads %q, want %q", names, c.want)
			}
			said := strings.Join(s.Notes.Sentences(), "\n")
			for _, w := range c.words {
				if !strings.Contains(said, w) {
					t.Errorf("the notes don't say %q: %s", w, said)
				}
			}
			if strict := s.Notes.Strict(); (strict == nil) != (c.words == nil) {
				t.Errorf("strict: %v", strict)
			}
			// Who asks for classes gets one for every file.
			all, err := OpenUnlabelled(dir, "")
			if err != nil {
				t.Fatal(err)
			}
			if given := len(c.files) - len(c.manifest)/max(1, len(c.manifest)); len(all.Files) != given {
				t.Errorf("predict reads %d of %d files", len(all.Files), given)
			}
		})
	}
}

// TestUnlikelyValues: amplitudes that no EEG in microvolts has are noted.
func TestUnlikelyValues(t *testing.T) {
	for scale, word := range map[float64]string{1: "", 0.1: "", 30: "", 1e-6: "volts", 1e-3: "millivolts", 1e6: "larger"} {
		r := &Recording{Samples: [][]float64{make([]float64, 100), make([]float64, 100)}}
		for i := range 100 {
			r.Samples[0][i] = scale * filetest.Wave(1, i)
		}
		said := r.unlikely(format{})
		if (said == nil) != (word == "") || said != nil && (!strings.Contains(said.What, word) || said.Kind != note.Assumed) {
			t.Errorf("times %g: %v, want %q", scale, said, word)
		}
	}
}
