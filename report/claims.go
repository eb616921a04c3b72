package report

import (
	"encoding/json"
	"slices"

	"github.com/eegprune/eegprune/result"
)

// A RecoveryPair compares training a pruned network from scratch with
// fine-tuning it. Where several methods share one network from scratch it is set
// against the mean of their fine-tuned ones.
type RecoveryPair struct {
	Model   string   `json:"model"`
	Method  string   `json:"method"`
	Methods []string `json:"methods,omitempty"`
	Ratio   float64  `json:"ratio"`
	Folds   int      `json:"folds"`
	Gain    *float64 `json:"gain"` // mean over folds of the score from scratch less fine-tuned
	Low     *float64 `json:"gain_low"`
	High    *float64 `json:"gain_high"`
	P       *float64 `json:"p"`      // two-sided
	PHolm   *float64 `json:"p_holm"` // corrected over all pairs
}

// Overall is the gain of training from scratch against fine-tuning over all networks: the
// gain of a fold is the mean over the pairs, and the test is over these.
type Overall struct {
	Pairs  int      `json:"pairs"`
	Folds  int      `json:"folds"` // on which every pair was tested
	Better int      `json:"better"`
	Worse  int      `json:"worse"`
	Gain   *float64 `json:"gain"`
	Low    *float64 `json:"gain_low"`
	High   *float64 `json:"gain_high"`
	P      *float64 `json:"p"`                // two-sided
	Reason string   `json:"reason,omitempty"` // why there is no p
}

// A gains holds the scores from scratch and fine-tuned on the units of one pair.
type gains struct {
	pair    RecoveryPair
	scratch []observation
	tuned   []observation
	share   float64
	shared  map[unit]int // see sharedFolds
}

// values returns both on the units that they share.
func (g gains) values() (scratch, tuned []float64, units []unit) {
	for _, s := range g.scratch {
		i := slices.IndexFunc(g.tuned, func(o observation) bool { return o.unit == s.unit })
		if i >= 0 && known(s.value, g.tuned[i].value) {
			scratch, tuned, units = append(scratch, s.value), append(tuned, g.tuned[i].value), append(units, s.unit)
		}
	}
	return averaged(scratch, tuned, units, g.shared)
}

// pairRecoveries compares scratch with fine-tuned. all holds every group, once those that
// are distinct.
func (c *Comparison) pairRecoveries(all, once []group, j Judgement, config json.RawMessage) {
	var of []gains
	shared := sharedFolds(resultsOf(all))
	for _, g := range once {
		if g.Stage != result.Scratch {
			continue
		}
		methods := g.methods
		if methods == nil {
			methods = []string{g.Method}
		}
		var tuned []result.Result
		for _, m := range methods {
			v := result.Variant{Model: g.Model, Stage: result.FineTuned, Method: m, Ratio: g.Ratio}
			if i := slices.IndexFunc(all, func(o group) bool { return o.Variant == v }); i >= 0 {
				tuned = append(tuned, all[i].results...)
			}
		}
		value := onTest(c.Metric)
		p := gains{pair: RecoveryPair{Model: g.Model, Method: g.Method, Methods: g.methods, Ratio: g.Ratio},
			scratch: observe(g.results, value), tuned: observe(tuned, value), share: testShare(g.results, config), shared: shared}
		scratch, fine, _ := p.values()
		if len(scratch) == 0 {
			continue
		}
		test := j.on(p.share)
		p.pair.Folds, p.pair.Gain = len(scratch), number(lossOf(scratch, fine).Mean)
		if d, err := test.Differs(scratch, fine); err == nil && test.Enough(len(scratch), j.Level/2) == nil {
			p.pair.P = number(d)
			p.pair.Low, p.pair.High = j.interval(p.share, scratch, fine)
		}
		of = append(of, p)
	}
	if len(of) == 0 {
		return
	}
	for _, p := range of {
		c.Pairs = append(c.Pairs, p.pair)
	}
	holmPairs(c.Pairs)
	c.Overall = overall(of, j)
}

func holmPairs(pairs []RecoveryPair) {
	p := make([]*float64, len(pairs))
	for i, r := range pairs {
		p[i] = r.P
	}
	for i, corrected := range holmOf(p) {
		pairs[i].PHolm = corrected
	}
}

// overall tests the mean over all pairs on the units that each of them has.
func overall(of []gains, j Judgement) *Overall {
	o := &Overall{Pairs: len(of)}
	sum, count := map[unit][2]float64{}, map[unit]int{}
	share := 0.0
	for _, g := range of {
		share += g.share / float64(len(of))
		scratch, tuned, units := g.values()
		for i, u := range units {
			sum[u] = [2]float64{sum[u][0] + scratch[i]/float64(len(of)), sum[u][1] + tuned[i]/float64(len(of))}
			count[u]++
		}
		switch gain := *g.pair.Gain; {
		case gain > rounding:
			o.Better++
		case gain < -rounding:
			o.Worse++
		}
	}
	var scratch, tuned []float64
	var units []unit
	for u, n := range count {
		if n == len(of) {
			units = append(units, u)
		}
	}
	slices.SortFunc(units, unit.compare)
	for _, u := range units {
		scratch, tuned = append(scratch, sum[u][0]), append(tuned, sum[u][1])
	}
	o.Folds = len(units)
	if o.Folds == 0 {
		o.Reason = "no fold has all pairs"
		return o
	}
	o.Gain = number(lossOf(scratch, tuned).Mean)
	test := j.on(share)
	err := test.Enough(o.Folds, j.Level/2)
	p := 0.0
	if err == nil {
		p, err = test.Differs(scratch, tuned)
	}
	if err != nil {
		o.Reason = err.Error()
		return o
	}
	o.P = number(p)
	o.Low, o.High = j.interval(share, scratch, tuned)
	return o
}
