package ptfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/internal/pickle"
)

// An elem is a type of the numbers in a storage.
type elem struct {
	name  string
	size  int // bytes
	as    Type
	widen func(dst, src []byte) // one element; nil where it is copied
}

// untyped is the type of a storage whose tensors state the element type.
var untyped = elem{name: "torch.storage.UntypedStorage", size: 1}

// byName returns the type that a storage class or a dtype of PyTorch stands for, or the
// safetensors format's name of one.
func byName(name string) (elem, bool) {
	switch name {
	case "torch.FloatStorage", "torch.float32", "F32":
		return elem{name, 4, Float32, nil}, true
	case "torch.DoubleStorage", "torch.float64", "F64":
		return elem{name, 8, Float64, nil}, true
	case "torch.HalfStorage", "torch.float16", "F16":
		return elem{name, 2, Float32, widenHalf}, true
	case "torch.BFloat16Storage", "torch.bfloat16", "BF16":
		return elem{name, 2, Float32, widenBrain}, true
	case "torch.LongStorage", "torch.int64", "I64":
		return elem{name, 8, Int64, nil}, true
	case "torch.IntStorage", "torch.int32", "I32":
		return elem{name, 4, Int64, widenInt}, true
	case "torch.ShortStorage", "torch.int16", "I16":
		return elem{name, 2, Int64, widenInt}, true
	case "torch.CharStorage", "torch.int8", "I8":
		return elem{name, 1, Int64, widenInt}, true
	case "torch.ByteStorage", "torch.uint8", "U8":
		return elem{name, 1, Int64, widenUint}, true
	case "torch.BoolStorage", "torch.bool", "BOOL":
		return elem{name, 1, Bool, widenBool}, true
	case "torch.uint16", "U16":
		return elem{name, 2, Int64, widenUint}, true
	case "torch.uint32", "U32":
		return elem{name, 4, Int64, widenUint}, true
	case untyped.name, "torch.UntypedStorage":
		return untyped, true
	}
	return elem{}, false
}

// A function is one that rebuilds tensors, or the dict that holds them.
type function string

const (
	rebuildTensor    function = "torch._utils._rebuild_tensor"
	rebuildV2        function = "torch._utils._rebuild_tensor_v2"
	rebuildV3        function = "torch._utils._rebuild_tensor_v3"
	rebuildParameter function = "torch._utils._rebuild_parameter"
	rebuildWithState function = "torch._utils._rebuild_parameter_with_state"
	rebuildFromType  function = "torch._tensor._rebuild_from_type_v2"
	orderedDict      function = "collections.OrderedDict"
	defaultDict      function = "collections.defaultdict"
)

var functions = []function{rebuildTensor, rebuildV2, rebuildV3, rebuildParameter, rebuildWithState, rebuildFromType, orderedDict, defaultDict}

// An opaque value stands for an instance of a class that does not matter here: its
// content is dropped.
type opaque struct{ name string }

// Objects of these packages and classes stand beside the tensors of checkpoints: settings,
// schedules, states of optimizers. Those of other packages, which are a laboratory's own,
// are named.
var (
	plainPackages = []string{"torch", "pytorch_lightning", "lightning", "lightning_fabric", "lightning_utilities", "torchmetrics", "torcheeg",
		"numpy", "collections", "argparse", "pathlib", "datetime", "enum", "omegaconf", "typing"}
	plainClasses = []string{"set", "frozenset", "complex", "slice", "range", "xrange", "bytearray", "bytes", "list", "dict", "tuple", "object", "int", "long", "float", "bool", "str", "unicode"}
)

// The contents of these modules of Python run programs, open files or reach other machines.
// Nothing of a file is executed, so that no list needs to be complete; but one that names
// them was made to harm who loads it in PyTorch, and is refused.
var harmful = []string{"os", "posix", "nt", "sys", "subprocess", "shutil", "socket", "pty", "runpy", "importlib", "imp", "ctypes", "code", "codeop",
	"commands", "webbrowser", "pickle", "_pickle", "cPickle", "marshal", "multiprocessing", "threading", "asyncio", "signal", "tempfile", "glob",
	"http", "urllib", "urllib2", "requests", "ftplib", "smtplib", "xmlrpc", "pip", "pydoc", "timeit", "bdb", "pdb", "profile", "cProfile", "site",
	"inspect", "io", "_io", "zipfile", "tarfile", "platform", "getpass", "ssl"}

func isHarmful(module string) bool {
	root, _, _ := strings.Cut(module, ".")
	return root == "builtins" || root == "__builtin__" || slices.Contains(harmful, root)
}

func isPlain(module, name string) bool {
	root, _, _ := strings.Cut(module, ".")
	switch root {
	case "builtins", "__builtin__":
		return slices.Contains(plainClasses, name)
	case "copyreg", "copy_reg":
		return name == "_reconstructor"
	case "_codecs":
		return name == "encode"
	}
	return slices.Contains(plainPackages, root)
}

// reader knows the objects in a pickle of torch.save.
type reader struct {
	// storage finds or announces a storage of n elements.
	storage func(key string, e elem, n int) (*storage, error)
	// skipped are the classes and functions that are not known here.
	skipped []string
}

// Global implements [pickle.Objects].
func (r *reader) Global(module, name string) (any, error) {
	full := module + "." + name
	if f := function(full); slices.Contains(functions, f) {
		return f, nil
	}
	if e, ok := byName(full); ok {
		return e, nil
	}
	if isPlain(module, name) {
		return &opaque{full}, nil
	}
	if strings.HasPrefix(module, "__torch__") {
		return nil, errScript
	}
	if isHarmful(module) {
		return nil, fmt.Errorf("it names %.80q, which no network needs: it may be made to run something and is refused, unexecuted; %s", full, mend)
	}
	if name := fmt.Sprintf("%.80s", full); !slices.Contains(r.skipped, name) && len(r.skipped) < 100 {
		r.skipped = append(r.skipped, name)
	}
	return &opaque{full}, nil
}

var errScript = fmt.Errorf("it is a TorchScript program and no state dict: %s", mend)

// Call implements [pickle.Objects].
func (r *reader) Call(f any, args pickle.Tuple) (any, error) {
	name, ok := f.(function)
	if !ok {
		o, ok := f.(*opaque)
		if e, isType := f.(elem); isType {
			o, ok = &opaque{e.name}, true
		}
		if !ok {
			return nil, errors.New("it calls what is no function: refused")
		}
		if (o.name == "copyreg._reconstructor" || o.name == "copy_reg._reconstructor") && len(args) > 0 {
			if class, ok := args[0].(*opaque); ok {
				return &opaque{class.name}, nil
			}
		}
		return &opaque{o.name}, nil
	}
	switch name {
	case orderedDict:
		return newDict(args)
	case defaultDict:
		return &pickle.Dict{}, nil
	case rebuildTensor, rebuildV2:
		if len(args) >= 4 {
			return newTensor(args, nil)
		}
	case rebuildV3:
		if len(args) >= 7 {
			return newTensor(args, args[6])
		}
	case rebuildParameter, rebuildWithState: // (tensor, requires_grad, ...)
		if len(args) >= 1 {
			switch args[0].(type) {
			case *tensor, *opaque:
				return args[0], nil
			}
		}
	case rebuildFromType: // (function, class, arguments, state)
		if len(args) == 4 {
			inner, ok := args[2].(pickle.Tuple)
			if f, isF := args[0].(function); ok && isF && f != rebuildFromType {
				return r.Call(f, inner)
			}
		}
	}
	return nil, fmt.Errorf("it calls %s in a way that PyTorch doesn't: the file is damaged", name)
}

// newDict is an OrderedDict: empty, or as Python 2 writes it, of a list of pairs.
func newDict(args pickle.Tuple) (any, error) {
	d := &pickle.Dict{}
	if len(args) == 0 {
		return d, nil
	}
	pairs, ok := args[0].(*pickle.List)
	if !ok {
		return nil, errors.New("an OrderedDict is made of something other than pairs: the file is damaged")
	}
	for _, p := range pairs.Items {
		var pair []any
		switch p := p.(type) {
		case *pickle.List:
			pair = p.Items
		case pickle.Tuple:
			pair = p
		}
		if len(pair) != 2 {
			return nil, errors.New("an OrderedDict is made of something other than pairs: the file is damaged")
		}
		d.Keys, d.Values = append(d.Keys, pair[0]), append(d.Values, pair[1])
	}
	return d, nil
}

// SetState implements [pickle.Objects]. A state dict's own state is the versions of the
// modules.
func (r *reader) SetState(target, _ any) error {
	switch target.(type) {
	case *opaque, *pickle.Dict:
		return nil
	}
	return fmt.Errorf("it gives a state to %s: the file is damaged", kind(target))
}

// Extend implements [pickle.Objects].
func (r *reader) Extend(target any, _ bool, _ []any) error {
	if _, ok := target.(*opaque); ok {
		return nil
	}
	return fmt.Errorf("it adds to %s: the file is damaged", kind(target))
}

// Persistent implements [pickle.Objects]: a storage, ("storage", class, key, device,
// number of elements), and in the legacy format a view of it, which PyTorch has not
// written since 0.4.
func (r *reader) Persistent(id any) (any, error) {
	v, ok := id.(pickle.Tuple)
	if !ok || len(v) < 5 || text(v[0]) != "storage" {
		return nil, errors.New("it names an object outside the pickle that is no storage: refused")
	}
	if len(v) > 5 && v[5] != nil {
		return nil, fmt.Errorf("it has views of storages as PyTorch before 0.4 wrote them: load it in a newer one and %s", mend)
	}
	n, isInt := v[4].(int64)
	if !isInt || n < 0 || n > maxElements {
		return nil, fmt.Errorf("a storage claims %s elements: the file is damaged", kind(v[4]))
	}
	switch class := v[1].(type) {
	case elem:
		return r.storage(text(v[2]), class, int(n))
	case *opaque:
		return class, nil
	}
	return nil, fmt.Errorf("a storage is of %s: the file is damaged", kind(v[1]))
}

// text is a string of Python 3 or 2, or empty.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case pickle.Bytes:
		return string(v)
	}
	return ""
}
