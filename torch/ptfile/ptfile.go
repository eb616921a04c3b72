// Package ptfile reads and writes the files of torch.save that hold tensors by name: state
// dicts, and checkpoints that have one among other things, as PyTorch Lightning's. It
// needs no libtorch.
//
// Such a file is a pickle, which is a program, and raw storages of numbers. Nothing of the
// pickle is executed: what rebuilds tensors is known here, the classes of plain data that
// checkpoints hold beside their tensors become values that do nothing, and every other
// name is refused. The format is that of torch/serialization.py and
// caffe2/serialize/inline_container.cc.
package ptfile

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"eegprune/internal/pickle"
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

// A Named is an array with its name.
type Named struct {
	Name string
	Array
}

// A File is what was read.
type File struct {
	Tensors []Named
	// Metadata is what [Write] was given beside the tensors.
	Metadata map[string]string
	// LeftOut are the keys of a checkpoint that hold something other than the tensors.
	LeftOut []string
}

// Is reports whether the content is that of a file of torch.save, by its first bytes.
func Is(b []byte) bool { return bytes.HasPrefix(b, []byte("PK\x03\x04")) || isLegacy(b) }

// Parse reads the content of a file of either of PyTorch's formats: a zip archive, or the
// one before version 1.6. It asks for no more memory than eight times the content's size.
func Parse(b []byte) (*File, error) {
	read := readLegacy
	if !isLegacy(b) {
		read = readZip
	}
	v, metadata, err := read(b)
	if err != nil {
		return nil, err
	}
	f := &File{Metadata: metadata}
	state, err := f.stateDict(v)
	if err != nil {
		return nil, err
	}
	return f, f.fill(state, 8*len(b)+1<<20)
}

// stateKeys are the keys under which checkpoints keep their tensors: Lightning's, and
// that of PyTorch's tutorials.
var stateKeys = []string{"state_dict", "model_state_dict", "model"}

const mend = `save its tensors alone in Python: torch.save(model.state_dict(), "FILE.pt")`

// stateDict finds the dict of tensors.
func (f *File) stateDict(v any) (*pickle.Dict, error) {
	top, ok := v.(*pickle.Dict)
	if !ok {
		return nil, fmt.Errorf("it holds %s and no dict of tensors: %s", kind(v), mend)
	}
	for _, key := range stateKeys {
		v, _ := top.Get(key)
		d, ok := v.(*pickle.Dict)
		if !ok || !slices.ContainsFunc(d.Values, isTensor) {
			continue
		}
		for _, k := range top.Keys {
			if k != key {
				f.LeftOut = append(f.LeftOut, fmt.Sprintf("%.80v", k))
			}
		}
		return d, nil
	}
	if !slices.ContainsFunc(top.Values, isTensor) {
		return nil, fmt.Errorf("neither it nor its %s is a dict of tensors: %s", strings.Join(stateKeys, ", "), mend)
	}
	return top, nil
}

func isTensor(v any) bool {
	_, ok := v.(*tensor)
	return ok
}

// fill makes arrays of the tensors, of at most that many bytes.
func (f *File) fill(state *pickle.Dict, most int) error {
	var wrong []string
	var views []*tensor
	at := map[string]int{}
	for i, k := range state.Keys {
		name, ok := k.(string)
		if b, isBytes := k.(pickle.Bytes); isBytes { // of Python 2
			name, ok = string(b), true
		}
		t, isT := state.Values[i].(*tensor)
		j, again := at[name]
		switch {
		case !ok:
			wrong = append(wrong, fmt.Sprintf("a key of its tensors is %s", kind(k)))
		case !isT:
			wrong = append(wrong, fmt.Sprintf("its %.80q is %s, no tensor of a type that can be read", name, kind(state.Values[i])))
		case again: // what was set last counts
			views[j] = t
		default:
			at[name] = len(views)
			views = append(views, t)
			f.Tensors = append(f.Tensors, Named{Name: name})
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%s: %s", strings.Join(wrong, "; "), mend)
	}
	for i, t := range views {
		size, err := t.check()
		if err == nil {
			if most -= size; most < 0 {
				err = errors.New("it and those before it claim more than eight times the file's size, as views of the same numbers: clone them before they are saved")
			}
		}
		if err != nil {
			return fmt.Errorf("tensor %.80s: %w", f.Tensors[i].Name, err)
		}
		f.Tensors[i].Array = Array{t.elem.as, t.shape, t.contiguous(size)}
	}
	return nil
}

// kind says what a value of the pickle is.
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
