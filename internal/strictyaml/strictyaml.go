// Package strictyaml reads settings from YAML, and gives the line and column of settings that
// can't be meant.
package strictyaml

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/eegprune/eegprune/internal/spelling"
)

// A Fault is an error at a place in a file.
type Fault struct {
	At      *token.Token // nil where it has no place
	Message string
}

func (f *Fault) Error() string { return f.Message }

// At makes a fault at a node, without a place if there is none.
func At(n ast.Node, format string, args ...any) error {
	f := &Fault{Message: fmt.Sprintf(format, args...)}
	if n != nil {
		f.At = n.GetToken()
	}
	return f
}

// Unmarshal reads a file into the struct that v points to; fields that the file doesn't
// mention stay as they are. A key that the struct doesn't have, a key given twice and a value
// of another type are errors, of one line that begins with the file's name, line and column.
func Unmarshal(b []byte, name string, v any) error {
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return Placed(name, err)
	}
	if len(f.Docs) > 1 {
		return Placed(name, At(f.Docs[1].Body, "a second document begins here, and one is read: remove the line ---"))
	}
	if len(f.Docs) == 0 || f.Docs[0].Body == nil {
		return nil
	}
	if err := check(f.Docs[0].Body, reflect.TypeOf(v)); err != nil {
		return Placed(name, err)
	}
	// Of the text and not of the nodes, or the value of an anchor elsewhere would not be
	// known.
	return Placed(name, yaml.UnmarshalWithOptions(b, v, yaml.Strict()))
}

// Decode reads a part of a file as [Unmarshal] does, for a type that reads itself. Its
// errors have yet to be placed.
func Decode(n ast.Node, v any) error {
	if err := check(n, reflect.TypeOf(v)); err != nil {
		return err
	}
	return yaml.NodeToValue(n, v, yaml.Strict())
}

// Placed puts the file's name, line and column before an error's message.
func Placed(name string, err error) error {
	if err == nil {
		return nil
	}
	at, message := (*token.Token)(nil), err.Error()
	var own *Fault
	var kind *yaml.TypeError
	var library yaml.Error
	switch {
	case errors.As(err, &own):
		at, message = own.At, own.Message
	case errors.As(err, &kind):
		at, message = kind.Token, fmt.Sprintf("%s is needed here", typeName(kind.DstType))
		if at != nil && at.Value != "" {
			message += fmt.Sprintf(" and not %q", at.Value)
		}
	case errors.As(err, &library):
		at, message = library.GetToken(), library.GetMessage()
	}
	message = strings.Join(strings.Fields(message), " ")
	if at != nil && at.Position != nil {
		return fmt.Errorf("%s:%d:%d: %s", name, at.Position.Line, at.Position.Column, message)
	}
	return fmt.Errorf("%s: %s", name, message)
}

const wholeNumber = "a whole number"

func typeName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return wholeNumber
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.String:
		return "text"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Pointer:
		return typeName(t.Elem())
	}
	return "a mapping of keys to values"
}

// Pairs returns the keys and values of a mapping, false if the node is none.
func Pairs(n ast.Node) ([]*ast.MappingValueNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, true
	case *ast.AnchorNode:
		return Pairs(n.Value)
	}
	return nil, false
}

// UnknownKey is the error of a key that isn't among those that there are.
func UnknownKey(key ast.Node, known []string) error {
	name := key.GetToken().Value
	if len(known) == 0 {
		return At(key, "there is no key %q here, nor any other", name)
	}
	return At(key, "there is no key %q (did you mean %s?): there are %s", name, spelling.Nearest(name, known), strings.Join(known, ", "))
}

// check finds keys that a type doesn't have, for the library's own message doesn't say
// which it has, and fractions in place of whole numbers, which it would cut off. Types
// that read themselves are left to do so.
func check(n ast.Node, t reflect.Type) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if f, ok := n.(*ast.FloatNode); ok && typeName(t) == wholeNumber && f.Value != math.Trunc(f.Value) {
		return At(n, "%s is needed here and not %q", wholeNumber, n.GetToken().Value)
	}
	if t.Kind() == reflect.Slice {
		list, ok := n.(*ast.SequenceNode)
		if !ok || readsItself(t) {
			return nil
		}
		for _, v := range list.Values {
			if err := check(v, t.Elem()); err != nil {
				return err
			}
		}
		return nil
	}
	pairs, ok := Pairs(n)
	if t.Kind() != reflect.Struct || !ok || readsItself(t) {
		return nil
	}
	fields := Fields(t, "yaml")
	var known []string
	for _, f := range fields {
		known = append(known, f.Key)
	}
	for _, p := range pairs {
		if _, merge := p.Key.(*ast.MergeKeyNode); merge {
			continue
		}
		i := slices.Index(known, p.Key.GetToken().Value)
		if i < 0 {
			return UnknownKey(p.Key, known)
		}
		if err := check(p.Value, fields[i].Type); err != nil {
			return err
		}
	}
	return nil
}

func readsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[yaml.NodeUnmarshaler]()) || p.Implements(reflect.TypeFor[yaml.BytesUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[yaml.InterfaceUnmarshaler]())
}

// A Field is a field of a struct and the key that it has in a file.
type Field struct {
	Key  string
	Type reflect.Type
}

// Fields returns the fields of a struct that have a key by that tag, "yaml" or "json".
// Those of embedded structs are among them.
func Fields(t reflect.Type, tag string) []Field {
	var list []Field
	for i := range t.NumField() {
		f := t.Field(i)
		key, options, _ := strings.Cut(f.Tag.Get(tag), ",")
		inline := options == "inline" || tag == "json" && f.Anonymous && key == ""
		switch {
		case inline && f.Type.Kind() == reflect.Struct:
			list = append(list, Fields(f.Type, tag)...)
		case !f.IsExported() || key == "-":
		case key == "":
			list = append(list, Field{strings.ToLower(f.Name), f.Type}) // as the library has it
		default:
			list = append(list, Field{key, f.Type})
		}
	}
	return list
}

// Anchors returns the values of a file's anchors.
func Anchors(b []byte) map[string]ast.Node {
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil
	}
	found := anchors{}
	for _, d := range f.Docs {
		if d.Body != nil {
			ast.Walk(found, d.Body)
		}
	}
	return found
}

type anchors map[string]ast.Node

// Visit implements [ast.Visitor].
func (a anchors) Visit(n ast.Node) ast.Visitor {
	if n, ok := n.(*ast.AnchorNode); ok {
		a[n.Name.GetToken().Value] = n.Value
	}
	return a
}

// Resolve replaces each alias in a part of a file by its value, so that the part can be
// decoded without the rest. An alias inside of its own value stays as it is.
func Resolve(n ast.Node, anchors map[string]ast.Node) ast.Node {
	return resolve(n, anchors, nil)
}

// resolve is Resolve inside of the values of the open aliases.
func resolve(n ast.Node, anchors map[string]ast.Node, open []string) ast.Node {
	switch n := n.(type) {
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		if v := anchors[name]; v != nil && !slices.Contains(open, name) {
			return resolve(v, anchors, append(slices.Clip(open), name))
		}
	case *ast.AnchorNode:
		return resolve(n.Value, anchors, append(slices.Clip(open), n.Name.GetToken().Value))
	case *ast.MappingNode:
		for _, v := range n.Values {
			v.Value = resolve(v.Value, anchors, open)
		}
	case *ast.MappingValueNode:
		n.Value = resolve(n.Value, anchors, open)
	case *ast.SequenceNode:
		for i, v := range n.Values {
			n.Values[i] = resolve(v, anchors, open)
		}
	}
	return n
}
