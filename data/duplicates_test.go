package data

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"eegprune/data/npy"
	"eegprune/internal/note"
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
	one, two := plain(), plain()
	two.sample = func(c, i int) float64 { return wave(c+7, i) }
	a, b := one.bytes(t), two.bytes(t)
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
		"of another label":     {byName, map[string][]byte{"s1_1_sad.edf": a, "s1_2_glad.edf": a}, []string{"s1_1_sad.edf", "s1_2_glad.edf"}, []string{"another label", "s1_1_sad.edf (sad) and s1_2_glad.edf (glad)"}},
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

// TestTrialsThatAreThereTwice: in one file they are taken once, and said; those of another
// file are said.
func TestTrialsThatAreThereTwice(t *testing.T) {
	trials := func(which ...int) npy.Named {
		var x []float64
		for _, w := range which {
			for _, row := range smallTrial(w, 2, 32) {
				x = append(x, row...)
			}
		}
		return npy.Named{Name: "x", Shape: []int{len(which), 2, 32}, Values: x}
	}
	rate, channels := npy.Named{Name: "rate", Values: []float64{8}}, npy.Named{Name: "channels", Values: []string{"Fp1", "T7"}}
	y := func(list ...int64) npy.Named { return npy.Named{Name: "y", Values: list} }
	s, err := Open(copied(t, map[string][]byte{
		"a.npz": archive(t, trials(0, 1, 0, 1), rate, channels, y(0, 1, 0, 0)),
		"b.npz": archive(t, trials(2, 1), rate, channels, y(0, 1)),
	}), "")
	if err != nil {
		t.Fatal(err)
	}
	sum := inspected(t, s)
	if len(sum.Subjects) != 2 || sum.Subjects[0].Trials != 3 || sum.Subjects[1].Trials != 1 {
		t.Errorf("subjects %+v, want 3 and 1 trials", sum.Subjects)
	}
	said := strings.Join(sum.Notes.Sentences(), "\n")
	for _, w := range []string{"a.npz: Trial 3 has the same samples as trial 1 and is left out", "a.npz: Trial 4 has the same samples as trial 2 and another label", "b.npz: Trial 2 has the same samples as trial 2 of subject a in a.npz and is left out."} {
		if !strings.Contains(said, w) {
			t.Errorf("the notes don't say %q: %s", w, said)
		}
	}
	set, err := Features(t.Context(), s, lowBand())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range set.Clips {
		if filepath.Base(c.File) == "a.npz" && c.Trial == 3 || filepath.Base(c.File) == "b.npz" && c.Trial == 2 {
			t.Error("clips are made of a trial that is there twice")
		}
	}
	o := lowBand()
	o.Strict = true
	if _, err := Features(t.Context(), s, o); err == nil || !strings.Contains(err.Error(), "--strict") {
		t.Errorf("strict: %v", err)
	}
}

// TestFileNamesAreOneToOne: names that can't stand in a file's name, or that meet where no
// case is known, stay apart.
func TestFileNamesAreOneToOne(t *testing.T) {
	var n fileNames
	seen := map[string]string{}
	for _, name := range []string{"s_1", "s-1", "S-1", "s/1", "s:1", "", "s_session-2", "s-session-2", "geöffnet", "geo\u0308ffnet", strings.Repeat("x", 300), strings.Repeat("x", 299) + "y", "s\xff1", "~2"} {
		plain := n.of(name)
		if other, ok := seen[strings.ToLower(plain)]; ok {
			t.Errorf("%q and %q are both %q", other, name, plain)
		}
		seen[strings.ToLower(plain)] = name
		if n.of(name) != plain || strings.ContainsAny(plain, `/\:*?"<>|`) || len(plain) > longestName+5 {
			t.Errorf("%q is %q", name, plain)
		}
	}
	if n.of("s_1") != "s_1" {
		t.Errorf("s_1 is renamed %q", n.of("s_1"))
	}
	if notes := n.notes("subjects"); len(notes) != 1 || notes[0].Kind != note.About {
		t.Errorf("notes %q", notes)
	}
}

// TestUnlikelyValues: what no EEG in microvolts has is said.
func TestUnlikelyValues(t *testing.T) {
	for scale, word := range map[float64]string{1: "", 0.1: "", 30: "", 1e-6: "volts", 1e-3: "millivolts", 1e6: "larger"} {
		r := &Recording{Samples: [][]float64{make([]float64, 100), make([]float64, 100)}}
		for i := range 100 {
			r.Samples[0][i] = scale * wave(1, i)
		}
		said := r.unlikely(format{})
		if (said == nil) != (word == "") || said != nil && (!strings.Contains(said.What, word) || said.Kind != note.Assumed) {
			t.Errorf("times %g: %v, want %q", scale, said, word)
		}
	}
}
