package torch

// #include "shim.h"
import "C"

import (
	"fmt"
	"io"
	"os"
	"unsafe"

	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/torch/ptfile"
)

// A StateFile is the content of a file of tensors. It has no tensors of libtorch yet: see
// [TensorOf].
type StateFile struct {
	Dicts    []ptfile.Dict     // the outermost first, and at least one
	Metadata map[string]string // text added by the writer
	// Skipped are the classes of a checkpoint's other objects that only its writer knows.
	Skipped []string
}

// Tensors makes tensors on the CPU of the outermost dict. The caller frees them, with
// [FreeAll].
func (f *StateFile) Tensors() (map[string]*Tensor, error) {
	tensors := map[string]*Tensor{}
	for _, n := range f.Dicts[0].Tensors {
		t, err := TensorOf(n.Array)
		if err != nil {
			FreeAll(tensors)
			return nil, fmt.Errorf("tensor %s: %w", n.Name, err)
		}
		tensors[n.Name] = t
	}
	return tensors, nil
}

// ReadStateFile reads a safetensors file, or one of torch.save in either of its formats
// (see [ptfile]): which one it is says its content. It needs no libtorch.
func ReadStateFile(path string) (*StateFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if what := otherFile(data, path); what != "" {
		return nil, fmt.Errorf("%s: it is %s", path, what)
	}
	if !ptfile.Is(data) {
		d, metadata, err := parseSafetensors(data)
		if err != nil {
			return nil, notWhole(path, err)
		}
		return &StateFile{Dicts: []ptfile.Dict{d}, Metadata: metadata}, nil
	}
	f, err := ptfile.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &StateFile{Dicts: f.Dicts, Metadata: f.Metadata, Skipped: f.Skipped}, nil
}

func notWhole(path string, err error) error {
	return fmt.Errorf("%s is not a whole safetensors file, nor one of torch.save: %w", path, err)
}

func arrayType(t ptfile.Type) DType {
	switch t {
	case ptfile.Float64:
		return Float64
	case ptfile.Int64:
		return Int64
	case ptfile.Bool:
		return Bool
	}
	return Float32
}

// TensorOf makes a tensor on the CPU from an array of a file. The caller frees it.
func TensorOf(a ptfile.Array) (*Tensor, error) {
	if err := checkLen("load", len(a.Data)/a.Type.Size(), a.Shape); err != nil {
		return nil, err
	}
	dims := sizes(a.Shape)
	return own("load", func(s *Scope, out *C.ep_tensor) C.ep_status {
		return C.ep_tensor_from_data(s.h, unsafe.Pointer(unsafe.SliceData(a.Data)), C.int32_t(arrayType(a.Type)), &dims[0],
			C.int32_t(len(a.Shape)), CPU.c(), out)
	})
}

// SavePT writes tensors and text metadata to a file as torch.save writes a state dict: see
// [ptfile.Write]. The file appears whole or not at all.
func SavePT(path string, state []Named, metadata map[string]string) error {
	var all []ptfile.Named
	for _, n := range state {
		a, err := ArrayOf(n.Tensor)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", n.Name, err)
		}
		all = append(all, ptfile.Named{Name: n.Name, Array: a})
	}
	return atomicfile.Write(path, func(w io.Writer) error { return ptfile.Write(w, all, metadata) })
}

// ArrayOf returns a tensor's elements as a file has them.
func ArrayOf(t *Tensor) (ptfile.Array, error) {
	v, err := newView(t)
	if err != nil {
		return ptfile.Array{}, err
	}
	a := ptfile.Array{Shape: t.Shape(), Data: v.data}
	for _, kind := range []ptfile.Type{ptfile.Float32, ptfile.Float64, ptfile.Int64, ptfile.Bool} {
		if arrayType(kind) == t.Info().DType {
			a.Type = kind
		}
	}
	return a, nil
}
