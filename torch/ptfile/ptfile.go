// Package ptfile reads and writes the files of torch.save that hold tensors by name: state
// dicts, and checkpoints that have one among other things, as PyTorch Lightning's. It
// needs no libtorch.
//
// Such a file is a pickle, which is a program, and raw storages of numbers. Nothing of the
// pickle is executed: the functions that rebuild tensors are known here, and the other classes that
// checkpoints hold beside their tensors become values that do nothing, those that only
// their writer knows being named. The format follows torch/serialization.py and
// caffe2/serialize/inline_container.cc.
package ptfile

import (
	"bytes"
	"fmt"

	"github.com/eegprune/eegprune/internal/pickle"
)

// Type is the type of the elements of an [Array].
type Type int

// The types. Narrower numbers are widened, which changes none.
const (
	Float32 Type = iota // also float16 and bfloat16
	Float64
	Int64 // also int32, int16, int8 and uint8
	Bool
)

// Size returns the bytes of one element.
func (t Type) Size() int {
	switch t {
	case Float32:
		return 4
	case Bool:
		return 1
	}
	return 8
}

// An Array is a tensor: its elements in row-major order, little-endian.
type Array struct {
	Type  Type
	Shape []int
	Data  []byte
}

// Len returns the number of elements.
func (a Array) Len() int { return len(a.Data) / a.Type.Size() }

// A Named is an array with its name.
type Named struct {
	Name string
	Array
}

// A File is the content of a file of torch.save.
type File struct {
	// Dicts are the dicts of tensors in the file, the outermost first.
	Dicts []Dict
	// Metadata is the text given to [Write] beside the tensors.
	Metadata map[string]string
	// Skipped are the classes and functions that only the file's writer knows: their
	// objects are passed over, and nothing of them is executed.
	Skipped []string
}

// A Dict is one dict of tensors.
type Dict struct {
	// Key says where it lies: "state_dict", "best.model"; empty where it is the whole file.
	Key     string
	Tensors []Named
	// Others are its other values.
	Others []Other
	trail  []step
}

// An Other is a value that is no tensor that can be read.
type Other struct{ Name, What string }

// Is reports whether the content is a file of torch.save, by its first bytes.
func Is(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) || isLegacy(b) }

// Parse reads the content of a file of either of PyTorch's formats: a zip archive, or the
// one before version 1.6. It asks for no more memory than eight times the content's size.
func Parse(b []byte) (*File, error) {
	read := readLegacy
	if !isLegacy(b) {
		read = readZip
	}
	c, err := read(b)
	if err != nil {
		return nil, err
	}
	f := &File{Metadata: c.metadata, Skipped: c.skipped}
	w := walk{most: 8*len(b) + 1<<20, visits: maxVisits, seen: map[any]bool{}}
	if err := w.into(c.value, nil); err != nil {
		return nil, err
	}
	f.Dicts = w.dicts
	if len(f.Dicts) == 0 {
		return nil, fmt.Errorf("no dict of tensors is in it, it holds %s: %s", contents(c.value), mend)
	}
	return f, nil
}

const mend = `save its tensors alone in Python: torch.save(model.state_dict(), "FILE.pt")`

func isTensor(v any) bool {
	_, ok := v.(*tensor)
	return ok
}

// kind describes a value of the pickle.
func kind(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool, int64, float64:
		return fmt.Sprintf("the value %v", v)
	case string:
		return fmt.Sprintf("the text %.80q", v)
	case pickle.Bytes:
		return "a string of bytes"
	case pickle.Tuple:
		return "a tuple"
	case *pickle.List:
		return "a list"
	case *pickle.Dict:
		return "a dict"
	case *tensor:
		return "a single tensor"
	case *storage:
		return "a storage"
	case *opaque:
		return "a " + v.name
	case elem:
		return "the type " + v.name
	case function:
		return "the function " + string(v)
	}
	return fmt.Sprintf("a %T", v)
}
