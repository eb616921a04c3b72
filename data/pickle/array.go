// Package pickle reads NumPy arrays, and lists and dicts of them, out of Python pickles,
// and writes dicts of arrays. It knows the five functions by which NumPy rebuilds an
// array, and refuses everything else: it can't be made to call anything. The contents of
// arrays are parts of the input.
package pickle

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/data/ndarray"
	"github.com/eegprune/eegprune/internal/pickle"
)

// Values that [Load] returns; see the package that reads them.
type (
	Bytes = pickle.Bytes
	Tuple = pickle.Tuple
	Dict  = pickle.Dict
)

// Load reads the first value in b. Arrays share memory with b. Errors give the offset of
// the instruction at fault.
func Load(b []byte) (any, error) {
	v, _, err := pickle.Load(b, numpy{})
	return v, err
}

// Array returns the array of a key.
func Array(d *Dict, key string) (*ndarray.Array, error) {
	v, ok := d.Get(key)
	if !ok {
		return nil, fmt.Errorf("its dict has no array %q", key)
	}
	if a, ok := v.(*arrayValue); ok && a.array != nil {
		return a.array, nil
	}
	return nil, fmt.Errorf("its %q is no array", key)
}

// Numbered returns the arrays of a dict whose keys are 0, 1, 2, ..., each once, in any order.
func Numbered(d *Dict) ([]*ndarray.Array, error) {
	list := make([]*ndarray.Array, len(d.Keys))
	for i, k := range d.Keys {
		if b, text := k.(Bytes); text {
			k = string(b)
		}
		n, ok := k.(int64)
		if !ok || n < 0 || n >= int64(len(list)) || list[n] != nil {
			return nil, fmt.Errorf("its keys are not the numbers from 0 to %d, each once: it has %.30s", len(list)-1, fmt.Sprint(k))
		}
		var err error
		if list[n], err = AsArray(d.Values[i]); err != nil {
			return nil, fmt.Errorf("its element %d: %w", n, err)
		}
	}
	return list, nil
}

// AsArray returns a pickled value that is an array.
func AsArray(v any) (*ndarray.Array, error) {
	if a, ok := v.(*arrayValue); ok && a.array != nil {
		return a.array, nil
	}
	return nil, errors.New("it holds no array")
}

// numpy knows the functions and classes that NumPy's pickles may name.
type numpy struct{}

// The functions and classes that NumPy's pickles name. NumPy 2 renamed
// numpy.core to numpy._core.
type function string

const (
	reconstruct function = "numpy.core.multiarray._reconstruct"
	fromBuffer  function = "numpy.core.numeric._frombuffer"
	arrayClass  function = "numpy.ndarray"
	dtype       function = "numpy.dtype"
	encode      function = "_codecs.encode"
)

// An arrayValue is an array, empty until its state is set.
type arrayValue struct{ array *ndarray.Array }

// dtypeValue is a dtype while it is being built.
type dtypeValue struct {
	name string
	big  bool
}

// Global implements [pickle.Objects].
func (numpy) Global(module, name string) (any, error) {
	full := function(strings.Replace(module, "numpy._core.", "numpy.core.", 1) + "." + name)
	if !slices.Contains([]function{reconstruct, fromBuffer, arrayClass, dtype, encode}, full) {
		return nil, fmt.Errorf("it names %.80q, which no array needs: it may be made to run something, and is refused", module+"."+name)
	}
	return full, nil
}

// Call runs one of the known functions.
func (numpy) Call(f any, args Tuple) (any, error) {
	name, ok := f.(function)
	if !ok {
		return nil, errors.New("it calls what is no function: refused")
	}
	switch name {
	case reconstruct: // (ndarray, (0,), b"b"): an empty array for BUILD to fill
		return &arrayValue{}, nil
	case dtype:
		return newDtype(args)
	case encode: // ("text", "latin1"): how Python 3 writes bytes in protocols 0 to 2
		if len(args) == 2 {
			if text, ok := args[0].(string); ok && (args[1] == "latin1" || args[1] == "latin-1") {
				return latin1(text)
			}
		}
	case fromBuffer: // (bytes, dtype, shape, order): protocol 5
		if len(args) == 4 {
			a := &arrayValue{}
			return a, a.fill(args[2], args[1], args[3] == "F", args[0])
		}
	}
	return nil, fmt.Errorf("it calls %s in a way that NumPy doesn't: refused", name)
}

func newDtype(args Tuple) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a dtype has no name: the file is damaged")
	}
	name := ""
	switch v := args[0].(type) {
	case string:
		name = v
	case Bytes:
		name = string(v)
	}
	t := &dtypeValue{name: strings.TrimLeft(name, "<>|="), big: strings.HasPrefix(name, ">")}
	if err := ndarray.CheckType(t.name); err != nil {
		return nil, err
	}
	return t, nil
}

// Extend implements [pickle.Objects]: an array's contents are its state.
func (numpy) Extend(any, bool, []any) error {
	return errors.New("it adds to what is neither a list nor a dict: the file is damaged")
}

// Persistent implements [pickle.Objects].
func (numpy) Persistent(any) (any, error) {
	return nil, errors.New("it names an object outside the file: refused")
}

// SetState gives a dtype its byte order and an array its contents.
func (numpy) SetState(target, state any) error {
	s, ok := state.(Tuple)
	if !ok {
		return errors.New("it builds something other than an array: refused")
	}
	switch t := target.(type) {
	case *dtypeValue: // (version, order, ...)
		if len(s) < 2 {
			break
		}
		order, _ := s[1].(string)
		if b, ok := s[1].(Bytes); ok {
			order = string(b)
		}
		t.big = order == ">"
		return nil
	case *arrayValue: // (version, shape, dtype, fortran, contents)
		if len(s) != 5 {
			break
		}
		fortran := s[3] == true || s[3] == int64(1)
		return t.fill(s[1], s[2], fortran, s[4])
	}
	return errors.New("it builds something other than an array: refused")
}

// fill makes the array of the parts that NumPy pickles.
func (a *arrayValue) fill(shape, kind any, fortran bool, contents any) error {
	dims, ok1 := shape.(Tuple)
	t, ok2 := kind.(*dtypeValue)
	data, ok3 := contents.(Bytes)
	if text, isText := contents.(string); isText {
		// A Python 2 string that something has decoded as Latin-1 and saved again.
		var err error
		if data, err = latin1(text); err != nil {
			return err
		}
		ok3 = true
	}
	if !ok1 || !ok2 || !ok3 {
		return errors.New("an array's shape, type or contents are not what NumPy writes: the file is damaged")
	}
	sizes := make([]int64, len(dims))
	for i, d := range dims {
		var ok bool
		if sizes[i], ok = d.(int64); !ok {
			return fmt.Errorf("the size of an array along axis %d is a %T: the file is damaged", i, d)
		}
	}
	made, err := ndarray.New(sizes, t.name, t.big, fortran, data)
	a.array = made
	return err
}

// latin1 turns a text whose characters stand for bytes into those bytes.
func latin1(s string) (Bytes, error) {
	out := make(Bytes, 0, len(s))
	for _, r := range s {
		if r > 0xFF {
			return nil, fmt.Errorf("character %q stands for no byte", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}
