package experiment

import (
	"encoding/json"
	"maps"
	"reflect"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/data/label"
	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/data/transform"
	"github.com/eegprune/eegprune/internal/schema"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/result"
	"github.com/eegprune/eegprune/train"
)

// draft is the version of JSON Schema that editors know.
const draft = "http://json-schema.org/draft-07/schema#"

// Schemas returns the JSON schemas of study files and of manifests (see [source.Manifest]), by
// the names of their files. Editors complete and check such files by them.
func Schemas() (map[string][]byte, error) {
	named := schema.ListOf(schema.Schema{"type": "object", "required": []string{"name"}, "additionalProperties": false,
		"properties": schema.Schema{"name": schema.Schema{"type": "string"}, "args": schema.Schema{"type": "object"}}})
	types := map[reflect.Type]schema.Schema{
		reflect.TypeFor[transform.Pipeline](): named,
		reflect.TypeFor[label.Pipeline]():     named,
		reflect.TypeFor[source.Classes]():     {"type": "object", "additionalProperties": schema.Schema{"type": []string{"string", "number", "boolean"}}},
		reflect.TypeFor[source.OneOrMore]():   {"anyOf": []schema.Schema{{"type": "string"}, schema.ListOf(schema.Schema{"type": "string"})}},
		reflect.TypeFor[map[string]float64](): {"type": "object", "additionalProperties": schema.Schema{"type": "number"}},
	}
	plain := schema.Maker{Types: types}
	methods := schema.ListOf(schema.OneOf(prune.MethodNames()))
	split := plain.Of(reflect.TypeFor[Split]())
	split["properties"].(schema.Schema)["name"] = schema.OneOf(data.SplitNames())
	training := plain.Of(reflect.TypeFor[train.Options]())
	study := schema.Maker{Types: types, Keys: map[string]schema.Schema{
		"split": split, "features": plain.Of(reflect.TypeFor[data.Options]()), "train": training, "fine_tune": training,
		"model": schema.OneOf(models.Names()), "init": schema.OneOf(models.Starts()), "metric": schema.OneOf(result.Metrics()),
		"methods": methods, "recover": schema.ListOf(schema.OneOf(RecoveryNames())),
	}}.Of(reflect.TypeFor[File]())
	manifest := plain.Of(reflect.TypeFor[source.Manifest]())
	manifest["properties"].(schema.Schema)["format"] = schema.OneOf(source.Formats())

	all := map[string][]byte{}
	for name, s := range map[string]schema.Schema{"study.json": study, "eegprune.json": manifest} {
		s = maps.Clone(s)
		s["$schema"] = draft
		b, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			return nil, err
		}
		all[name] = append(b, '\n')
	}
	return all, nil
}
