package ptfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Write writes a state dict as torch.save does, in the zip format and pickle protocol 2:
// torch.load reads it with weights_only, which is its default. Metadata lies beside it in
// the archive, where torch.load doesn't look and [Parse] does. The same arrays give the
// same bytes.
func Write(w io.Writer, tensors []Named, metadata map[string]string) error {
	program, err := program(tensors)
	if err != nil {
		return err
	}
	z := NewRecordWriter(w)
	add := func(name string, content []byte) error { return z.Add("archive/"+name, content) }
	if err := add(pickleRecord, program); err != nil {
		return err
	}
	if err := add(orderRecord, []byte("little")); err != nil {
		return err
	}
	for i, t := range tensors {
		if err := add(storageFolder+strconv.Itoa(i), t.Data); err != nil {
			return err
		}
	}
	// That of inline_container.cc's kProducedFileFormatVersion.
	if err := add(versionRecord, []byte("3\n")); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if err := add(extraFolder+key, []byte(metadata[key])); err != nil {
			return err
		}
	}
	return z.Close()
}

// program is the pickle of the state dict.
func program(tensors []Named) ([]byte, error) {
	p := []byte("\x80\x02ccollections\nOrderedDict\n)R(")
	seen := map[string]bool{}
	for i, t := range tensors {
		if seen[t.Name] || !utf8.ValidString(t.Name) || len(t.Name) > math.MaxInt32 {
			return nil, fmt.Errorf("tensor name %.80q is used twice or is not UTF-8", t.Name)
		}
		seen[t.Name] = true
		n := 1
		for _, d := range t.Shape {
			n *= d
		}
		if n*t.Type.Size() != len(t.Data) {
			return nil, fmt.Errorf("tensor %.80q of shape %v has %d bytes", t.Name, t.Shape, len(t.Data))
		}
		p = pushText(p, t.Name)
		p = append(p, "ctorch._utils\n_rebuild_tensor_v2\n(("...)
		p = pushText(p, "storage")
		p = append(p, "ctorch\n"+storageClass(t.Type)+"\n"...)
		p = pushText(p, strconv.Itoa(i))
		p = pushText(p, "cpu")
		p = append(pushInt(p, n), "tQ"...)
		p = pushInt(p, 0)
		p = pushTuple(p, t.Shape)
		p = pushTuple(p, strides(t.Shape))
		p = append(p, "\x89ccollections\nOrderedDict\n)RtR"...) // no gradient, no hooks
	}
	return append(p, "u."...), nil
}

func storageClass(t Type) string {
	switch t {
	case Float64:
		return "DoubleStorage"
	case Int64:
		return "LongStorage"
	case Bool:
		return "BoolStorage"
	}
	return "FloatStorage"
}

// strides are the strides of a tensor in row-major order.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = n
		n *= max(shape[i], 1)
	}
	return s
}

func pushText(p []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(append(p, 'X'), uint32(len(s))), s...)
}

func pushTuple(p []byte, v []int) []byte {
	p = append(p, '(')
	for _, n := range v {
		p = pushInt(p, n)
	}
	return append(p, 't')
}

// pushInt pushes a number that is not negative.
func pushInt(p []byte, n int) []byte {
	if n <= math.MaxInt32 {
		return binary.LittleEndian.AppendUint32(append(p, 'J'), uint32(n))
	}
	return binary.LittleEndian.AppendUint64(append(p, 0x8a, 8), uint64(n)) // LONG1
}
