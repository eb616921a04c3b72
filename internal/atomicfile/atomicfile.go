// Package atomicfile writes files that are whole or not there, also after a power
// failure.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"
)

// Write writes a file under a temporary name beside it and renames it when it is whole and
// on disk; the new name is on disk too when it returns. On an error nothing is left, and a
// file that was at path before is unchanged.
func Write(path string, write func(w io.Writer) error) error {
	return Build(path, func(f *os.File) error { return write(f) })
}

// Build is [Write] for a file that is not written from its beginning to its end.
func Build(path string, write func(f *os.File) error) error {
	if err := replace(path, write); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// RemoveLeftovers removes the temporary files of programs that were killed while they
// wrote a file. Nobody may be writing it.
func RemoveLeftovers(path string) error {
	dir, prefix := filepath.Dir(path), "."+filepath.Base(path)
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// WriteFile is [Write] for content that is at hand.
func WriteFile(path string, content []byte) error {
	return Write(path, func(w io.Writer) error { _, err := w.Write(content); return err })
}

func replace(path string, write func(f *os.File) error) (err error) {
	dir := filepath.Dir(path)
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithPermissions(0o644), renameio.WithExistingPermissions())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Cleanup()) }()
	if err := write(f.File); err != nil {
		return err
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return err
	}
	return sync(dir)
}

// Rename gives a file or a directory that is complete its name: it is on disk
// before it has the name, and the name is on disk when Rename returns. Of a
// directory the files must be on disk already.
func Rename(from, to string) error {
	if err := sync(from); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return sync(filepath.Dir(to))
}

func sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	// Some network file systems know no fsync of a directory: there is nothing
	// more that could be done on them.
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, f.Close())
}
