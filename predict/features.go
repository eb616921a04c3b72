package predict

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/data/npy"
	"github.com/eegprune/eegprune/internal/mapped"
)

// ErrName is of a file whose name ends in none of the formats that there are.
var ErrName = errors.New("the name says no format")

// featureArray is the array of an .npz file that holds clips.
const featureArray = "x"

// Features are clips in a file, which are read as they are needed. Their owner closes them.
type Features struct {
	Clips *ndarray.Array // [clips, channels, height, width]; signals have one channel
	path  string
	file  *mapped.File
}

// OpenFeatures opens an .npy file of clips, or an .npz file with the array x of them.
func OpenFeatures(path string) (*Features, error) {
	parse := npy.Parse
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npy":
	case ".npz":
		parse = func(b []byte) (*ndarray.Array, error) {
			z, err := npy.OpenArchive(b)
			if err != nil {
				return nil, err
			}
			return z.Array(featureArray)
		}
	default:
		return nil, nameError{fmt.Sprintf("%s: features are read from .npz and .npy files", path)}
	}
	file, err := mapped.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the features %s: %w", path, err)
	}
	x, err := parse(file.Bytes())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the features %s: %w", path, err), file.Close())
	}
	if len(x.Shape) == 3 { // signals: [clips, electrodes, samples]
		x.Shape = []int{x.Shape[0], 1, x.Shape[1], x.Shape[2]}
	}
	return &Features{Clips: x, path: path, file: file}, nil
}

// Close closes the file.
func (f *Features) Close() error { return f.file.Close() }

// Input is the shape of one clip, zeros where there are none.
func (f *Features) Input() [3]int { return clipShape(f.Clips) }

func clipShape(x *ndarray.Array) (shape [3]int) {
	if len(x.Shape) == 4 {
		copy(shape[:], x.Shape[1:])
	}
	return shape
}

// Features classifies the clips of a file.
func (p *Predictor) Features(ctx context.Context, f *Features) (*Prediction, error) {
	made, err := p.Clips(ctx, f.Clips)
	if err = cmp.Or(f.file.Err(), err); err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return made, nil
}

// A nameError is an ErrName with advice.
type nameError struct{ text string }

func (e nameError) Error() string   { return e.text }
func (e nameError) Is(t error) bool { return t == ErrName }
