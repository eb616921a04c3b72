// Package schema makes JSON schemas of the structs that YAML files are read into, for editors.
package schema

import (
	"reflect"

	"github.com/eegprune/eegprune/internal/strictyaml"
)

// A Schema is a JSON schema, or a part of one.
type Schema = map[string]any

// A Maker makes the schema of a type.
type Maker struct {
	// Types are the schemas of types that read themselves.
	Types map[reflect.Type]Schema
	// Keys are the schemas of the values of a key, wherever it is, and come before Types.
	Keys map[string]Schema
}

// Of returns the schema of a type. A key that a struct doesn't have is refused.
func (m Maker) Of(t reflect.Type) Schema {
	if s, ok := m.Types[t]; ok {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.Of(t.Elem())
	case reflect.Bool:
		return Schema{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return Schema{"type": "integer"}
	case reflect.Uint, reflect.Uint64:
		return Schema{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return Schema{"type": "number"}
	case reflect.String:
		return Schema{"type": []any{"string", "number"}} // YAML writes 2 for "2"
	case reflect.Slice:
		return Schema{"type": "array", "items": m.Of(t.Elem())}
	case reflect.Map:
		return Schema{"type": "object", "additionalProperties": m.Of(t.Elem())}
	case reflect.Struct:
		keys := Schema{}
		for _, f := range strictyaml.Fields(t, "yaml") {
			if s, ok := m.Keys[f.Key]; ok {
				keys[f.Key] = s
			} else {
				keys[f.Key] = m.Of(f.Type)
			}
		}
		return Schema{"type": "object", "properties": keys, "additionalProperties": false}
	}
	return Schema{}
}

// OneOf is the schema of one of some words.
func OneOf(words []string) Schema { return Schema{"enum": words} }

// ListOf is the schema of a list.
func ListOf(s Schema) Schema { return Schema{"type": "array", "items": s} }
