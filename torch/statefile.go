package torch

// #include "shim.h"
import "C"

import (
	"fmt"
	"io"
	"os"
	"unsafe"

	"eegprune/internal/atomicfile"
	"eegprune/torch/ptfile"
)

// A StateFile is what a file of tensors holds.
type StateFile struct {
	Tensors  map[string]*Tensor // on the CPU
	Metadata map[string]string  // what the writer added as text
	// LeftOut are the keys of a checkpoint that hold something other than the tensors,
	// such as an optimizer's state.
	LeftOut []string
}

// Free frees the tensors.
func (f *StateFile) Free() { FreeAll(f.Tensors) }

// ReadStateFile reads a safetensors file, or one of torch.save in either of its formats
// (see [ptfile]): which one it is says its content. The caller frees it.
func ReadStateFile(path string) (*StateFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !ptfile.Is(data) {
		tensors, metadata, err := ParseSafetensors(data)
		if err != nil {
			return nil, notWhole(path, err)
		}
		return &StateFile{Tensors: tensors, Metadata: metadata}, nil
	}
	file, err := ptfile.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &StateFile{Tensors: map[string]*Tensor{}, Metadata: file.Metadata, LeftOut: file.LeftOut}
	for _, n := range file.Tensors {
		t, err := fromArray(n.Array)
		if err != nil {
			f.Free()
			return nil, fmt.Errorf("%s: tensor %s: %w", path, n.Name, err)
		}
		f.Tensors[n.Name] = t
	}
	return f, nil
}

// StateFileHeader reads only the metadata and the shapes of what [ReadStateFile] reads. It
// needs no libtorch.
func StateFileHeader(path string) (metadata map[string]string, shapes map[string][]int, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	if !ptfile.Is(data) {
		return safetensorsHeader(path, data)
	}
	file, err := ptfile.Parse(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	shapes = map[string][]int{}
	for _, n := range file.Tensors {
		shapes[n.Name] = n.Shape
	}
	return file.Metadata, shapes, nil
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

func fromArray(a ptfile.Array) (*Tensor, error) {
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
		v, err := newView(n.Tensor)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", n.Name, err)
		}
		a := ptfile.Array{Shape: n.Tensor.Shape(), Data: v.data}
		for _, t := range []ptfile.Type{ptfile.Float32, ptfile.Float64, ptfile.Int64, ptfile.Bool} {
			if arrayType(t) == n.Tensor.Info().DType {
				a.Type = t
			}
		}
		all = append(all, ptfile.Named{Name: n.Name, Array: a})
	}
	return atomicfile.Write(path, func(w io.Writer) error { return ptfile.Write(w, all, metadata) })
}
