package pt2

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/models/op"
)

// atenPrefix begins the names of ATen's operations, which a network is made of.
const atenPrefix = "torch.ops."

// nameOf is the name of a node of the graph: that of its output, where that is one tensor. Others
// have names of their own since PyTorch 2.10.
func nameOf(n *node) string {
	if len(n.Outputs) == 1 && n.Outputs[0].kind == "as_tensor" {
		if names := gives(n); len(names) == 1 {
			return names[0]
		}
	}
	if n.Name == "" {
		base, _, _ := strings.Cut(strings.TrimPrefix(n.Target, atenPrefix+"aten."), ".")
		return base
	}
	return n.Name
}

// gives returns the names of a node's output tensors.
func gives(n *node) []string {
	var all []string
	for _, u := range n.Outputs {
		switch u.kind {
		case "as_tensor":
			arg := name{}
			if u.into(&arg) == nil {
				all = append(all, arg.Name)
			}
		case "as_tensors":
			var list []name
			if u.into(&list) == nil {
				for _, arg := range list {
					all = append(all, arg.Name)
				}
			}
		}
	}
	return all
}

// asserts says whether a node only fails where a condition does not hold. Sizes that such nodes check
// the program knows already, a tensor's type is in its value, and a check of the data does not change the
// network's output.
func asserts(target string) bool {
	for _, p := range []string{"aten._assert_scalar.", "aten._assert_tensor_metadata.", "aten._assert_async.", "aten._functional_assert_async.",
		"aten._functional_assert_scalar.", "aten.sym_constrain_range.", "aten.sym_constrain_range_for_size."} {
		if strings.HasPrefix(target, atenPrefix+p) {
			return true
		}
	}
	return false
}

// counts says whether a node only computes with sizes. The graph states each result.
func counts(n *node) bool {
	if len(n.Outputs) != 1 {
		return false
	}
	switch n.Outputs[0].kind {
	case "as_sym_int", "as_sym_bool", "as_sym_float":
	default:
		return false
	}
	for _, p := range []string{"_operator.", "math.", "torch.sym_", "torch._sym_", atenPrefix + "aten.sym_"} {
		if strings.HasPrefix(n.Target, p) {
			return true
		}
	}
	return false
}

// node reads an operation. It returns nil for one that is left out.
func (r *reader) node(n *node, defined map[string]bool) (*op.Node, error) {
	if asserts(n.Target) || counts(n) {
		return nil, nil
	}
	name, isOp := strings.CutPrefix(n.Target, atenPrefix)
	switch {
	case strings.HasPrefix(name, "higher_order."):
		return nil, errors.New("it runs a part of the network under a condition, in a loop or in a mode of its own: write forward without torch.cond, loops over data, no_grad and autocast, and " + exportAgain)
	case !isOp || !strings.HasPrefix(name, "aten."):
		return nil, errors.New("it is none of PyTorch's own (ATen): write forward with those alone, and " + exportAgain)
	}
	read := &op.Node{Op: name, Args: op.Args{}}
	for _, in := range n.Inputs {
		if dropped(in) {
			continue
		}
		v, err := r.argument(in.Arg, defined)
		if err != nil {
			return nil, fmt.Errorf("its argument %.40s: %w", in.Name, err)
		}
		if _, twice := read.Args[in.Name]; twice {
			return nil, fmt.Errorf("its argument %.40s is there twice: the file is damaged", in.Name)
		}
		read.Args[in.Name] = v
	}
	if name == "aten.to.device" {
		// Without its device it is the overload that has none.
		read.Op = "aten.to.dtype"
	}
	if err := r.gives(n, read, defined); err != nil {
		return nil, err
	}
	if len(n.Outputs) == 1 && n.Outputs[0].kind == "as_tensor" {
		read.Name = read.Gives[0].Name
	} else {
		read.Name = r.names.unused(nameOf(n))
	}
	return read, nil
}

// gives reads a node's outputs.
func (r *reader) gives(n *node, read *op.Node, defined map[string]bool) error {
	give := func(name string) error {
		v, err := r.value(name)
		defined[name] = true
		read.Gives = append(read.Gives, v)
		return err
	}
	for _, u := range n.Outputs {
		switch u.kind {
		case "as_tensor":
			arg := name{}
			if err := u.into(&arg); err != nil {
				return err
			}
			if err := give(arg.Name); err != nil {
				return err
			}
		case "as_tensors":
			if len(n.Outputs) > 1 {
				return errors.New("it gives lists of tensors beside others, which is not known here")
			}
			var list []name
			if err := u.into(&list); err != nil {
				return err
			}
			if len(list) == 1 && !givesList(read.Op) {
				return errors.New("it gives a list of one tensor, which is not known of it here")
			}
			for _, arg := range list {
				if err := give(arg.Name); err != nil {
					return err
				}
			}
		case "as_none":
			read.Gives = append(read.Gives, op.Value{})
		default:
			return fmt.Errorf("it gives a number that depends on the data (%.20s): let forward do without, and %s", u.kind, exportAgain)
		}
	}
	if len(read.Gives) == 0 {
		return errors.New("it gives nothing, and what it is for is not known here")
	}
	return nil
}

// givesList says whether an operation returns a list of tensors, which may be of one.
func givesList(name string) bool {
	base, _, _ := strings.Cut(strings.TrimPrefix(name, "aten."), ".")
	base = strings.TrimSuffix(base, "_copy")
	switch base {
	case "split", "split_with_sizes", "chunk", "unbind", "tensor_split", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk",
		"hsplit", "vsplit", "dsplit", "meshgrid", "broadcast_tensors", "nonzero_numpy", "align_tensors", "atleast_1d", "atleast_2d", "atleast_3d":
		return true
	}
	return name == "aten.where.default" || strings.HasPrefix(base, "_foreach_")
}

// dropped says whether an argument is left out: where a tensor lies is the run's own, and all are
// of the layout of plain tensors.
func dropped(in namedArgument) bool {
	switch in.Name {
	case "device", "pin_memory":
		return true
	case "layout":
		layout := layoutStrided
		return in.Arg.kind == "as_none" || in.Arg.kind == "as_layout" && in.Arg.into(&layout) == nil && layout == layoutStrided
	}
	return in.Arg.kind == "as_device"
}

// argument reads an argument of an operation.
func (r *reader) argument(u union, defined map[string]bool) (any, error) {
	switch u.kind {
	case "as_none":
		return nil, nil
	case "as_tensor":
		arg := name{}
		if err := u.into(&arg); err != nil {
			return nil, err
		}
		return r.ref(arg.Name, defined)
	case "as_optional_tensor":
		inner := union{}
		if err := u.into(&inner); err != nil {
			return nil, err
		}
		if inner.kind != "as_tensor" && inner.kind != "as_none" {
			return nil, fmt.Errorf("it is a %.40s where a tensor is due", inner.kind)
		}
		return r.argument(inner, defined)
	case "as_tensors":
		var list []name
		if err := u.into(&list); err != nil {
			return nil, err
		}
		return each(list, func(arg name) (op.Ref, error) { return r.ref(arg.Name, defined) })
	case "as_optional_tensors":
		var list []union
		if err := u.into(&list); err != nil {
			return nil, err
		}
		return each(list, func(u union) (op.Ref, error) {
			if u.kind == "as_none" {
				return "", nil
			}
			arg := name{}
			if err := u.into(&arg); err != nil {
				return "", err
			}
			return r.ref(arg.Name, defined)
		})
	case "as_sym_int":
		inner := union{}
		if err := u.into(&inner); err != nil {
			return nil, err
		}
		v, err := r.symbolic(inner)
		if err != nil || v.Clips {
			return v, err
		}
		return v.N, nil
	case "as_sym_ints":
		var list []union
		if err := u.into(&list); err != nil {
			return nil, err
		}
		all, err := each(list, r.symbolic)
		if err != nil {
			return nil, err
		}
		return plain(all), nil
	}
	return constant(u)
}

// constant reads an argument that is none of the graph's values.
func constant(u union) (any, error) {
	switch u.kind {
	case "as_int":
		return value[int](u)
	case "as_ints":
		return value[[]int](u)
	case "as_bool":
		return value[bool](u)
	case "as_bools":
		return value[[]bool](u)
	case "as_string":
		return value[string](u)
	case "as_float":
		return float(u.value)
	case "as_floats":
		list, err := value[[]json.RawMessage](u)
		if err != nil {
			return nil, err
		}
		return each(list, float)
	case "as_scalar_type":
		return choice(u, typeNames)
	case "as_memory_format":
		return choice(u, formatNames)
	case "as_graph", "as_operator", "as_custom_obj":
		return nil, errors.New("it is a program or an object of its own: write forward without, and " + exportAgain)
	case "as_sym_float", "as_sym_floats", "as_sym_bool", "as_sym_bools":
		return nil, errors.New("it is computed of the batch's size: let forward treat each clip alike, and " + exportAgain)
	case "as_complex":
		return nil, errors.New("it is a complex number: write it as two real ones, and " + exportAgain)
	}
	return nil, fmt.Errorf("its kind, %.40q, is not known here", u.kind)
}

func choice(u union, names map[int]string) (any, error) {
	n, err := value[int](u)
	if err != nil {
		return nil, err
	}
	if names[n] == "" {
		return nil, fmt.Errorf("its number %d is not known here", n)
	}
	return op.Choice(names[n]), nil
}

func value[T any](u union) (T, error) {
	var v T
	return v, u.into(&v)
}

// float is a number, or the text that torch.export writes for one that JSON has no number for.
func float(b json.RawMessage) (float64, error) {
	var text string
	if json.Unmarshal(b, &text) == nil {
		return strconv.ParseFloat(text, 64)
	}
	var f float64
	return f, json.Unmarshal(b, &f)
}

func each[T, U any](list []T, as func(T) (U, error)) ([]U, error) {
	all := make([]U, len(list))
	for i, v := range list {
		var err error
		if all[i], err = as(v); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// plain are sizes as the program has them: a list of numbers, where none is a multiple of the
// batch's size.
func plain(sizes []op.Size) any {
	all := make([]int, len(sizes))
	for i, v := range sizes {
		if v.Clips {
			return sizes
		}
		all[i] = v.N
	}
	return all
}

// ref is the program's name of a value of the graph.
func (r *reader) ref(name string, defined map[string]bool) (op.Ref, error) {
	if !defined[name] {
		return "", fmt.Errorf("it is %.80q, which is not there before it: the file is damaged", name)
	}
	return r.refs[name], nil
}

// symbolic is a number, or one that the graph names.
func (r *reader) symbolic(u union) (op.Size, error) {
	if u.kind != "as_name" {
		return r.size(u)
	}
	name, err := value[string](u)
	if err != nil {
		return op.Size{}, err
	}
	v, ok := r.graph.SymIntValues[name]
	if !ok {
		return op.Size{}, fmt.Errorf("its graph does not say what the number %.80q is: the file is damaged", name)
	}
	return r.size(v)
}
