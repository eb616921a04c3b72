package pt2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// The description of a network in JSON, as torch/_export/serde/schema.py has it. Fields that do not
// matter here are left out, and so are most of those that PyTorch writes for later versions.

type exported struct {
	GraphModule      graphModule                `json:"graph_module"`
	OpsetVersion     map[string]int             `json:"opset_version"`
	RangeConstraints map[string]rangeConstraint `json:"range_constraints"`
	SchemaVersion    schemaVersion              `json:"schema_version"`
	Verifiers        []string                   `json:"verifiers"`
	TorchVersion     string                     `json:"torch_version"`
	GuardsCode       []string                   `json:"guards_code"`
}

type schemaVersion struct {
	Major int `json:"major"`
	Minor int `json:"minor"`
}

// A rangeConstraint is the range of a symbol; nil is no bound.
type rangeConstraint struct {
	Min *json.Number `json:"min_val"`
	Max *json.Number `json:"max_val"`
}

type graphModule struct {
	Graph           graph        `json:"graph"`
	Signature       signature    `json:"signature"`
	ModuleCallGraph []moduleCall `json:"module_call_graph"`
	Metadata        passed       `json:"metadata"`
	NamedTuples     passed       `json:"treespec_namedtuple_fields"`
}

type graph struct {
	Inputs        []union             `json:"inputs"`
	Outputs       []union             `json:"outputs"`
	Nodes         nodes               `json:"nodes"`
	TensorValues  bounded[tensorMeta] `json:"tensor_values"`
	SymIntValues  bounded[union]      `json:"sym_int_values"`
	SymBoolValues passed              `json:"sym_bool_values"`
	SingleReturn  bool                `json:"is_single_tensor_return"`
	CustomObjects passed              `json:"custom_obj_values"`
	SymFloats     passed              `json:"sym_float_values"`
}

type node struct {
	Target   string          `json:"target"`
	Inputs   []namedArgument `json:"inputs"`
	Outputs  []union         `json:"outputs"`
	Metadata passed          `json:"metadata"`
	Name     string          `json:"name,omitempty"`
}

type namedArgument struct {
	Name string `json:"name"`
	Arg  union  `json:"arg"`
	Kind *int   `json:"kind"`
}

type name struct {
	Name string `json:"name"`
}

type expression struct {
	Text string `json:"expr_str"`
	Hint *union `json:"hint"`
}

type tensorMeta struct {
	DType        int     `json:"dtype"`
	Sizes        []union `json:"sizes"`
	RequiresGrad bool    `json:"requires_grad"`
	Device       device  `json:"device"`
	Strides      []union `json:"strides"`
	Offset       union   `json:"storage_offset"`
	Layout       int     `json:"layout"`
}

type device struct {
	Type  string `json:"type"`
	Index *int   `json:"index"`
}

type signature struct {
	Inputs  []union `json:"input_specs"`
	Outputs []union `json:"output_specs"`
}

// An inputSpec is any of the kinds of inputs' specifications that a network may have.
type inputSpec struct {
	Arg        name   `json:"arg"`
	Parameter  string `json:"parameter_name,omitempty"`
	Buffer     string `json:"buffer_name,omitempty"`
	Persistent *bool  `json:"persistent,omitempty"`
	Constant   string `json:"tensor_constant_name,omitempty"`
}

// A userSpec is the specification of an input that is given, or of an output.
type userSpec struct {
	Arg union `json:"arg"`
}

type moduleCall struct {
	FQN       string         `json:"fqn"`
	Signature *callSignature `json:"signature"`
}

type callSignature struct {
	Inputs  []union  `json:"inputs"`
	Outputs []union  `json:"outputs"`
	InSpec  string   `json:"in_spec"`
	OutSpec string   `json:"out_spec"`
	Names   []string `json:"forward_arg_names"`
}

// A payloadConfig says where the numbers of tensors are.
type payloadConfig struct {
	Config bounded[payload] `json:"config"`
}

type payload struct {
	Path    string      `json:"path_name"`
	IsParam bool        `json:"is_param"`
	Pickle  bool        `json:"use_pickle"`
	Meta    *tensorMeta `json:"tensor_meta"`
}

// passed is skipped when read, and written as an object without fields.
type passed struct{}

// A union is an object of one field, whose name says what it is.
type union struct {
	kind  string
	value json.RawMessage
}

func (u *union) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("%.40s stands where an object of one field is due", b)
	}
	key, err := d.Token()
	kind, ok := key.(string)
	if err != nil || !ok {
		return errors.New("an object is empty where one field is due")
	}
	u.kind = kind
	if err := d.Decode(&u.value); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("an object has more fields than %.40q where one is due", u.kind)
	}
	return nil
}

func (u union) MarshalJSON() ([]byte, error) {
	if u.kind == "" {
		return nil, errors.New("a union has no kind")
	}
	return json.Marshal(map[string]json.RawMessage{u.kind: u.value})
}

// into decodes the union's value.
func (u union) into(v any) error {
	if len(u.value) == 0 || string(u.value) == "null" {
		return errors.New("a field is missing or null")
	}
	if err := json.Unmarshal(u.value, v); err != nil {
		return fmt.Errorf("%.40s is no %s: %w", u.value, u.kind, err)
	}
	return nil
}

// one is the union of a kind and a value.
func one(kind string, value any) union {
	b, err := json.Marshal(value)
	if err != nil { // of no type that is used here
		return union{}
	}
	return union{kind, b}
}

// Bounds of a description.
const (
	maxNodes  = 200_000
	maxValues = 1_000_000
)

// nodes are decoded one by one, so that a file of very many is refused before it fills the memory.
type nodes []node

func (n *nodes) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errors.New("the graph's nodes are no list")
	}
	for d.More() {
		if len(*n) == maxNodes {
			return fmt.Errorf("it has more than %d operations", maxNodes)
		}
		var one node
		if err := d.Decode(&one); err != nil {
			return err
		}
		*n = append(*n, one)
	}
	return nil
}

// bounded is a map of at most maxValues.
type bounded[T any] map[string]T

func (m *bounded[T]) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	t, err := d.Token()
	if err == nil && t == nil {
		return nil
	}
	if err != nil || t != json.Delim('{') {
		return fmt.Errorf("%.40s stands where an object is due", b)
	}
	*m = bounded[T]{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name := key.(string) // of an object's field
		if _, twice := (*m)[name]; twice {
			return fmt.Errorf("the name %.80q is there twice", name)
		}
		if len(*m) == maxValues {
			return fmt.Errorf("it has more than %d values", maxValues)
		}
		var v T
		if err := d.Decode(&v); err != nil {
			return err
		}
		(*m)[name] = v
	}
	return nil
}
