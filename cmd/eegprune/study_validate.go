package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
)

func (a *app) studyValidateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "validate FILE",
		Short: "List the faults of a study file, or what it asks for",
		Long: `validate lists all faults of a study file, each with its line and column. For a file without
faults it lists its networks, methods, ratios and recoveries. It needs neither libtorch nor the
recordings. "study plan" says how long the study takes.`,
		Example: `  eegprune study validate study.yaml`,
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			content, faults := experiment.ValidateFile(args[0])
			if a.json {
				texts := []string{}
				for _, f := range faults {
					texts = append(texts, f.Error())
				}
				if err := json.NewEncoder(a.stdout).Encode(map[string]any{"faults": texts, "content": content}); err != nil {
					return err
				}
			} else if len(faults) > 1 {
				for _, f := range faults {
					if _, err := fmt.Fprintln(a.stdout, f); err != nil {
						return err
					}
				}
			}
			switch len(faults) {
			case 0:
			case 1:
				return usageError{faults[0]}
			default:
				return usageError{fmt.Errorf("%s has %d faults", args[0], len(faults))}
			}
			if a.json {
				return nil
			}
			return writeContent(a.stdout, content)
		},
	}
}

// writeContent writes a line or two for each network.
func writeContent(w io.Writer, c *experiment.Content) error {
	for _, n := range c.Networks {
		folds, split := "as many folds as the recordings allow", "the usual split"
		if n.Folds > 0 {
			folds = fmt.Sprintf("%d folds", n.Folds)
		}
		if n.Split != "" {
			split = n.Split
		}
		if _, err := fmt.Fprintf(w, "%s: %s, %s, %d cells in each\n", n.Model, split, folds, n.Cells); err != nil {
			return err
		}
		if len(n.Prune) == 0 {
			continue
		}
		var methods, ratios []string
		for _, p := range n.Prune {
			if !slices.Contains(methods, p.Method) {
				methods = append(methods, p.Method)
			}
			if r := fmt.Sprint(p.Ratio); !slices.Contains(ratios, r) {
				ratios = append(ratios, r)
			}
		}
		text := fmt.Sprintf("%s at %s", strings.Join(methods, ", "), strings.Join(ratios, ", "))
		if len(n.Recover) > 0 {
			text += "; then " + strings.Join(n.Recover, ", ")
		}
		if _, err := fmt.Fprintf(w, "  %s\n", text); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "seeds: %s\n", strings.Trim(fmt.Sprint(c.Seeds), "[]"))
	return err
}
