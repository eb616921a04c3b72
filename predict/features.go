package predict

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"eegprune/data/ndarray"
	"eegprune/data/npy"
	"eegprune/internal/mapped"
)

// ErrName is of a file whose name ends in none of the formats that there are.
var ErrName = errors.New("the name says no format")

// featureArray is the array of an .npz file that holds clips.
const featureArray = "x"

// ReadFeatures reads an array of clips [clips, channels, height, width]: an .npy file, or the
// array x of an .npz file. The array lasts as long as the file, which the caller closes, and
// whose Err says whether it was lost meanwhile.
func ReadFeatures(path string) (*ndarray.Array, *mapped.File, error) {
	parse := npy.Parse
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npy":
	case ".npz":
		parse = fromArchive
	default:
		return nil, nil, nameError{fmt.Sprintf("%s: features are read from .npz and .npy files", path)}
	}
	file, err := mapped.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("the features %s: %w", path, err)
	}
	x, err := parse(file.Bytes())
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the features %s: %w", path, err), file.Close())
	}
	return x, file, nil
}

func fromArchive(b []byte) (*ndarray.Array, error) {
	z, err := npy.OpenArchive(b)
	if err != nil {
		return nil, err
	}
	return z.Array(featureArray)
}

// ClipShape is the shape of one clip of an array of them, zeros where x is none.
func ClipShape(x *ndarray.Array) (shape [3]int) {
	if len(x.Shape) == 4 {
		copy(shape[:], x.Shape[1:])
	}
	return shape
}

// A nameError is an ErrName with what may be done instead.
type nameError struct{ text string }

func (e nameError) Error() string   { return e.text }
func (e nameError) Is(t error) bool { return t == ErrName }
