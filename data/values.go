package data

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"os"
	"unsafe"

	"github.com/eegprune/eegprune/internal/mapped"
)

// inMemory is how many values a set that no cache keeps has in memory (64 MB). Those of a
// larger one are in a file.
const inMemory = 16 << 20

// values are the values of a set while it is made.
type values struct {
	x    []float32 // while there is no file
	file *os.File
	at   int64 // where they begin in the file
	n    int   // how many there are in the file
	sum  hash.Hash
}

// keptValues are in a file from the first on.
func keptValues(f *os.File) *values { return &values{file: f, at: valuesAt, sum: sha256.New()} }

// add puts more after those there are.
func (v *values) add(x []float32) error {
	if v.file == nil && len(v.x)+len(x) <= inMemory {
		v.x = append(v.x, x...)
		return nil
	}
	if v.file == nil {
		if err := v.toFile(); err != nil {
			return err
		}
	}
	return v.write(v.n, x)
}

// toFile puts values into a file that has no name, and ends with the program at the latest.
func (v *values) toFile() error {
	f, err := os.CreateTemp("", "eegprune-*")
	if err == nil {
		v.file = f
		err = os.Remove(f.Name())
	}
	if err != nil {
		return fmt.Errorf("making a file for features that are too many for memory: %w: name another directory by TMPDIR", err)
	}
	x := v.x
	v.x = nil
	return v.write(0, x)
}

// write puts values in the place of others, or after all. In a kept file sum has then seen
// those that were put after all others, and no longer all where others were changed.
func (v *values) write(at int, x []float32) error {
	if v.file == nil {
		copy(v.x[at:], x)
		return nil
	}
	b := bytesOf(x)
	if _, err := v.file.WriteAt(b, v.at+4*int64(at)); err != nil {
		return fmt.Errorf("writing features: %w", err)
	}
	switch {
	case at < v.n:
		v.sum = nil
	case v.sum != nil:
		_, _ = v.sum.Write(b) // it never fails
	}
	v.n = max(v.n, at+len(x))
	return nil
}

// read fills x with the values from at on.
func (v *values) read(at int, x []float32) error {
	if v.file == nil {
		copy(x, v.x[at:])
		return nil
	}
	if _, err := v.file.ReadAt(bytesOf(x), v.at+4*int64(at)); err != nil {
		return fmt.Errorf("reading features: %w", err)
	}
	return nil
}

// len returns how many there are.
func (v *values) len() int {
	if v.file == nil {
		return len(v.x)
	}
	return v.n
}

// giveTo makes them those of a set, which no cache keeps.
func (v *values) giveTo(s *Set) error {
	if v.file == nil {
		s.X = v.x
		return nil
	}
	f := v.file
	v.file = nil
	return s.hold(f, v.at)
}

// close closes the file of values that nobody was given.
func (v *values) close() error {
	if v.file == nil || v.at > 0 { // a kept file is its writer's
		return nil
	}
	return v.file.Close()
}

// hold makes values of a file, which s then owns, its own.
func (s *Set) hold(f *os.File, at int64) (err error) {
	if s.file, err = mapped.Map(f); err != nil {
		return fmt.Errorf("having features in memory: %w", err)
	}
	s.X = floatsOf(s.file.Bytes()[at:][:4*s.Len()*s.clipSize()])
	return nil
}

// ErrLost is wrapped by the error of a set whose file has changed while it was in use.
var ErrLost = errors.New("the features are lost")

// Err returns an error if the file that X lies in has changed: X is then worth nothing.
func (s *Set) Err() error {
	if s.file == nil {
		return nil
	}
	if err := s.file.Err(); err != nil {
		return fmt.Errorf("%w (%w): type the command again, which makes them anew", ErrLost, err)
	}
	return nil
}

// Close ends the use of X. Nothing may use its memory any more.
func (s *Set) Close() error {
	if s == nil || s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.X, s.file = nil, nil
	return err
}

// Hash returns a SHA-256 that has seen X as float32, little-endian.
func (s *Set) Hash() (hash.Hash, error) {
	if s.sum == nil {
		s.sum = sha256.New()
		for x := s.X; len(x) > 0; {
			n := min(len(x), 1<<18)
			_, _ = s.sum.Write(bytesOf(x[:n])) // it never fails
			x = x[n:]
		}
	}
	return cloned(s.sum)
}

// bytesOf is the memory of x in the file's format: float32, little-endian.
func bytesOf(x []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), 4*len(x))
}

// floatsOf is the opposite of bytesOf. b begins at a multiple of 4.
func floatsOf(b []byte) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}
