package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/eegprune/eegprune/result"
)

// The kinds of lines of a comparison's CSV.
const (
	lineNetwork  = "network"
	lineBaseline = trivialName
	linePair     = "scratch against fine-tuned"
	lineOverall  = "scratch against fine-tuned, all"
	lineLargest  = "largest saving"
)

// csv writes a line for each network, then for each baseline, pair and claim. Loss is
// always of a network against its reference; of scratch that is the fine-tuned one.
func (c *Comparison) csv(w io.Writer) error {
	columns := []string{"line", "model", "method", "methods", "ratio", "stage", "folds", "defined", "parameters", "macs", "masked",
		"score", "fold_sd", "seed_sd", "subject_sd", "accuracy", "balanced_accuracy", "macro_f1", "pooled_accuracy", "pooled_balanced_accuracy", "pooled_macro_f1",
		"majority", "reference", "loss", "loss_low", "loss_high", "p", "p_holm", "detectable", "worse", "best",
		"parameters_saved", "macs_saved", "validation_loss", "loss_bound", "p_not_inferior_holm", "p_above_trivial", "without_loss", "chosen",
		"metric", "test", "level", "margin", "leak", "lacks"}
	lines := [][]string{columns}
	add := func(values map[string]string) {
		values["metric"], values["test"], values["level"], values["margin"], values["leak"] = c.Metric, c.Test, float(c.Level), float(c.Margin), c.Leak
		values["lacks"] = strings.Join(c.Lacks, "; ")
		line := make([]string, len(columns))
		for i, name := range columns {
			line[i] = values[name]
		}
		lines = append(lines, line)
	}
	for _, r := range c.Rows {
		v := map[string]string{"line": lineNetwork, "model": r.Model, "method": r.Method, "methods": strings.Join(r.Methods, " "), "ratio": float(r.Ratio), "stage": r.Stage,
			"folds": strconv.Itoa(r.Folds), "defined": strconv.Itoa(r.Defined), "parameters": strconv.FormatInt(r.Size.EffectiveParameters(), 10),
			"macs": strconv.FormatInt(r.Size.EffectiveMACs(), 10), "masked": strconv.FormatBool(r.Size.Masked()), "score": value(r.Score),
			"fold_sd": value(r.FoldSD), "seed_sd": value(r.SeedSD), "subject_sd": value(r.SubjSD), "accuracy": value(r.Accuracy),
			"balanced_accuracy": value(r.Balanced), "macro_f1": value(r.MacroF1), "reference": r.Reference, "loss": value(r.Loss),
			"loss_low": value(r.LossLow), "loss_high": value(r.LossHigh), "p": value(r.P), "p_holm": value(r.PHolm), "detectable": value(r.Detectable),
			"worse": strconv.FormatBool(r.Worse), "best": strconv.FormatBool(r.Best)}
		pooledColumns(v, r.Pooled)
		add(v)
	}
	for _, b := range c.Baselines {
		score := b.By(c.Metric)
		v := map[string]string{"line": lineBaseline, "model": b.Model, "score": float(score)}
		pooledColumns(v, &b.Pooled)
		add(v)
	}
	for _, r := range c.Pairs {
		add(map[string]string{"line": linePair, "model": r.Model, "method": r.Method, "methods": strings.Join(r.Methods, " "), "ratio": float(r.Ratio),
			"stage": result.Scratch, "folds": strconv.Itoa(r.Folds), "reference": result.FineTuned, "loss": negative(r.Gain), "loss_low": negative(r.High),
			"loss_high": negative(r.Low), "p": value(r.P), "p_holm": value(r.PHolm)})
	}
	if o := c.Overall; o != nil {
		add(map[string]string{"line": lineOverall, "stage": result.Scratch, "folds": strconv.Itoa(o.Folds), "reference": result.FineTuned, "loss": negative(o.Gain),
			"loss_low": negative(o.High), "loss_high": negative(o.Low), "p": value(o.P)})
	}
	for _, l := range c.Largest {
		v := map[string]string{"line": lineLargest, "model": l.Model, "without_loss": strconv.FormatBool(l.Without)}
		if l.Validation.Loss != nil {
			v["method"], v["methods"], v["ratio"], v["stage"], v["reference"] = l.Method, strings.Join(l.Methods, " "), float(l.Ratio), l.Stage, l.Reference
			v["parameters_saved"], v["macs_saved"], v["validation_loss"] = float(l.Parameters), float(l.MACs), value(l.Validation.Loss)
			v["folds"], v["loss"], v["loss_bound"] = strconv.Itoa(l.Test.Folds), value(l.Test.Loss), value(l.Test.Bound)
			v["p_above_trivial"], v["masked"], v["chosen"] = value(l.PTrivial), strconv.FormatBool(l.Masked), l.chosen()
		}
		if l.Reason == "" {
			v["p_not_inferior_holm"] = float(l.PHolm)
		}
		add(v)
	}
	return csv.NewWriter(w).WriteAll(lines)
}

func pooledColumns(v map[string]string, p *result.Pooled) {
	if p != nil {
		v["pooled_accuracy"], v["pooled_balanced_accuracy"], v["pooled_macro_f1"], v["majority"] = float(p.Accuracy), float(p.Balanced), float(p.MacroF1), float(p.Majority)
	}
}

func value(v *float64) string {
	if v == nil {
		return ""
	}
	return float(*v)
}

func negative(v *float64) string {
	if v == nil {
		return ""
	}
	return float(0 - *v)
}
