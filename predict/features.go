package predict

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"eegprune/data/ndarray"
	"eegprune/data/npy"
)

// ErrName is of a file whose name ends in none of the formats that there are.
var ErrName = errors.New("the name says no format")

// featureArray is the array of an .npz file that holds clips.
const featureArray = "x"

// ReadFeatures reads an array of clips [clips, channels, height, width]: an .npy file, or the
// array x of an .npz file.
func ReadFeatures(path string) (*ndarray.Array, error) {
	read := readArray
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npy":
	case ".npz":
		read = readFromArchive
	default:
		return nil, nameError{fmt.Sprintf("%s: features are read from .npz and .npy files", path)}
	}
	x, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("the features %s: %w", path, err)
	}
	return x, nil
}

func readArray(path string) (*ndarray.Array, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return npy.Parse(b)
}

func readFromArchive(path string) (*ndarray.Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	z, err := npy.OpenArchive(f, info.Size())
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
