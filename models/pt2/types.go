package pt2

import (
	"github.com/eegprune/eegprune/models/op"
)

// typeNames are PyTorch's names of the element types that torch.export writes as numbers.
var typeNames = map[int]string{1: "uint8", 2: "int8", 3: "int16", 4: "int32", 5: "int64", 6: "float16", 7: "float32", 8: "float64",
	9: "complex32", 10: "complex64", 11: "complex128", 12: "bool", 13: "bfloat16", 28: "uint16", 29: "float8_e4m3fn", 30: "float8_e5m2",
	31: "float8_e4m3fnuz", 32: "float8_e5m2fnuz", 33: "float8_e8m0fnu", 34: "uint32", 35: "uint64"}

// formatNames are the names of memory formats.
var formatNames = map[int]string{1: "contiguous_format", 2: "channels_last", 3: "channels_last_3d", 4: "preserve_format"}

const layoutStrided = 7

// code is the number that torch.export writes for a name.
func code(names map[int]string, name string) (int, bool) {
	for n, known := range names {
		if known == name {
			return n, true
		}
	}
	return 0, false
}

// valueType is a type as an [op.Value] has it.
func valueType(name string) op.Choice {
	if name == "float32" {
		return ""
	}
	return op.Choice(name)
}

// elementType is the name of the type of a tensor's elements.
func elementType(t *op.Tensor) string {
	switch {
	case t.Type != "":
		return string(t.Type)
	case t.Counts:
		return "int64"
	}
	return "float32"
}

// isNarrow says whether a type is one that no weights or input may have: its numbers are complex,
// or of 16 bits or fewer and not whole.
func isNarrow(name string) bool {
	switch name {
	case "float16", "bfloat16", "complex32", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz",
		"float8_e5m2fnuz", "float8_e8m0fnu":
		return true
	}
	return false
}
