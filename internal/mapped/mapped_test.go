//go:build unix

package mapped

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// filled makes a file of so many bytes, all 7.
func filled(t *testing.T, size int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, bytes.Repeat([]byte{7}, size), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Map(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func sum(b []byte) (n int) {
	for _, v := range b {
		n += int(v)
	}
	return n
}

func TestBytesAreTheFiles(t *testing.T) {
	const size = 3*4096 + 5
	path := filled(t, size)
	m := open(t, path)
	if len(m.Bytes()) != size || sum(m.Bytes()) != 7*size || m.Err() != nil {
		t.Errorf("%d bytes with the sum %d (%v)", len(m.Bytes()), sum(m.Bytes()), m.Err())
	}
	// Renaming another file over it, or removing it, leaves the mapping alone.
	other := filled(t, 1)
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if sum(m.Bytes()) != 7*size || m.Err() != nil {
		t.Errorf("after it was replaced: the sum %d (%v)", sum(m.Bytes()), m.Err())
	}
}

// TestAFileThatIsCutIsFound: without the guard this ends the test's process by SIGBUS.
func TestAFileThatIsCutIsFound(t *testing.T) {
	const size = 64 * 4096
	whole, path := open(t, filled(t, size)), filled(t, size)
	m := open(t, path)
	if err := os.Truncate(path, 4096); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { sum(m.Bytes()) })
	}
	wg.Wait()
	if err := m.Err(); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v", err)
	}
	if sum(whole.Bytes()) != 7*size || whole.Err() != nil {
		t.Error("another file was lost with it")
	}
	if again := open(t, filled(t, size)); sum(again.Bytes()) != 7*size || again.Err() != nil {
		t.Error("a file that is mapped afterwards is lost")
	}
}

func TestAFileThatIsWrittenToIsFound(t *testing.T) {
	path := filled(t, 4096)
	m := open(t, path)
	if err := os.WriteFile(path, bytes.Repeat([]byte{8}, 4096), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := m.Err(); !errors.Is(err, ErrChanged) {
		t.Errorf("error %v", err)
	}
}

func TestGuardsAreUsedAgain(t *testing.T) {
	path := filled(t, 4096)
	var first *File
	for range 1000 {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Map(f)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m
		}
		if m.guard != first.guard {
			t.Fatal("one guard after another is made")
		}
		if err := errors.Join(m.Close(), m.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWhatCantBeMappedIsRead: a file that is empty, and one that has no place.
func TestWhatCantBeMappedIsRead(t *testing.T) {
	empty := open(t, filled(t, 0))
	if len(empty.Bytes()) != 0 || empty.Err() != nil {
		t.Errorf("an empty file has %d bytes (%v)", len(empty.Bytes()), empty.Err())
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		_, _ = w.WriteString("through a pipe")
		_ = w.Close()
	}()
	m, err := Map(r)
	if err != nil || string(m.Bytes()) != "through a pipe" || m.Err() != nil || m.Close() != nil {
		t.Errorf("%q (%v)", m.Bytes(), err)
	}
	if _, err := Open(t.TempDir()); err == nil {
		t.Error("a directory has contents")
	}
}
