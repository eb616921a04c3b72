// Package mapped gives the contents of a file as memory, which the kernel reads from the
// file when it is touched and may drop again at any time. A file that is cut meanwhile, or
// whose disk fails, doesn't end the program.
package mapped

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrChanged is wrapped by the error of a file that changed while it was mapped.
var ErrChanged = errors.New("the file changed while it was in use")

// Open maps the file at a path; see [Map].
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return Map(f)
}

// Map maps all of a file, and takes the file over: Close closes it, as does an error. Where
// it can't be mapped, as it is empty, a pipe or in a file system that can't, it is read.
func Map(f *os.File) (*File, error) {
	if m := mapFile(f); m != nil {
		return m, nil
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Name(), err)
	}
	return &File{name: f.Name(), bytes: b}, nil
}

// Name is that of the file when it was opened.
func (m *File) Name() string { return m.name }

// Bytes are the contents. They can't be written to, and end with Close.
func (m *File) Bytes() []byte { return m.bytes }
