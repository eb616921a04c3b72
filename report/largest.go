package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/eegprune/eegprune/result"
)

// Largest is the largest saving of a model without loss: the network that saves the most
// MACs among those that on the validation clips lose less than the margin, which is then
// tested once on the test clips.
type Largest struct {
	result.Variant
	Methods    []string `json:"methods,omitempty"` // see ComparisonRow
	Reference  string   `json:"reference,omitempty"`
	Candidates int      `json:"candidates"` // recovered networks that were looked at
	Validation Verdict  `json:"validation"`
	Test       Verdict  `json:"test"`
	PHolm      float64  `json:"p_holm"`          // of Test, corrected over the models
	PTrivial   *float64 `json:"p_above_trivial"` // of the alternative that the reference is better than the trivial baseline
	Without    bool     `json:"without"`         // without loss: p_holm and p_above_trivial are at most the level
	Parameters float64  `json:"parameters_saved"`
	MACs       float64  `json:"macs_saved"`
	// Ratios are those that the folds of a nested split chose, each for itself; Ratio is
	// then 0.
	Ratios []float64 `json:"ratios,omitempty"`
	// Chosen are the networks that they chose, in the same order: the reference where none was
	// good enough.
	Chosen []result.Variant `json:"chosen,omitempty"`
	// Masked is whether the saved weights are still there but zero.
	Masked bool   `json:"masked,omitempty"`
	Reason string `json:"reason,omitempty"` // why nothing was chosen, or tested
}

// A candidate is a recovered network with its reference.
type candidate struct {
	group
	reference        group
	parameters, macs float64 // saved
	share            float64 // of test clips to those trained on
	validationShare  float64 // of validation clips to those fitted on
}

func (c candidate) masked() bool { return meanSize(c.results).Masked() }

// chosen lists the networks that the folds of a nested split chose, each with how many did.
func (l Largest) chosen() string {
	var names []string
	folds := map[string]int{}
	for _, v := range l.Chosen {
		name := v.Stage
		if v.Method != "" {
			name = v.Method + " " + ratioText(v) + " " + v.Stage
		}
		if folds[name]++; folds[name] == 1 {
			names = append(names, name)
		}
	}
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%d)", name, folds[name])
	}
	return strings.Join(names, ", ")
}

// candidatesOf returns the recovered networks of a model, those that save the most MACs
// first.
func candidatesOf(all []group, model string, config json.RawMessage) []candidate {
	var of []candidate
	whole, _ := unprunedOf(all, model)
	for _, g := range all {
		if g.Model != model || !result.StageOf(g.Stage).Recovered {
			continue
		}
		reference, ok := referenceOf(all, g.Variant)
		if !ok {
			continue
		}
		p, m := shares(g.results, whole.results)
		of = append(of, candidate{group: g, reference: reference, parameters: 1 - p, macs: 1 - m, share: testShare(g.results, config), validationShare: validationShare(g.results, config)})
	}
	slices.SortStableFunc(of, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.macs, a.macs), cmp.Compare(b.parameters, a.parameters))
	})
	return of
}

func largest(all []group, metric string, j Judgement, config json.RawMessage) []Largest {
	var out []Largest
	for i, g := range all {
		if i > 0 && all[i-1].Model == g.Model {
			continue
		}
		if of := candidatesOf(all, g.Model, config); len(of) > 0 {
			out = append(out, largestOf(of, metric, j))
		}
	}
	p := make([]*float64, len(out))
	for i, l := range out {
		if l.Reason == "" {
			p[i] = l.Test.P
		}
	}
	for i, corrected := range holmOf(p) {
		if corrected != nil {
			out[i].PHolm = *corrected
			out[i].Without = withoutLoss(out[i].PHolm, out[i].PTrivial, j.Level)
		}
	}
	return out
}

func largestOf(of []candidate, metric string, j Judgement) Largest {
	if slices.ContainsFunc(of[0].results, func(r result.Result) bool { return r.Inner > 0 }) {
		return nestedLargest(of, metric, j)
	}
	out := Largest{Variant: result.Variant{Model: of[0].Model}, Candidates: len(of), Reason: "no network is shown on the validation clips to lose less than the margin"}
	failed := 0
	for _, c := range of {
		x, y, _ := pairs(c.reference.results, c.results, onValidation(metric))
		chosen, err := j.NotInferior(c.validationShare, x, y)
		if err != nil {
			// One that can't be tested is one that shows nothing; where none can, this is why.
			if failed++; failed == len(of) {
				out.Reason = "on the validation clips " + err.Error()
			}
			continue
		}
		if *chosen.P > j.Level {
			continue
		}
		out = Largest{Variant: c.Variant, Methods: c.methods, Reference: c.reference.Stage, Candidates: len(of), Validation: chosen, Parameters: c.parameters, MACs: c.macs, Masked: c.masked(),
			PTrivial: j.aboveTrivial(metric, c.reference.results, c.share)}
		x, y, _ = pairs(c.reference.results, c.results, onTest(metric))
		if out.Test, err = j.NotInferior(c.share, x, y); err != nil {
			out.Reason = "on the test clips " + err.Error()
		}
		return out
	}
	return out
}

// nestedLargest lets each outer fold choose by its own inner folds: the largest saving
// whose mean loss on these is below the margin, or else the reference itself.
func nestedLargest(of []candidate, metric string, j Judgement) Largest {
	out := Largest{Variant: result.Variant{Model: of[0].Model}, Reference: of[0].reference.Stage, Candidates: len(of),
		PTrivial: j.aboveTrivial(metric, of[0].reference.results, of[0].share)}
	on := func(results []result.Result, u unit, value func(result.Result) float64) float64 {
		for _, o := range observe(results, value) {
			if o.unit == u {
				return o.value
			}
		}
		return math.NaN()
	}
	var valX, valY, testX, testY []float64
	var units []unit
	share := of[0].share
	for _, o := range observe(of[0].reference.results, onTest(metric)) {
		reference := of[0].reference
		chosen := reference.results
		network, ratio := reference.Variant, 0.0
		for _, c := range of {
			if loss := on(c.reference.results, o.unit, onValidation(metric)) - on(c.results, o.unit, onValidation(metric)); loss <= j.Margin {
				chosen, reference, network, ratio = c.results, c.reference, c.Variant, c.Ratio
				out.Masked = out.Masked || c.masked()
				out.Parameters, out.MACs, share = out.Parameters+c.parameters, out.MACs+c.macs, c.share
				break
			}
		}
		out.Ratios, out.Chosen = append(out.Ratios, ratio), append(out.Chosen, network)
		x, y := on(reference.results, o.unit, onTest(metric)), on(chosen, o.unit, onTest(metric))
		if !known(x, y) {
			continue
		}
		testX, testY, units = append(testX, x), append(testY, y), append(units, o.unit)
		valX = append(valX, on(reference.results, o.unit, onValidation(metric)))
		valY = append(valY, on(chosen, o.unit, onValidation(metric)))
	}
	n := float64(max(1, len(out.Ratios)))
	out.Parameters, out.MACs = out.Parameters/n, out.MACs/n
	shared := sharedFolds(of[0].reference.results)
	valX, valY, _ = averaged(valX, valY, units, shared)
	testX, testY, _ = averaged(testX, testY, units, shared)
	out.Validation.Folds, out.Validation.Loss = len(valX), number(lossOf(valX, valY).Mean)
	var err error
	if out.Test, err = j.NotInferior(share, testX, testY); err != nil {
		out.Reason = err.Error()
	}
	if !slices.ContainsFunc(out.Ratios, func(r float64) bool { return r > 0 }) {
		out.Reason = "no fold has a network that loses less than the margin on its inner folds"
	}
	return out
}
