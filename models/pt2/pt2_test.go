package pt2

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// examples are the archives that testdata/make.py wrote.
func examples(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.pt2")
	if err != nil || len(files) != 11 {
		t.Fatalf("testdata has %d archives (%v)", len(files), err)
	}
	return files
}

func read(t testing.TB, path string) *Program {
	t.Helper()
	p, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	more, err := filepath.Glob(os.Getenv("EEGPRUNE_NETWORKS")) // a pattern of files beside those of testdata
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(examples(t), more...) {
		p := read(t, file)
		path := filepath.Join(t.TempDir(), "x.pt2")
		if err := Write(path, p); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if !Is(path) {
			t.Errorf("%s is no archive when it was written again", file)
		}
		if q := read(t, path); !reflect.DeepEqual(p, q) {
			t.Errorf("%s: %s", file, cmp.Diff(p, q))
		}
	}
}

func TestUnboundedIsNone(t *testing.T) {
	if p := read(t, "testdata/attention.2.9.pt2"); p.MinClips != 2 || p.MaxClips != math.MaxInt {
		t.Errorf("%d to %d", p.MinClips, p.MaxClips)
	}
}
