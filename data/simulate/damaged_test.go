package simulate

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/note"
)

// FuzzDamagedSets changes bytes of a file of a data set, or cuts it: reading ends with an error or
// without, and never otherwise.
func FuzzDamagedSets(f *testing.F) {
	// Others have the same readers.
	names := []string{"seed", "seed-v", "dreamer", "amigos", "faced", "gameemo", "mahnob-hci", "deap-bdf"}
	sets := make([]map[string][]byte, len(names))
	for i, name := range names {
		c, err := DefaultFor(name)
		if err != nil {
			f.Fatal(err)
		}
		c.Subjects, c.Seconds = 1, 1
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
