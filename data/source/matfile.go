package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/eegprune/eegprune/data/mat"
)

// errStop ends a walk through a file whose rest isn't wanted.
var errStop = errors.New("stop")

// eachArray calls do for the variables of a MAT file whose paths are wanted. Errors name
// the file.
func eachArray(ctx context.Context, path string, want func(string) bool, do func(*mat.Array) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading a recording: %w", err)
	}
	walk := func() error {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		for x, err := range mat.Arrays(ctx, file, info.Size(), want) {
			if err == nil {
				err = do(x)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
		return nil
	}
	return errors.Join(walk(), file.Close())
}

// withArrays reads the variables of a MAT file that are wanted, while it is open. Errors name the
// file.
func withArrays(ctx context.Context, path string, want func(string) bool, do func(map[string]*mat.Array) error) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading a recording: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	all := map[string]*mat.Array{}
	for x, err := range mat.Arrays(ctx, file, info.Size(), want) {
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all[x.Name] = x
	}
	if err := do(all); err != nil {
		return inFile(path, err)
	}
	return nil
}

// withFirstArrays is withArrays of the first of some files that is there. The error is fs.ErrNotExist
// where none is.
func withFirstArrays(ctx context.Context, paths []string, want func(string) bool, do func(map[string]*mat.Array) error) error {
	for _, path := range paths {
		if err := withArrays(ctx, path, want, do); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fs.ErrNotExist
}

// matrix makes rows of zeros.
func matrix(rows, columns int) [][]float64 {
	all := make([][]float64, rows)
	for i := range all {
		all[i] = make([]float64, columns)
	}
	return all
}
