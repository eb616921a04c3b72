//go:build !unix

package mapped

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// A File is a file whose contents lie in memory.
type File struct {
	name  string
	bytes []byte
}

// Map reads all of a file, where files can't be mapped, and closes it.
func Map(f *os.File) (*File, error) {
	b, err := io.ReadAll(io.NewSectionReader(f, 0, 1<<62))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("reading %s: %w", f.Name(), err)
	}
	return &File{f.Name(), b}, nil
}

// Name is that of the file when it was opened.
func (m *File) Name() string { return m.name }

// Bytes are the contents.
func (m *File) Bytes() []byte { return m.bytes }

// Err returns nil: what was read stays as it is.
func (m *File) Err() error { return nil }

// Close lets go of the contents.
func (m *File) Close() error {
	if m != nil {
		m.bytes = nil
	}
	return nil
}
