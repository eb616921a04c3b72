package pickle

import "errors"

var errNoFunction = errors.New("it calls what is no function: refused")

// object runs the instructions that name classes and functions and use them.
func (m *machine) object(op byte) (bool, error) {
	var made any
	var err error
	switch op {
	case 'c': // GLOBAL
		var module, name []byte
		if module, err = m.line(); err != nil {
			return true, err
		}
		if name, err = m.line(); err != nil {
			return true, err
		}
		made, err = m.objects.Global(string(module), string(name))
	case 0x93: // STACK_GLOBAL
		var v []any
		if v, err = m.popN(2); err != nil {
			return true, err
		}
		module, _ := v[0].(string)
		name, _ := v[1].(string)
		made, err = m.objects.Global(module, name)
	case 'R', 0x81: // REDUCE, NEWOBJ
		var v []any
		if v, err = m.popN(2); err != nil {
			return true, err
		}
		made, err = m.call(v[0], v[1])
	case 0x92: // NEWOBJ_EX: the arguments by name only matter to a constructor
		var v []any
		if v, err = m.popN(3); err != nil {
			return true, err
		}
		made, err = m.call(v[0], v[1])
	case 'b': // BUILD
		var v []any
		if v, err = m.popN(2); err != nil {
			return true, err
		}
		made, err = v[0], m.objects.SetState(v[0], v[1])
	case 'Q': // BINPERSID
		var id any
		if id, err = m.pop(); err != nil {
			return true, err
		}
		made, err = m.objects.Persistent(id)
	default:
		return false, nil
	}
	if err == nil {
		m.push(made)
	}
	return true, err
}

func (m *machine) call(f, arguments any) (any, error) {
	args, ok := arguments.(Tuple)
	if !ok {
		return nil, errNoFunction
	}
	return m.objects.Call(f, args)
}
