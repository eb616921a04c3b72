package data

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/eegprune/eegprune/internal/mapped"
)

// TestValuesAreTheSameInMemoryAndInFiles: whatever is added, changed and read.
func TestValuesAreTheSameInMemoryAndInFiles(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		f, err := os.CreateTemp(dir, "")
		if err != nil {
			t.Fatal(err)
		}
		memory, nameless, kept := &values{}, &values{}, keptValues(f)
		defer func() {
			if err := errors.Join(memory.close(), nameless.close(), kept.close(), f.Close()); err != nil {
				t.Fatal(err)
			}
		}()
		all := []*values{memory, nameless, kept}
		some := rapid.SliceOfN(rapid.Float32(), 1, 9)
		for range rapid.IntRange(1, 5).Draw(t, "adds") {
			x := some.Draw(t, "x")
			for _, v := range all {
				if err := v.add(slices.Clone(x)); err != nil {
					t.Fatal(err)
				}
			}
			if nameless.file == nil && rapid.Bool().Draw(t, "goes to a file") {
				if err := nameless.toFile(); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := sha256.Sum256(bytesOf(memory.x))
		if !bytes.Equal(kept.sum.Sum(nil), want[:]) {
			t.Fatal("the hash of what was added is another")
		}
		at := rapid.IntRange(0, memory.len()-1).Draw(t, "at")
		x := some.Draw(t, "instead")
		x = x[:min(len(x), memory.len()-at)]
		for _, v := range all {
			if err := v.write(at, x); err != nil {
				t.Fatal(err)
			}
		}
		for _, v := range all {
			got := make([]float32, memory.len())
			if err := v.read(0, got); err != nil || v.len() != len(got) || !bytes.Equal(bytesOf(got), bytesOf(memory.x)) {
				t.Fatalf("%d values %v (%v), want %v", v.len(), got, err, memory.x)
			}
		}
	})
}

// TestALargeSetIsTheSameInAFile: the features of Features where they are too many for
// memory, standardized in their file, and those of a cache.
func TestALargeSetIsTheSameInAFile(t *testing.T) {
	o := GridOptions()
	o.Standardize = StandardizeSubject
	in := func(v *values) *Set {
		b := &builder{source: madeSource(t, 3, 4), options: o, values: v}
		set, err := b.features(t.Context())
		if err == nil {
			err = v.giveTo(set)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := set.Close(); err != nil {
				t.Error(err)
			}
		})
		return set
	}
	file := &values{}
	if err := file.toFile(); err != nil {
		t.Fatal(err)
	}
	large, small := in(file), in(&values{})
	kept, _, err := Cache{t.TempDir()}.Features(t.Context(), madeSource(t, 3, 4), o)
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	if large.file == nil || kept.file == nil || small.file != nil {
		t.Fatal("the sets don't lie where they should")
	}
	want, err := small.Hash()
	if err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]*Set{"large": large, "kept": kept} {
		if !bytes.Equal(bytesOf(set.X), bytesOf(small.X)) {
			t.Errorf("%s: other values", name)
		}
		sum, err := set.Hash()
		if err != nil || !bytes.Equal(sum.Sum(nil), want.Sum(nil)) {
			t.Errorf("%s: another hash (%v)", name, err)
		}
	}
	again, hit, err := Cache{filepath.Dir(kept.file.Name())}.Features(t.Context(), madeSource(t, 3, 4), o)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if sum, err := again.Hash(); !hit || err != nil || !bytes.Equal(sum.Sum(nil), want.Sum(nil)) {
		t.Errorf("found again: %v, or it has another hash (%v)", hit, err)
	}
}

func TestASetWhoseFileIsCutSaysSo(t *testing.T) {
	c := Cache{t.TempDir()}
	set, _ := cached(t, c, pairDir(t), GridOptions())
	if err := set.Err(); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(set.file.Name(), valuesAt); err != nil {
		t.Fatal(err)
	}
	if err := set.Err(); !errors.Is(err, ErrLost) || !errors.Is(err, mapped.ErrChanged) {
		t.Errorf("error %v", err)
	}
	if err := errors.Join(set.Close(), set.Close(), set.Err()); err != nil {
		t.Error(err)
	}
}

// TestCacheClearsUpAfterProgramsThatWereKilled: large files that nobody would find.
func TestCacheClearsUpAfterProgramsThatWereKilled(t *testing.T) {
	dir, c := pairDir(t), Cache{t.TempDir()}
	set, _ := cached(t, c, dir, GridOptions())
	path := set.file.Name()
	left := filepath.Join(c.Dir, "."+filepath.Base(path)+"12345")
	other := filepath.Join(c.Dir, ".another.set12345")
	for _, err := range []error{set.Close(), os.Rename(path, left), os.WriteFile(other, nil, 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	set, hit := cached(t, c, dir, GridOptions())
	defer set.Close()
	if _, err := os.Stat(left); hit || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("hit %v; what was left: %v", hit, err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}
