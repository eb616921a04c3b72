package torch

// #include "shim.h"
import "C"

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/nlpodyssey/safetensors"

	"github.com/eegprune/eegprune/internal/atomicfile"
	"github.com/eegprune/eegprune/torch/ptfile"
)

var fileTypes = map[DType]safetensors.DType{
	Float32: safetensors.F32, Float64: safetensors.F64, Int64: safetensors.I64, Bool: safetensors.BOOL,
}

// SaveSafetensors writes tensors and text metadata to a file in the safetensors
// format, which PyTorch's safetensors package reads. The file appears whole or not at
// all. The same tensors give the same bytes.
func SaveSafetensors(path string, state []Named, metadata map[string]string) error {
	return atomicfile.Write(path, func(w io.Writer) error { return WriteSafetensors(w, state, metadata) })
}

// WriteSafetensors writes the file of [SaveSafetensors] to w.
func WriteSafetensors(w io.Writer, state []Named, metadata map[string]string) error {
	for k, v := range metadata {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			return fmt.Errorf("the metadata %q is not UTF-8 text", k)
		}
	}
	views := make(map[string]view, len(state))
	for _, n := range state {
		if _, twice := views[n.Name]; twice || n.Name == metadataName || !utf8.ValidString(n.Name) {
			return fmt.Errorf("tensor name %q is used twice, reserved or not UTF-8", n.Name)
		}
		v, err := newView(n.Tensor)
		if err != nil {
			return fmt.Errorf("tensor %s: %w", n.Name, err)
		}
		views[n.Name] = v
	}
	return safetensors.SerializeToWriter(views, metadata, w)
}

// metadataName is the format's name of the text metadata among the tensors.
const metadataName = "__metadata__"

// A view is a tensor's bytes. The library's own can't be one of a tensor without
// dimensions.
type view struct {
	dtype safetensors.DType
	shape []uint64
	data  []byte
}

func (v view) DType() safetensors.DType { return v.dtype }
func (v view) Shape() []uint64          { return v.shape }
func (v view) Data() []byte             { return v.data }
func (v view) DataLen() uint64          { return uint64(len(v.data)) }

func newView(t *Tensor) (view, error) {
	if err := t.check("save"); err != nil {
		return view{}, err
	}
	defer runtime.KeepAlive(t)
	info := t.Info()
	v := view{fileTypes[info.DType], make([]uint64, len(info.Shape)), make([]byte, t.Len()*info.DType.Size())}
	for i, d := range info.Shape {
		v.shape[i] = uint64(d)
	}
	return v, check("read", C.ep_tensor_read(t.h, unsafe.Pointer(unsafe.SliceData(v.data)), C.size_t(len(v.data))))
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

// ParseSafetensors reads the bytes of a safetensors file. The caller owns the tensors.
func ParseSafetensors(data []byte) (map[string]*Tensor, map[string]string, error) {
	d, metadata, err := parseSafetensors(data)
	if err == nil && len(d.Others) > 0 {
		err = fmt.Errorf("tensor %s is %s", d.Others[0].Name, d.Others[0].What)
	}
	if err != nil {
		return nil, nil, err
	}
	tensors, err := (&StateFile{Dicts: []ptfile.Dict{d}}).Tensors()
	return tensors, metadata, err
}

// parseSafetensors needs no libtorch.
func parseSafetensors(data []byte) (d ptfile.Dict, metadata map[string]string, err error) {
	_, header, err := safetensors.ReadMetadata(data)
	if err != nil {
		return d, nil, err
	}
	file, err := safetensors.Deserialize(data)
	if err != nil {
		return d, nil, err
	}
	for _, n := range file.Tensors() {
		v := n.TensorView
		a, ok := ptfile.Widened(v.DType().String(), intShape(v.Shape()), v.Data())
		if !ok {
			d.Others = append(d.Others, ptfile.Other{Name: n.Name, What: fmt.Sprintf("of elements of type %v, which can't be read: save it as F32", v.DType())})
			continue
		}
		d.Tensors = append(d.Tensors, ptfile.Named{Name: n.Name, Array: a})
	}
	slices.SortFunc(d.Tensors, func(a, b ptfile.Named) int { return strings.Compare(a.Name, b.Name) })
	return d, header.Metadata(), nil
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
