package strictyaml

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Parse returns the text of a file as nodes, with aliases replaced by their values. It is nil
// where the file is empty. Its errors begin with the file's name, line and column.
func Parse(b []byte, name string) (ast.Node, error) {
	f, err := parser.ParseBytes(b, 0)
	switch {
	case err != nil:
		return nil, Placed(name, err)
	case len(f.Docs) > 1:
		return nil, Placed(name, At(f.Docs[1].Body, "a second document begins here, and one is read: remove the line ---"))
	case len(f.Docs) == 0 || f.Docs[0].Body == nil:
		return nil, nil
	}
	return Resolve(f.Docs[0].Body, Anchors(b)), nil
}

// Faults returns all that can't be decoded of a node into a type: keys that it doesn't have, keys
// that are there twice, values of another type. Types that read themselves are tried and give
// one fault each, but for the one asked for, whose fields are looked at.
func Faults(n ast.Node, t reflect.Type) (faults []error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	pairs, mapping := Pairs(n)
	if t.Kind() != reflect.Struct || !mapping {
		return decodeFaults(n, t)
	}
	fields := Fields(t, "yaml")
	var known, seen []string
	for _, f := range fields {
		known = append(known, f.Key)
	}
	for _, p := range pairs {
		if _, merge := p.Key.(*ast.MergeKeyNode); merge {
			continue
		}
		key := p.Key.GetToken().Value
		i := slices.Index(known, key)
		switch {
		case i < 0:
			faults = append(faults, UnknownKey(p.Key, known))
		case slices.Contains(seen, key):
			faults = append(faults, At(p.Key, "the key %q is there twice", key))
		default:
			faults = append(faults, valueFaults(p.Value, fields[i].Type)...)
		}
		seen = append(seen, key)
	}
	return faults
}

func valueFaults(n ast.Node, t reflect.Type) (faults []error) {
	list, ok := n.(*ast.SequenceNode)
	switch {
	case readsItself(t) || !ok && t.Kind() == reflect.Slice:
		return decodeFaults(n, t)
	case t.Kind() == reflect.Slice:
		for _, v := range list.Values {
			faults = append(faults, valueFaults(v, t.Elem())...)
		}
		return faults
	}
	return Faults(n, t)
}

// decodeFaults tries to decode a node whole.
func decodeFaults(n ast.Node, t reflect.Type) []error {
	if f, ok := n.(*ast.FloatNode); ok && typeName(t) == wholeNumber && f.Value != math.Trunc(f.Value) {
		return []error{At(n, "%s is needed here and not %q", wholeNumber, n.GetToken().Value)}
	}
	if _, null := n.(*ast.NullNode); null {
		return nil
	}
	if err := yaml.NodeToValue(n, reflect.New(t).Interface(), yaml.Strict()); err != nil {
		return []error{err}
	}
	return nil
}

// Find returns the node at the end of a path of keys and indices, or the last one before it
// that there is.
func Find(n ast.Node, path ...any) ast.Node {
	for _, step := range path {
		next := ast.Node(nil)
		switch step := step.(type) {
		case string:
			pairs, _ := Pairs(n)
			for _, p := range pairs {
				if p.Key.GetToken().Value == step {
					next = p.Value
				}
			}
		case int:
			if list, ok := n.(*ast.SequenceNode); ok && step < len(list.Values) {
				next = list.Values[step]
			}
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}

// Sorted puts faults in the order of their places in the file, each before its file's name, line
// and column. A fault that is there twice at one place is listed once.
func Sorted(name string, faults []error) (placed []error) {
	line := func(err error) (at int) {
		var own *Fault
		var library yaml.Error
		switch {
		case errors.As(err, &own) && own.At != nil:
			return own.At.Position.Line<<16 + own.At.Position.Column
		case errors.As(err, &library) && library.GetToken() != nil:
			return library.GetToken().Position.Line<<16 + library.GetToken().Position.Column
		}
		return 0
	}
	slices.SortStableFunc(faults, func(a, b error) int { return cmp.Compare(line(a), line(b)) })
	seen := map[string]bool{}
	for _, f := range faults {
		p := Placed(name, f)
		if text := fmt.Sprint(p); !seen[text] {
			seen[text] = true
			placed = append(placed, p)
		}
	}
	return placed
}
