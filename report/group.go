package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/result"
)

// A group is the results of one network over the folds.
type group struct {
	result.Variant
	// methods are those that led to one and the same network, where they are several: its
	// Method is the first. Only [distinct] sets it.
	methods []string
	results []result.Result
}

// method names all methods of the network.
func (g group) method() string { return methodText(g.Method, g.methods) }

func methodText(method string, several []string) string {
	if len(several) > 1 {
		return strings.Join(several, ", ")
	}
	return method
}

// distinct returns each network once. Networks of fresh weights are told apart by widths
// and seeds alone: where methods that remove filters leave the same widths on all folds,
// their network trained from scratch is one and the same.
func distinct(all []group) []group {
	var out []group
	for _, g := range all {
		i := slices.IndexFunc(out, func(o group) bool { return o.same(g) })
		if i < 0 {
			out = append(out, g)
			continue
		}
		if out[i].methods == nil {
			out[i].methods = []string{out[i].Method}
		}
		if !slices.Contains(out[i].methods, g.Method) {
			out[i].methods = append(out[i].methods, g.Method)
		}
	}
	return out
}

// same says whether two networks are one by the way they are made.
func (g group) same(o group) bool {
	if g.Model != o.Model || g.Stage != o.Stage || g.Ratio != o.Ratio || !result.StageOf(g.Stage).Fresh || len(g.results) != len(o.results) {
		return false
	}
	for i, r := range g.results {
		s := o.results[i]
		if r.Fold != s.Fold || r.Inner != s.Inner || r.Cell.Seed != s.Cell.Seed || r.FoldSeed != s.FoldSeed || len(r.Widths) == 0 || !slices.Equal(r.Widths, s.Widths) ||
			r.Size.Masked() || s.Size.Masked() || len(r.Epochs) != len(s.Epochs) {
			return false
		}
	}
	return true
}

// groups puts a study's results in the order of tables: model, method, ratio, stage;
// unpruned networks, which have no method, come first.
func groups(s *result.Study) []group {
	var all []group
	at := map[result.Variant]int{}
	configs := dividedBy(s.Config)
	for _, r := range s.Results {
		r.FixedFolds = fixedFolds(configs, r.Model)
		i, ok := at[r.Variant]
		if !ok {
			i = len(all)
			at[r.Variant] = i
			all = append(all, group{Variant: r.Variant})
		}
		all[i].results = append(all[i].results, r)
	}
	slices.SortStableFunc(all, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Ratio, b.Ratio),
			cmp.Compare(result.Order(a.Stage), result.Order(b.Stage)))
	})
	for _, g := range all {
		slices.SortStableFunc(g.results, func(a, b result.Result) int {
			return cmp.Or(unitOf(a.Cell).compare(unitOf(b.Cell)), cmp.Compare(a.Inner, b.Inner))
		})
	}
	return all
}

// resultsOf are the results of several networks.
func resultsOf(all []group) []result.Result {
	var results []result.Result
	for _, g := range all {
		results = append(results, g.results...)
	}
	return results
}

// unprunedOf returns the unpruned network of a model.
func unprunedOf(all []group, model string) (group, bool) { return stageOf(all, model, result.Unpruned) }

func stageOf(all []group, model, stage string) (group, bool) {
	for _, g := range all {
		if g.Model == model && g.Stage == stage {
			return g, true
		}
	}
	return group{}, false
}

// referenceOf returns the network that a loss is judged against, and where that is not there,
// as in results of schema 2, the unpruned network. False says that there is none.
func referenceOf(all []group, v result.Variant) (group, bool) {
	if g, ok := stageOf(all, v.Model, result.StageOf(v.Stage).Reference); ok {
		return g, true
	}
	return unprunedOf(all, v.Model)
}

// stagesOf returns the stages that some network is in, in order.
func stagesOf(all []group) []string {
	var stages []string
	for _, g := range all {
		if !slices.Contains(stages, g.Stage) {
			stages = append(stages, g.Stage)
		}
	}
	slices.SortStableFunc(stages, func(a, b string) int { return cmp.Compare(result.Order(a), result.Order(b)) })
	return stages
}

// names are the columns that tell a study's networks apart: always the stage, and
// before it the model, the method and the ratio where there are several.
type names struct{ model, method, ratio bool }

func namesOf(all []group) names {
	models, methods, ratios := map[string]bool{}, map[string]bool{}, map[float64]bool{}
	for _, g := range all {
		models[g.Model] = true
		if g.Method != "" {
			methods[g.Method] = true
		}
		if !result.StageOf(g.Stage).Whole {
			ratios[g.Ratio] = true
		}
	}
	return names{len(models) > 1, len(methods) > 1, len(ratios) > 1}
}

// header returns the columns' names, the last of them the given one.
func (n names) header(last string) []string { return n.columns("model", "method", "ratio", last) }

// row returns the columns of a network.
func (n names) row(g group) []string {
	return n.columns(g.Model, g.method(), ratioText(g.Variant), g.Stage)
}

func (n names) columns(model, method, ratio, last string) []string {
	var c []string
	for _, column := range []struct {
		shown bool
		text  string
	}{{n.model, model}, {n.method, method}, {n.ratio, ratio}, {true, last}} {
		if column.shown {
			c = append(c, column.text)
		}
	}
	return c
}

// ratioText leaves the ratio of networks blank that were not pruned.
func ratioText(v result.Variant) string {
	if v.Ratio == 0 && result.StageOf(v.Stage).Whole {
		return ""
	}
	return strconv.FormatFloat(v.Ratio, 'g', 4, 64)
}
