//go:build unix

package mapped

// #include "guard.h"
import "C"

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

// A File is a file whose contents lie in memory.
type File struct {
	f     *os.File
	bytes []byte
	guard *C.guarded
	about os.FileInfo // when it was mapped
}

// Map maps all of a file that is not empty, and takes the file over: Close closes it, as
// does an error.
func Map(f *os.File) (*File, error) {
	m, err := mapFile(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("mapping %s: %w", f.Name(), err), f.Close())
	}
	return m, nil
}

func mapFile(f *os.File) (*File, error) {
	about, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := int(about.Size())
	if size < 1 || int64(size) != about.Size() {
		return nil, fmt.Errorf("a file of %d bytes can't lie in memory", about.Size())
	}
	bytes, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	m := &File{f: f, bytes: bytes, about: about}
	if m.guard = C.guard(unsafe.Pointer(&bytes[0]), C.size_t(size)); m.guard == nil {
		return nil, errors.Join(syscall.ENOMEM, syscall.Munmap(bytes))
	}
	return m, nil
}

// Name is that of the file when it was opened.
func (m *File) Name() string { return m.f.Name() }

// Bytes are the contents. They can't be written to, and end with Close.
func (m *File) Bytes() []byte { return m.bytes }

// Err returns an error if Bytes may no longer be what they were when the file was mapped:
// it was cut, or written to, or its disk failed. What was computed of them before Err was
// asked is then worth nothing.
func (m *File) Err() error {
	if C.guard_lost(m.guard) != 0 {
		return fmt.Errorf("%s: %w: it was cut or its disk failed", m.f.Name(), ErrChanged)
	}
	now, err := m.f.Stat()
	if err != nil {
		return fmt.Errorf("looking at %s: %w", m.f.Name(), err)
	}
	if now.Size() != m.about.Size() || !now.ModTime().Equal(m.about.ModTime()) {
		return fmt.Errorf("%s: %w: it was written to", m.f.Name(), ErrChanged)
	}
	return nil
}

// Close ends the mapping.
func (m *File) Close() error {
	if m == nil || m.bytes == nil {
		return nil
	}
	C.unguard(m.guard)
	err := errors.Join(syscall.Munmap(m.bytes), m.f.Close())
	m.bytes = nil
	return err
}
