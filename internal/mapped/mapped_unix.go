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
	name  string
	bytes []byte
	f     *os.File // nil where it was read
	guard *C.guarded
	about os.FileInfo // when it was mapped
}

// mapFile returns nil for a file that can't be mapped.
func mapFile(f *os.File) *File {
	about, err := f.Stat()
	if err != nil || !about.Mode().IsRegular() {
		return nil
	}
	size := int(about.Size())
	if size < 1 || int64(size) != about.Size() {
		return nil
	}
	bytes, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return nil
	}
	m := &File{name: f.Name(), bytes: bytes, f: f, about: about}
	if m.guard = C.guard(unsafe.Pointer(&bytes[0]), C.size_t(size)); m.guard == nil {
		_ = syscall.Munmap(bytes) // memory is short, and reading will say so
		return nil
	}
	return m
}

// Err returns an error if Bytes may have changed since the file was mapped: it was cut,
// or written to, or its disk failed. Results computed from Bytes before Err was asked are
// then worth nothing.
func (m *File) Err() error {
	if m == nil || m.f == nil {
		return nil
	}
	if C.guard_lost(m.guard) != 0 {
		return fmt.Errorf("%s: %w: it was cut, or its disk failed", m.name, ErrChanged)
	}
	now, err := m.f.Stat()
	if err != nil {
		return fmt.Errorf("looking at %s: %w", m.name, err)
	}
	if now.Size() != m.about.Size() || !now.ModTime().Equal(m.about.ModTime()) {
		return fmt.Errorf("%s: %w: it was written to", m.name, ErrChanged)
	}
	return nil
}

// Close ends the use of Bytes.
func (m *File) Close() error {
	if m == nil || m.f == nil {
		return nil
	}
	C.unguard(m.guard)
	err := errors.Join(syscall.Munmap(m.bytes), m.f.Close())
	m.bytes, m.f = nil, nil
	return err
}
