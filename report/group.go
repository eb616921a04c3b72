package report

import (
	"cmp"
	"slices"
	"strconv"
)

// A group is the results of one network over the folds.
type group struct {
	Variant
	results []Result
}

// groups puts a study's results in the order of tables: model, method, ratio, stage;
// unpruned networks, which have no method, come first.
func groups(s *Study) []group {
	var all []group
	at := map[Variant]int{}
	for _, r := range s.Results {
		i, ok := at[r.Variant]
		if !ok {
			i = len(all)
			at[r.Variant] = i
			all = append(all, group{Variant: r.Variant})
		}
		all[i].results = append(all[i].results, r)
	}
	slices.SortStableFunc(all, func(a, b group) int {
		return cmp.Or(cmp.Compare(a.Model, b.Model), cmp.Compare(rank(a.Stage), rank(b.Stage)),
			cmp.Compare(a.Method, b.Method), cmp.Compare(a.Ratio, b.Ratio), cmp.Compare(place(a.Stage), place(b.Stage)))
	})
	for _, g := range all {
		slices.SortStableFunc(g.results, func(a, b Result) int { return cmp.Compare(a.Fold, b.Fold) })
	}
	return all
}

// rank puts the unpruned network before all methods.
func rank(stage string) int {
	if stage == Unpruned {
		return 0
	}
	return 1
}

// place returns where a stage stands among all; those of a later version come last.
func place(stage string) int {
	if i := slices.Index(Stages(), stage); i >= 0 {
		return i
	}
	return len(Stages())
}

// unprunedOf returns the unpruned network of a model.
func unprunedOf(all []group, model string) (group, bool) {
	for _, g := range all {
		if g.Model == model && g.Stage == Unpruned {
			return g, true
		}
	}
	return group{}, false
}

// stagesOf returns the stages that some network is in, in order.
func stagesOf(all []group) []string {
	var stages []string
	for _, g := range all {
		if !slices.Contains(stages, g.Stage) {
			stages = append(stages, g.Stage)
		}
	}
	slices.SortStableFunc(stages, func(a, b string) int { return cmp.Compare(place(a), place(b)) })
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
		if g.Stage != Unpruned && g.Stage != Sparse {
			ratios[g.Ratio] = true
		}
	}
	return names{len(models) > 1, len(methods) > 1, len(ratios) > 1}
}

// header returns the columns' names, the last of them the given one.
func (n names) header(last string) []string { return n.columns("model", "method", "ratio", last) }

// row returns the columns of a network.
func (n names) row(v Variant) []string { return n.columns(v.Model, v.Method, ratioText(v), v.Stage) }

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
func ratioText(v Variant) string {
	if v.Ratio == 0 && (v.Stage == Unpruned || v.Stage == Sparse) {
		return ""
	}
	return strconv.FormatFloat(v.Ratio, 'g', 4, 64)
}
