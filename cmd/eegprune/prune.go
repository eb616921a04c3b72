package main

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/experiment"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/prune"
)

func (a *app) pruneCommand() *cobra.Command {
	var p pruneFlags
	var d dataFlags
	var dev deviceFlags
	var foreign foreignFlags
	var out string
	c := &cobra.Command{
		Use:   "prune CHECKPOINT",
		Short: "Remove filters from a trained network, or mask its weights",
		Long: `prune makes a smaller network of a trained one. The checkpoint may be a safetensors or
PyTorch file of another program, if it has the tensors of a network of eegprune under their
PyTorch names. prune reads the network's sizes from their shapes. Only a method that looks at
gradients or activations (taylor, snip, apoz) needs the recordings.`,
		Example: `  eegprune prune study/checkpoints/fbccnn-fold01-unpruned.safetensors --method lfp --ratio 0.4 --out pruned.safetensors`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pruning, options, err := p.one()
			if err != nil {
				return err
			}
			whole, s, err := a.openToPrune(cmd.Context(), args[0], foreign, pruning, &d, &dev)
			if err != nil {
				return err
			}
			defer whole.Close()
			if s != nil {
				defer s.Close()
			}
			made, err := whole.Prune(s, pruning, options)
			if err != nil {
				return err
			}
			defer made.Network.Free()
			origin := whole.Pruned(pruning, options, version())
			if err := made.Network.SaveAs(out, origin); err != nil {
				return err
			}
			return a.sayPruned(whole, made, out, origin)
		},
	}
	p.register(c.Flags(), 0.4)
	d.register(c.Flags())
	dev.register(c.Flags())
	foreign.register(c.Flags())
	outFlag(c, &out, "file", newCheckpoint)
	return c
}

// openToPrune opens a checkpoint, and its study where the method looks at clips: else that is
// nil.
func (a *app) openToPrune(ctx context.Context, path string, f foreignFlags, p experiment.Pruning, d *dataFlags, dev *deviceFlags) (*experiment.Checkpoint, *experiment.Study, error) {
	m, err := prune.ByName(p.Method)
	if err != nil {
		return nil, nil, usageError{err}
	}
	if m.Needs != prune.Weights {
		c, s, err := a.openWithStudy(ctx, path, d, dev, unchanged)
		if err != nil {
			return nil, nil, err
		}
		if _, err := c.Divide(s); err != nil {
			s.Close()
			c.Close()
			return nil, nil, err
		}
		return c, s, nil
	}
	device, err := dev.open()
	if err != nil {
		return nil, nil, err
	}
	c, err := a.openCheckpoint(path, models.OpenOptions{Model: f.model, Weights: f.weights, Device: device, Unbound: true}, f.strict)
	return c, nil, err
}

// sayPruned reports the size of a network after pruning, in the file out.
func (a *app) sayPruned(whole *experiment.Checkpoint, made experiment.Made, out string, origin experiment.Provenance) error {
	n, small := whole.Network, made.Network
	before, err := experiment.SizeOf(n.Arch, n.Masks(), whole.Path)
	if err != nil {
		return err
	}
	after, err := experiment.SizeOf(small.Arch, small.Masks(), out)
	if err != nil {
		return err
	}
	widths := experiment.Widths(n.Arch, small.Arch)
	narrower := []string{}
	for _, w := range widths {
		narrower = append(narrower, fmt.Sprintf("%s %d -> %d", w.Group, w.Before, w.After))
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\nparameters %d -> %d (%+.1f %%), MACs %d -> %d (%+.1f %%), file %d -> %d bytes",
		out, cmp.Or(strings.Join(narrower, ", "), "widths as before"),
		before.Parameters, after.Parameters, percent(before.Parameters, after.Parameters),
		before.MACs, after.MACs, percent(before.MACs, after.MACs), before.FileBytes, after.FileBytes)
	if after.NonzeroParameters > 0 {
		fmt.Fprintf(&text, "\nnonzero parameters %d (%+.1f %%), MACs with nonzero weights %d (%+.1f %%)", after.NonzeroParameters,
			percent(before.Parameters, after.NonzeroParameters), after.NonzeroMACs, percent(before.MACs, after.NonzeroMACs))
	}
	for _, note := range made.Notes {
		fmt.Fprintf(&text, "\nnote: %s", note)
	}
	return a.say(outcome{Checkpoint: out, Cell: origin.Cell, Before: &before, Size: &after, Widths: widths, Notes: made.Notes, Origin: origin.Notes}, text.String())
}

// percent is by how many percent of from to is more.
func percent(from, to int64) float64 { return 100 * (float64(to)/float64(from) - 1) }
