package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
	"github.com/eegprune/eegprune/train"
)

func (a *app) benchOperationsCommand() *cobra.Command {
	var dev deviceFlags
	var network exportedFlags
	var arithmetic arithmeticFlags
	var model string
	var batch int
	c := &cobra.Command{
		Use:   "operations",
		Short: "Count the operations and bytes of a training step on a GPU",
		Long: `operations counts libtorch's operations of a training step as a GPU does it, without and with each
variant, and the bytes that they read and write. An operation is about one launch; bytes bound the
time from below where maps are large. It needs no GPU. --variants counts a step with those.`,
		Example: `  eegprune bench operations --model tsception --batch 16`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			arch, err := network.read(models.AsInFile)
			if err != nil {
				return err
			}
			if arch != nil {
				model = arch.Model
			} else if _, err := models.ByName(model); err != nil {
				return usageError{fmt.Errorf("--model: %w", err)}
			}
			if batch < 1 {
				return usageError{fmt.Errorf("--batch %d must be positive", batch)}
			}
			o, err := benched(model, batch, &arithmetic)
			if err != nil {
				return err
			}
			device, err := dev.open()
			if err != nil {
				return err
			}
			if arch == nil {
				if arch, err = likeDEAP(model); err != nil {
					return err
				}
			}
			counted := append([]string{""}, models.VariantNames()...)
			if o.Variants != "" {
				counted = []string{"", o.Variants}
			}
			for _, variants := range counted {
				o.Variants = variants
				tally, taken, err := train.CountStep(cmd.Context(), arch, o, batch, device)
				if err != nil {
					return err
				}
				if variants != "" && len(taken) == 0 {
					continue // no layer has it
				}
				if err := a.printTally(variants, tally, taken); err != nil {
					return err
				}
			}
			return nil
		},
	}
	dev.register(c.Flags())
	c.Flags().StringVar(&model, "model", "fbccnn", "network: "+strings.Join(models.Names(), ", "))
	network.register(c.Flags())
	c.Flags().IntVar(&batch, "batch", 64, "clips in the batch")
	group(c.Flags(), ofNetwork)
	arithmetic.register(c.Flags())
	return c
}

// printTally prints the operations of a step, a line for each way of computing it.
func (a *app) printTally(variants string, tally torch.Tally, taken models.Variants) error {
	if a.json {
		return json.NewEncoder(a.stdout).Encode(map[string]any{"variants": variants, "taken": taken, "sum": tally.Sum(), "operations": tally})
	}
	if variants == "" {
		variants = "libtorch's"
	}
	sum := tally.Sum()
	var most []string
	for _, name := range tally.Names()[:min(3, len(tally))] {
		most = append(most, fmt.Sprintf("%s %d times %s", strings.TrimPrefix(name, "aten::"), tally[name].Calls, torch.Bytes(tally[name].Bytes)))
	}
	_, err := fmt.Fprintf(a.stdout, "%-14s %2d layers: %4d operations, %s; most in %s\n", variants, len(taken), sum.Calls, torch.Bytes(sum.Bytes), strings.Join(most, ", "))
	return err
}
