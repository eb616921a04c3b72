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

	"github.com/goccy/go-yaml"
)

// A Thing has a name; its exported fields are its arguments.
type Thing interface{ Name() string }

type spec struct {
	Name string          `json:"name"`
	Args json.RawMessage `json:"args,omitempty"`
}

// Marshal writes a list as JSON with every argument, defaults included, so that
// what is kept with a result doesn't change its meaning with a later default.
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

// Unmarshal reads what [Marshal] writes. make returns a pointer to the thing of
// a name with its default arguments. Unknown names and arguments are errors.
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

// UnmarshalYAML reads YAML as [Unmarshal] reads JSON.
func UnmarshalYAML[T Thing](b []byte, make func(name string) (T, error)) ([]T, error) {
	j, err := yaml.YAMLToJSON(b)
	if err != nil {
		return nil, err
	}
	return Unmarshal(j, make)
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
