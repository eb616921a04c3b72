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
	var f benchFlags
	c := &cobra.Command{
		Use:   "operations",
		Short: "Count the operations and bytes of a training step on a GPU",
		Long: `operations counts libtorch's operations of a training step as a GPU does it, without and with each
variant, and the bytes that they read and write. An operation is about one launch, one of eegprune's
own kernels exactly; bytes bound the time from below where maps are large. It needs no GPU. --variants
counts a step with those.`,
		Example: `  eegprune bench operations --model tsception --batch 16`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			arch, err := f.arch()
			if err != nil {
				return err
			}
			o, err := f.options()
			if err != nil {
				return err
			}
			device, err := f.dev.open()
			if err != nil {
				return err
			}
			if o.Variants == train.AutoVariants && !device.IsCUDA() {
				return usageError{fmt.Errorf("--variants %s: which are fastest only a GPU says; name those to count: %s", train.AutoVariants, strings.Join(models.VariantNames(), ","))}
			}
			counted := append([]string{""}, models.VariantNames()...)
			if o.Variants != "" {
				counted = []string{"", o.Variants}
			}
			for _, variants := range counted {
				o.Variants = variants
				tally, taken, err := train.CountStep(cmd.Context(), arch, o, f.batch, device)
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
	f.register(c.Flags())
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
