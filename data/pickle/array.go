package pickle

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"eegprune/data/ndarray"
)

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

// build runs the instructions that make arrays.
func (m *machine) build(op byte) (bool, error) {
	switch op {
	case 'c': // GLOBAL
		module, err := m.line()
		if err != nil {
			return true, err
		}
		name, err := m.line()
		if err != nil {
			return true, err
		}
		return true, m.global(string(module), string(name))
	case 0x93: // STACK_GLOBAL
		v, err := m.popN(2)
		if err != nil {
			return true, err
		}
		module, _ := v[0].(string)
		name, _ := v[1].(string)
		return true, m.global(module, name)
	case 'R': // REDUCE
		v, err := m.popN(2)
		if err != nil {
			return true, err
		}
		made, err := call(v[0], v[1])
		if err == nil {
			m.push(made)
		}
		return true, err
	case 'b': // BUILD
		v, err := m.popN(2)
		if err != nil {
			return true, err
		}
		m.push(v[0])
		return true, setState(v[0], v[1])
	}
	return false, nil
}

func (m *machine) global(module, name string) error {
	full := function(strings.Replace(module, "numpy._core.", "numpy.core.", 1) + "." + name)
	if !slices.Contains([]function{reconstruct, fromBuffer, arrayClass, dtype, encode}, full) {
		return fmt.Errorf("it names %.80q, which no array needs: it may be made to run something, and is refused", module+"."+name)
	}
	m.push(full)
	return nil
}

// call runs one of the known functions.
func call(f, arguments any) (any, error) {
	name, ok := f.(function)
	args, isTuple := arguments.(Tuple)
	if !ok || !isTuple {
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

// setState gives a dtype its byte order and an array its contents.
func setState(target, state any) error {
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
