package data

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/data/filetest"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
)

func cached(t *testing.T, c Cache, dir string, o Options) (*Set, bool) {
	t.Helper()
	s, err := source.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	set, hit, err := c.Features(t.Context(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := set.Close(); err != nil {
			t.Error(err)
		}
	})
	return set, hit
}

func pairDir(t *testing.T) string {
	b := filetest.Plain().Bytes(t)
	return filetest.Put(t, map[string][]byte{source.ManifestName: []byte(filetest.ByName), "s1_1_sad.edf": b, "s1_2_glad.edf": b})
}

func TestCacheGivesWhatFeaturesMakes(t *testing.T) {
	dir, c := pairDir(t), Cache{t.TempDir()}
	o := GridOptions()
	first, hit := cached(t, c, dir, o)
	if hit {
		t.Error("an empty cache had the set")
	}
	again, hit := cached(t, c, dir, o)
	if !hit {
		t.Error("the cache didn't have the set that it made")
	}
	if d := cmp.Diff(first, again, cmpopts.IgnoreUnexported(Set{})); d != "" {
		t.Error(d)
	}
	// The same recordings elsewhere are the same recordings.
	if _, hit := cached(t, c, pairDir(t), o); !hit {
		t.Error("a copy of the directory wasn't recognised")
	}
}

func TestCacheKeyFollowsContents(t *testing.T) {
	dir, c := pairDir(t), Cache{t.TempDir()}
	o := GridOptions()
	cached(t, c, dir, o)
	o2 := GridOptions()
	o2.Seconds = 0.5
	if _, hit := cached(t, c, dir, o2); hit {
		t.Error("other options gave the same set")
	}
	name := filepath.Join(dir, "s1_1_sad.edf")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-200] ^= 1 // same length
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, hit := cached(t, c, dir, o); hit {
		t.Error("other contents gave the same set")
	}
	m := filepath.Join(dir, source.ManifestName)
	if err := os.WriteFile(m, []byte(filetest.ByName+"trim: {end: 0.5}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, hit := cached(t, c, dir, o); hit {
		t.Error("another manifest gave the same set")
	}
}

func TestCacheMakesDamagedFilesAnew(t *testing.T) {
	dir, c := pairDir(t), Cache{t.TempDir()}
	want, _ := cached(t, c, dir, GridOptions())
	want.X = slices.Clone(want.X) // the file is spoiled below
	files, err := filepath.Glob(filepath.Join(c.Dir, "*.set"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"cut": good[:len(good)-1], "longer": append(slices.Clone(good), 0), "empty": {}, "other": bytes.Repeat([]byte("x"), len(good)), "one bit": flipped(good, len(good)/2), "checksum": flipped(good, len(good)-1)} {
		if err := os.WriteFile(files[0], bad, 0o644); err != nil {
			t.Fatal(err)
		}
		got, hit := cached(t, c, dir, GridOptions())
		if hit {
			t.Errorf("%s: a damaged file was taken", name)
		}
		if d := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Set{})); d != "" {
			t.Error(name, d)
		}
		if _, hit := cached(t, c, dir, GridOptions()); !hit {
			t.Errorf("%s: the file wasn't mended", name)
		}
	}
}

func flipped(b []byte, i int) []byte {
	c := slices.Clone(b)
	c[i] ^= 0x10
	return c
}

func TestCacheMakesOneSetOnce(t *testing.T) {
	dir, c := pairDir(t), Cache{t.TempDir()}
	var wg sync.WaitGroup
	hits := make([]bool, 8)
	errs := make([]error, len(hits))
	for i := range hits {
		wg.Go(func() {
			s, err := source.Open(dir, "")
			if err == nil {
				_, hits[i], err = c.Features(t.Context(), s, GridOptions())
			}
			errs[i] = err
		})
	}
	wg.Wait()
	made := 0
	for i := range hits {
		if errs[i] != nil {
			t.Error(errs[i])
		}
		if !hits[i] {
			made++
		}
	}
	if made != 1 {
		t.Errorf("the set was made %d times", made)
	}
}

func TestCacheTellsWhatIsWrongWithTheRecordings(t *testing.T) {
	dir := pairDir(t)
	if err := os.Truncate(filepath.Join(dir, "s1_2_glad.edf"), 1000); err != nil {
		t.Fatal(err)
	}
	s, err := source.Open(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	c := Cache{t.TempDir()}
	if _, _, err := c.Features(t.Context(), s, GridOptions()); err == nil {
		t.Error("no error")
	}
	if files, _ := filepath.Glob(filepath.Join(c.Dir, "*.set")); len(files) != 0 {
		t.Errorf("left behind: %v", files)
	}
}

func FuzzReadSet(f *testing.F) {
	s := &Set{X: []float32{1, 2, 3, float32(math.Inf(1))}, Shape: []int{2}, Y: []int64{0, 1}, Classes: []string{"a", "b"}, Clips: make([]Clip, 2)}
	var b bytes.Buffer
	sum, err := s.Hash()
	if err == nil {
		err = begin(&b)
	}
	if err == nil {
		b.Write(bytesOf(s.X))
		err = s.end(&b, sum)
	}
	if err != nil {
		f.Fatal(err)
	}
	if _, err := parseSet(f.Context(), bytes.NewReader(b.Bytes()), int64(b.Len())); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:20])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSet(t.Context(), bytes.NewReader(b), int64(len(b)))
		if err == nil && s.checkRowsOf((len(b)-valuesAt)/4) == nil {
			t.Fatal("a set whose values are all of the file")
		}
	})
}

func TestClipRunsKeepEveryClip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clip := rapid.Custom(func(t *rapid.T) Clip {
			start := rapid.IntRange(0, 3).Draw(t, "start")
			return Clip{Subject: rapid.SampledFrom([]string{"a", "b"}).Draw(t, "subject"), Trial: rapid.IntRange(1, 2).Draw(t, "trial"), Start: start, End: start + rapid.IntRange(1, 2).Draw(t, "length")}
		})
		clips := rapid.SliceOf(clip).Draw(t, "clips")
		if d := cmp.Diff(clips, clipsOf(runsOf(clips), len(clips)), cmpopts.EquateEmpty()); d != "" {
			t.Fatal(d)
		}
	})
	regular := make([]Clip, 100)
	for i := range regular {
		regular[i] = Clip{Subject: "a", Start: 5 * i, End: 5*i + 10}
	}
	if n := len(runsOf(regular)); n != 1 {
		t.Errorf("clips at equal steps are %d runs", n)
	}
}

// TestBIDSTablesChangeTheCache: features are not those of before once a table says otherwise.
func TestBIDSTablesChangeTheCache(t *testing.T) {
	dir := filetest.Put(t, map[string][]byte{source.ManifestName: []byte("format: bids\nlabel: {column: trial_type, classes: {happy: high, sad: low}}\n")})
	if err := os.CopyFS(dir, os.DirFS("source/testdata/bids/set")); err != nil {
		t.Fatal(err)
	}
	c := Cache{Dir: t.TempDir()}
	key := func() string {
		s, err := source.Open(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		k, err := c.key(t.Context(), s, GridOptions())
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	const recording = "sub-01/eeg/sub-01_task-emo_run-1_"
	before := key()
	for _, name := range []string{recording + "events.tsv", recording + "channels.tsv", recording + "eeg.eeg"} {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)-2] ^= 1
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		after := key()
		if after == before {
			t.Errorf("%s: the features' name is the same after it has changed", name)
		}
		before = after
	}
}

// TestCacheSeesSamplesBeside: features are made anew when the .fdt has changed and the .set
// hasn't.
func TestCacheSeesSamplesBeside(t *testing.T) {
	dir, c := filetest.Put(t, map[string][]byte{source.ManifestName: []byte(filetest.ByEvent), "fdt.set": mustRead(t, "eeglab/testdata/fdt.set"), "fdt.fdt": mustRead(t, "eeglab/testdata/fdt.fdt")}), Cache{t.TempDir()}
	o := Options{Seconds: 0.1, Transforms: transform.Pipeline{&transform.To2d{}}}
	before, hit := cached(t, c, dir, o)
	if hit {
		t.Error("an empty cache had the set")
	}
	if _, hit = cached(t, c, dir, o); !hit {
		t.Error("the cache didn't have the set that it made")
	}
	path := filepath.Join(dir, "fdt.fdt")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[12*6+3] ^= 0x80 // the sign of a sample
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	after, hit := cached(t, c, dir, o)
	if hit || cmp.Equal(before.X, after.X) {
		t.Error("other samples gave the same set")
	}
}
