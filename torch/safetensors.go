package torch

// #include "../cgo/shim.h"
import "C"

import (
	"fmt"
	"io"
	"os"
	"unsafe"

	"github.com/google/renameio/v2"
	"github.com/nlpodyssey/safetensors"
)

var fileTypes = map[DType]safetensors.DType{
	Float32: safetensors.F32, Float64: safetensors.F64, Int64: safetensors.I64, Bool: safetensors.BOOL,
}

// SaveSafetensors writes tensors and text metadata to a file in the safetensors
// format, which PyTorch's safetensors package reads. The file appears whole or not at
// all. The same tensors give the same bytes.
func SaveSafetensors(path string, state []Named, metadata map[string]string) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer f.Cleanup()
	if err := WriteSafetensors(f, state, metadata); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// WriteSafetensors writes what [SaveSafetensors] does to w.
func WriteSafetensors(w io.Writer, state []Named, metadata map[string]string) error {
	views := make(map[string]safetensors.TensorView, len(state))
	for _, n := range state {
		if err := n.Tensor.check("save " + n.Name); err != nil {
			return err
		}
		info := n.Tensor.Info()
		data := make([]byte, n.Tensor.Len()*info.DType.Size())
		if err := check("read", C.ep_tensor_read(n.Tensor.h, unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)))); err != nil {
			return fmt.Errorf("reading %s: %w", n.Name, err)
		}
		shape := make([]uint64, len(info.Shape))
		for i, d := range info.Shape {
			shape[i] = uint64(d)
		}
		view, err := safetensors.NewTensorView(fileTypes[info.DType], shape, data)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", n.Name, err)
		}
		views[n.Name] = view
	}
	return safetensors.SerializeToWriter(views, metadata, w)
}

// LoadSafetensors reads a safetensors file onto the CPU. The caller owns the tensors
// and frees them, all at once with [FreeAll].
func LoadSafetensors(path string) (map[string]*Tensor, map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	tensors, metadata, err := ParseSafetensors(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is not a whole safetensors file: %w", path, err)
	}
	return tensors, metadata, nil
}

// SafetensorsMetadata reads only the text metadata and the shapes of a safetensors
// file; it needs no libtorch.
func SafetensorsMetadata(path string) (metadata map[string]string, shapes map[string][]int, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	_, header, err := safetensors.ReadMetadata(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s is not a whole safetensors file: %w", path, err)
	}
	shapes = map[string][]int{}
	for name, info := range header.Tensors() {
		shapes[name] = intShape(info.Shape)
	}
	return header.Metadata(), shapes, nil
}

// ParseSafetensors reads the bytes of a safetensors file. The caller owns the tensors.
func ParseSafetensors(data []byte) (map[string]*Tensor, map[string]string, error) {
	_, header, err := safetensors.ReadMetadata(data)
	if err != nil {
		return nil, nil, err
	}
	file, err := safetensors.Deserialize(data)
	if err != nil {
		return nil, nil, err
	}
	tensors := map[string]*Tensor{}
	for _, n := range file.Tensors() {
		t, err := fromBytes(n.TensorView)
		if err != nil {
			FreeAll(tensors)
			return nil, nil, fmt.Errorf("tensor %s: %w", n.Name, err)
		}
		tensors[n.Name] = t
	}
	return tensors, header.Metadata(), nil
}

// FreeAll frees the tensors of a map that the caller owns.
func FreeAll(tensors map[string]*Tensor) {
	for _, t := range tensors {
		t.Free()
	}
}

func intShape(shape []uint64) []int {
	s := make([]int, len(shape))
	for i, d := range shape {
		s[i] = int(d)
	}
	return s
}

func fromBytes(v safetensors.TensorView) (*Tensor, error) {
	for dtype, f := range fileTypes {
		if f != v.DType() {
			continue
		}
		shape, data := intShape(v.Shape()), v.Data()
		if err := checkLen("load", len(data)/dtype.Size(), shape); err != nil {
			return nil, err
		}
		dims := sizes(shape)
		return own("load", func(s *Scope, out *C.ep_tensor) C.ep_status {
			return C.ep_tensor_from_data(s.h, unsafe.Pointer(unsafe.SliceData(data)), C.int32_t(dtype), &dims[0],
				C.int32_t(len(shape)), CPU.c(), out)
		})
	}
	return nil, fmt.Errorf("element type %v is not supported: save it as F32, F64, I64 or BOOL", v.DType())
}
