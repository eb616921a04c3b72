package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/data/source"
	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/internal/spelling"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
)

// study is the paper whose protocol and claims the program follows.
func study() cite.Paper {
	return cite.Paper{
		Key:     "rao",
		Authors: []string{"Rao, Wenjie", "Zhong, Sheng-hua"},
		Title:   "EEG Model Compression by Network Pruning for Emotion Recognition",
		Book:    "International Joint Conference on Neural Networks (IJCNN)",
	}
}

func (a *app) citeCommand() *cobra.Command {
	var methods, nets, datasets []string
	c := &cobra.Command{
		Use:   "cite",
		Short: "Print the papers to cite, in BibTeX",
		Long: `cite prints the papers of pruning methods, networks and data sets in BibTeX, each
once. Without a flag it prints the paper whose protocol eegprune follows.`,
		Example: `  eegprune cite
  eegprune cite --method lfp --model tsception --dataset deap`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			papers, err := papersOf(methods, nets, datasets)
			if err != nil {
				return usageError{err}
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(papers)
			}
			for i, p := range papers {
				if i > 0 {
					fmt.Fprintln(a.stdout)
				}
				if _, err := fmt.Fprint(a.stdout, p.BibTeX()); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&datasets, "dataset", nil, "data sets, such as deap")
	group(c.Flags(), ofData)
	c.Flags().StringSliceVar(&nets, "model", nil, "networks, such as tsception")
	group(c.Flags(), ofNetwork)
	c.Flags().StringSliceVar(&methods, "method", nil, "pruning methods, such as lfp,sfp")
	group(c.Flags(), ofPruning)
	return c
}

// papersOf returns the papers in the order of the names, each once.
func papersOf(methods, nets, datasets []string) ([]cite.Paper, error) {
	var all []cite.Paper
	add := func(p cite.Paper) {
		if !slices.ContainsFunc(all, func(q cite.Paper) bool { return q.Key == p.Key }) {
			all = append(all, p)
		}
	}
	for _, name := range methods {
		m, err := prune.ByName(name)
		if err != nil {
			return nil, err
		}
		add(m.Cite)
	}
	for _, name := range nets {
		m, err := models.ByName(name)
		if err != nil {
			return nil, err
		}
		add(m.Cite)
	}
	known, err := source.Papers()
	if err != nil {
		return nil, err
	}
	for _, name := range datasets {
		p, ok := known[name]
		if !ok {
			return nil, spelling.Unknown("data set", name, slices.Sorted(maps.Keys(known)))
		}
		add(p)
	}
	if len(all) == 0 {
		add(study())
	}
	return all, nil
}
