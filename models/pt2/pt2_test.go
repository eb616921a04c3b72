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
	if err != nil || len(files) != 5 {
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
	files := examples(t)
	if more, _ := filepath.Glob(os.Getenv("PT2_NETS")); len(more) > 0 {
		files = append(files, more...)
	}
	for _, file := range files {
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
