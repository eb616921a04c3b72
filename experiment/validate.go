package experiment

import (
	"fmt"
	"os"
	"reflect"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"github.com/eegprune/eegprune/data"
	"github.com/eegprune/eegprune/internal/strictyaml"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
	"github.com/eegprune/eegprune/train"
)

// A Content is the content of a study file, as far as it is known without the recordings.
type Content struct {
	Networks []NetworkContent `json:"networks"`
	Seeds    []uint64         `json:"seeds"`
}

// A NetworkContent is a study file's content for one network.
type NetworkContent struct {
	Model   string    `json:"model"`
	Split   string    `json:"split"`   // empty where the recordings decide
	Folds   int       `json:"folds"`   // 0 where the recordings decide
	Prune   []Pruning `json:"prune"`   // each method at each ratio
	Recover []string  `json:"recover"` // stages
	Cells   int       `json:"cells"`   // in each fold, of each seed
}

// ValidateFile returns the content of a study file, or all of its faults, in the order of its
// lines; each begins with the file's name, line and column. Neither libtorch nor the recordings
// are needed.
func ValidateFile(path string) (*Content, []error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, []error{fmt.Errorf("reading the study: %w", err)}
	}
	root, err := strictyaml.Parse(b, path)
	if err != nil {
		return nil, []error{err}
	}
	if root == nil {
		_, err := ReadFile(path)
		return nil, []error{err}
	}
	v := validation{root: root, path: path}
	v.file()
	if len(v.faults) > 0 {
		return nil, strictyaml.Sorted(path, v.faults)
	}
	// Faults that the walk doesn't know are still found, if one at a time.
	f, err := ReadFile(path)
	if err != nil {
		return nil, []error{err}
	}
	c, err := f.content()
	if err != nil {
		return nil, []error{strictyaml.Placed(path, err)}
	}
	return c, nil
}

func (f *File) content() (*Content, error) {
	all := &Content{Seeds: f.seeds()}
	for _, n := range f.Networks {
		c, err := f.config(n, all.Seeds[0])
		if err != nil {
			return nil, err
		}
		s := Study{Config: c}
		all.Networks = append(all.Networks, NetworkContent{Model: c.Model, Split: c.Split.Name, Folds: c.Split.Folds, Prune: c.Prune, Recover: c.Recover, Cells: len(s.cells(1))})
	}
	return all, nil
}

// A validation gathers the faults of a study file.
type validation struct {
	root   ast.Node
	path   string
	faults []error
}

func (v *validation) add(err error, path ...any) {
	if err != nil {
		v.faults = append(v.faults, strictyaml.At(strictyaml.Find(v.root, path...), "%s", err))
	}
}

func (v *validation) file() {
	v.faults = strictyaml.Faults(v.root, reflect.TypeFor[File]())
	v.part(reflect.TypeFor[Split](), "split")
	for i := range v.items("networks") {
		v.part(reflect.TypeFor[Split](), "networks", i, "split")
		v.part(reflect.TypeFor[data.Options](), "networks", i, "features")
		v.part(reflect.TypeFor[train.Options](), "networks", i, "train")
		v.part(reflect.TypeFor[train.Options](), "networks", i, "fine_tune")
	}
	typed := len(v.faults) == 0
	v.names("prune", "methods")
	for i := range v.items("networks") {
		v.names("networks", i, "methods")
		if model := v.text("networks", i, "model"); model != "" {
			_, err := models.ByName(model)
			v.add(err, "networks", i, "model")
		}
	}
	for i, n := range v.items("recover") {
		_, err := ParseRecovery(n.GetToken().Value)
		v.add(err, "recover", i)
	}
	if dir := v.text("data", "dir"); dir != "" {
		if _, err := os.Stat(beside(v.path, dir)); err != nil {
			v.add(fmt.Errorf("the directory of recordings: %w", err), "data", "dir")
		}
	}
	if typed {
		v.settings()
	}
}

// settings finds values that are well-formed and can't be meant, network by network.
func (v *validation) settings() {
	var f File
	if err := strictyaml.Decode(v.root, &f); err != nil {
		v.faults = append(v.faults, err)
		return
	}
	for i, r := range f.Prune.Ratios {
		v.add(prune.CheckRatio(r), "prune", "ratios", i)
	}
	for _, fault := range f.faults() {
		v.add(fault.error, fault.key)
	}
	// Found above, each in its place.
	f.Recover = nil
	f.Prune.Ratios = slices.DeleteFunc(f.Prune.Ratios, func(r float64) bool { return prune.CheckRatio(r) != nil })
	f.Prune.Methods = known(f.Prune.Methods)
	for i := range f.Networks {
		n := &f.Networks[i]
		n.Network = beside(v.path, n.Network)
		if n.Methods != nil {
			n.Methods = known(n.Methods)
		}
		if _, err := models.ByName(n.Model); err != nil && n.Network == "" && n.Model != "" {
			continue // found above
		}
		v.add(f.checkNetwork(i), "networks", i)
	}
}

// known leaves out methods that there are not.
func known(methods []string) []string {
	return slices.DeleteFunc(slices.Clone(methods), func(m string) bool { return !slices.Contains(prune.MethodNames(), m) })
}

// at returns the node at the end of a path, nil if there is none.
func (v *validation) at(path ...any) ast.Node {
	last := len(path) - 1
	parent, n := strictyaml.Find(v.root, path[:last]...), strictyaml.Find(v.root, path...)
	if n == parent {
		return nil
	}
	return n
}

func (v *validation) items(path ...any) []ast.Node {
	if list, ok := v.at(path...).(*ast.SequenceNode); ok {
		return list.Values
	}
	return nil
}

func (v *validation) text(path ...any) string {
	if n, ok := v.at(path...).(ast.ScalarNode); ok {
		return n.GetToken().Value
	}
	return ""
}

// part finds faults in a piece whose type the rest of the file decides.
func (v *validation) part(t reflect.Type, path ...any) {
	if n := v.at(path...); n != nil {
		v.faults = append(v.faults, strictyaml.Faults(n, t)...)
	}
}

// names finds methods that there are not.
func (v *validation) names(path ...any) {
	for i, n := range v.items(path...) {
		_, err := prune.ByName(n.GetToken().Value)
		v.add(err, append(slices.Clone(path), i)...)
	}
}
