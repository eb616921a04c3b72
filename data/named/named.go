// Package named reads and writes lists of things that have a name and
// arguments, as study files have them:
//
//   - name: Binary
//     args: {threshold: 5}
package named

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/eegprune/eegprune/internal/strictyaml"
)

// A Thing has a name; its exported fields are its arguments.
type Thing interface{ Name() string }

type spec struct {
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

// Marshal writes a list as JSON with every argument, defaults included, so that a stored
// result keeps its meaning when a default changes.
func Marshal[T Thing](list []T) ([]byte, error) {
	specs := make([]spec, len(list))
	for i, t := range list {
		args, err := json.Marshal(t)
		if err != nil {
			return nil, fmt.Errorf("writing the arguments of %s: %w", t.Name(), err)
		}
		specs[i].Name = t.Name()
		if string(args) != "{}" {
			specs[i].Args = args
		}
	}
	return json.Marshal(specs)
}

// Unmarshal reads the output of [Marshal]. make returns a pointer to the thing of a name
// with its default arguments. Unknown names and arguments are errors.
func Unmarshal[T Thing](b []byte, make func(name string) (T, error)) ([]T, error) {
	var specs []spec
	if err := strict(b, &specs); err != nil {
		return nil, fmt.Errorf("reading a list of names and arguments: %w", err)
	}
	var list []T
	for i, s := range specs {
		t, err := make(s.Name)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i+1, err)
		}
		if len(s.Args) > 0 {
			if err := strict(s.Args, t); err != nil {
				return nil, fmt.Errorf("item %d, arguments of %s: %w", i+1, s.Name, err)
			}
		}
		list = append(list, t)
	}
	return list, nil
}

// MarshalYAML writes a list as YAML.
func MarshalYAML[T Thing](list []T) ([]byte, error) {
	b, err := Marshal(list)
	if err != nil {
		return nil, err
	}
	return yaml.JSONToYAML(b)
}

// UnmarshalYAML reads a YAML list as [Unmarshal] reads JSON. Its errors have a place;
// see [strictyaml.Placed].
func UnmarshalYAML[T Thing](n ast.Node, make func(name string) (T, error)) ([]T, error) {
	items, ok := n.(*ast.SequenceNode)
	if !ok {
		return nil, strictyaml.At(n, "a list is needed here, each of its items a name and, where there are any, args: such as [{name: Binary, args: {threshold: 5}}]")
	}
	list := []T{}
	for _, item := range items.Values {
		t, err := thing(item, make)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

func thing[T Thing](item ast.Node, make func(name string) (T, error)) (t T, err error) {
	pairs, ok := strictyaml.Pairs(item)
	if !ok {
		return t, strictyaml.At(item, "an item of this list is a mapping of name and args, such as {name: Binary, args: {threshold: 5}}")
	}
	var name, args ast.Node
	for _, p := range pairs {
		switch p.Key.GetToken().Value {
		case "name":
			name = p.Value
		case "args":
			args = p.Value
		default:
			return t, strictyaml.UnknownKey(p.Key, []string{"name", "args"})
		}
	}
	if name == nil {
		return t, strictyaml.At(item, "this item has no name")
	}
	if t, err = make(name.GetToken().Value); err != nil {
		return t, strictyaml.At(name, "%s", err)
	}
	if args == nil {
		return t, nil
	}
	return t, setArguments(t, args)
}

// setArguments reads the arguments one by one, so that an error has its place.
func setArguments(t Thing, args ast.Node) error {
	pairs, ok := strictyaml.Pairs(args)
	if !ok {
		return strictyaml.At(args, "args of %s must map the names of arguments to their values", t.Name())
	}
	var known []string
	for _, f := range strictyaml.Fields(reflect.TypeOf(t).Elem(), "json") {
		known = append(known, f.Key)
	}
	for _, p := range pairs {
		key := p.Key.GetToken().Value
		if !slices.Contains(known, key) {
			return strictyaml.UnknownKey(p.Key, known)
		}
		var value any
		if err := yaml.NodeToValue(p.Value, &value, yaml.UseOrderedMap()); err != nil {
			return err
		}
		one, err := yaml.MarshalWithOptions(yaml.MapSlice{{Key: key, Value: value}}, yaml.JSON())
		if err != nil {
			return strictyaml.At(p.Value, "argument %s of %s: %s", key, t.Name(), err)
		}
		if err := strict(one, t); err != nil {
			var kind *json.UnmarshalTypeError
			if errors.As(err, &kind) {
				err = fmt.Errorf("it can't be a %s", kind.Value)
			}
			return strictyaml.At(p.Value, "argument %s of %s: %s", key, t.Name(), err)
		}
	}
	return nil
}

func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the end of the value")
	}
	return nil
}
