package simulate

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/note"
)

// FuzzDamagedSets changes bytes of a file of a data set, or cuts it: reading ends with an error or
// without, and never otherwise.
func FuzzDamagedSets(f *testing.F) {
	// Others have the same readers.
	names := []string{"seed", "seed-v", "dreamer", "amigos", "faced", "gameemo", "mahnob-hci", "deap-bdf", "seed-v-features", "faced-bdf", "dasps"}
	sets := make([]map[string][]byte, len(names))
	for i, name := range names {
		c, err := DefaultFor(name)
		if err != nil {
			f.Fatal(err)
		}
		c.Subjects, c.Seconds = 1, 1
		if name == "seed-v-features" {
			c.Seconds = c.Window
		}
		dir := filepath.Join(f.TempDir(), "made")
		if _, err := Write(f.Context(), dir, c, nil); err != nil {
			f.Fatal(err)
		}
		sets[i] = map[string][]byte{}
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || d.Name() == source.ManifestName {
				return err
			}
			below, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			sets[i][below], err = os.ReadFile(path)
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
		for which := range uint8(2) {
			f.Add(uint8(i), which, uint32(700), byte(255), uint32(0))
			f.Add(uint8(i), which, uint32(40), byte(0), uint32(1000))
		}
	}
	f.Fuzz(func(t *testing.T, set, which uint8, at uint32, value byte, cut uint32) {
		dir := t.TempDir()
		files := sets[int(set)%len(sets)]
		var order []string
		for name := range files {
			order = append(order, name)
		}
		slices.Sort(order)
		damaged := order[int(which)%len(order)]
		for _, name := range order {
			b := slices.Clone(files[name])
			if name == damaged && len(b) > 0 {
				for k := range min(4, len(b)) {
					b[(int(at)+k)%len(b)] ^= value
				}
				b = b[:len(b)-int(cut)%len(b)]
			}
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s, err := source.Open(dir, names[int(set)%len(names)])
		if err != nil {
			return
		}
		_ = s.Each(t.Context(), source.Walk{SkipBad: true, Bad: func(error) {}, Notes: &note.List{}}, func(r *source.Recording) error {
			for _, x := range r.Samples {
				if len(x) != r.Len() {
					t.Errorf("%s: trial %d has channels of different length", r.File, r.Trial)
				}
			}
			return nil
		})
	})
}

// TestDamageIsSaid: of a file that is cut off, empty, another's or missing, the error is a sentence
// that names it; a missing file beside it is named, or its labels.
func TestDamageIsSaid(t *testing.T) {
	for format, files := range map[string][]string{
		"seed-v-features": {"1_123.npz"},
		"faced":           {"Processed_data/sub000.pkl", "Rating/sub000/After_remarks.mat"},
		"faced-bdf":       {"Data/sub000/data.bdf", "Data/sub000/evt.bdf", "Data/sub000/After_remarks.mat"},
		"dasps":           {"Preprocessed data .mat/S01preprocessed.mat", "Raw data.mat/S01.mat"},
		"dreamer":         {"DREAMER.mat"},
		"amigos":          {"Data_Preprocessed_P01.mat"},
		"gameemo":         {"(S01)/Preprocessed EEG Data/.csv format/S01G1AllChannels.csv"},
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			c, err := DefaultFor(format)
			if err != nil {
				t.Fatal(err)
			}
			f, err := formatNamed(format)
			if err != nil {
				t.Fatal(err)
			}
			c.Subjects, c.Seconds = 1, max(1, f.window)
			dir, _ := write(t, c)
			for _, name := range files {
				path := filepath.Join(dir, filepath.FromSlash(name))
				whole, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				for what, b := range map[string][]byte{"half": whole[:len(whole)/2], "a header's part": whole[:100], "empty": {}, "text": []byte("no recording"), "missing": nil} {
					if err := os.WriteFile(path, b, 0o600); err != nil {
						t.Fatal(err)
					}
					if b == nil {
						if err := os.Remove(path); err != nil {
							t.Fatal(err)
						}
					}
					var said []string
					s, err := source.Open(dir, format)
					if err == nil {
						var sum *source.Summary
						if sum, err = source.Inspect(t.Context(), s, nil); err == nil {
							said = append(sum.Bad, sum.Notes.Sentences()...)
						}
					}
					if err != nil {
						said = append(said, err.Error())
					}
					named := func(text string) bool {
						return strings.Contains(text, filepath.Base(path)) || strings.Contains(text, "cut off") || what == "missing" && (strings.Contains(text, "missing") || strings.Contains(text, "Trials are not here"))
					}
					if !slices.ContainsFunc(said, named) && !(what == "missing" && err != nil) {
						t.Errorf("%s, %s: of it is said %q", name, what, said)
					}
					for _, line := range said {
						if strings.Contains(line, "\n") {
							t.Errorf("%s, %s: %q is no sentence", name, what, line)
						}
					}
				}
				if err := os.WriteFile(path, whole, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
