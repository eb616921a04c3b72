package data

import (
	"fmt"
	"os"

	"github.com/goccy/go-yaml/ast"

	"github.com/eegprune/eegprune/internal/strictyaml"
)

// UnmarshalYAML reads options as a file of features or a study has them. Options that
// aren't mentioned stay as they are. Unknown keys, names and arguments are errors.
func (o *Options) UnmarshalYAML(n ast.Node) error {
	type plain Options // has no UnmarshalYAML, which would go on for ever
	return strictyaml.Decode(n, (*plain)(o))
}

// ReadOptions reads a file of features in YAML into o, whose values hold where the file
// is silent:
//
//	seconds: 2
//	overlap: 1
//	transforms:
//	  - name: BandDifferentialEntropy
//	    args: {bands: {alpha: [8, 14], beta: [14, 31]}}
//	  - name: ToGrid
//	label:
//	  - name: Select
//	    args: {key: [arousal]}
//	  - name: Binary
//	    args: {threshold: 5}
//
// Its errors begin with the file's name and, where they have one, line and column.
func ReadOptions(path string, o *Options) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading a file of features: %w", err)
	}
	return parseOptions(b, path, o)
}

func parseOptions(b []byte, name string, o *Options) error {
	if err := strictyaml.Unmarshal(b, name, o); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
