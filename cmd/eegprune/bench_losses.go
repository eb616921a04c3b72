package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/train"
)

func (a *app) benchLossesCommand() *cobra.Command {
	var f clipFlags
	var seed uint64
	var steps int
	var lr float64
	var out string
	c := &cobra.Command{
		Use:   "losses FILE.npz",
		Short: "Train on clips of an .npz file and print the loss of every step",
		Long: `losses trains a network on all clips of an .npz file and prints the loss of every step. The file
has x [clips, channels, height, width], their classes y, and rate for networks of signals. The
losses are those of a PyTorch program that calls torch.manual_seed, makes the network and
iterates DataLoader(shuffle=True). --out writes the trained network. scripts/parity.py compares
both with that program's.`,
		Example: `  eegprune bench losses features.npz --model ccnn --seed 7 --steps 4`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if steps < 1 {
				return usageError{fmt.Errorf("--steps: %d steps; take at least 1", steps)}
			}
			arch, o, d, device, err := f.open(args[0])
			if err != nil {
				return err
			}
			defer d.Free()
			if cmd.Flags().Changed("lr") {
				if o.LR = lr; !(lr > 0) {
					return usageError{fmt.Errorf("--lr: the learning rate %g must be positive", lr)}
				}
				o.Optimizer, o.Momentum, o.WeightDecay = "sgd", 0, 0
			}
			losses, err := train.Losses(cmd.Context(), arch, o, d, device, seed, steps, func(n *models.Network) error {
				if out == "" {
					return nil
				}
				return n.SaveAs(out, map[string]any{"model": f.model, "seed": seed, "steps": steps})
			})
			if err != nil {
				return err
			}
			if a.json {
				return json.NewEncoder(a.stdout).Encode(map[string]any{"model": f.model, "seed": seed, "batch": f.batch, "device": device.String(),
					"threads": f.dev.threads, "losses": losses})
			}
			for _, l := range losses {
				if _, err := fmt.Fprintf(a.stdout, "%.9g\n", l); err != nil { // the digits of a float32
					return err
				}
			}
			return nil
		},
	}
	f.register(c.Flags())
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of weights, shuffles and dropout")
	c.Flags().Float64Var(&lr, "lr", 0, "train by SGD at this learning rate, without momentum (default: as the network's paper does)")
	c.Flags().IntVar(&steps, "steps", 20, "steps of the optimizer")
	group(c.Flags(), ofTraining)
	c.Flags().StringVar(&out, "out", "", "file for the trained network, .safetensors")
	group(c.Flags(), ofOutput)
	takes(c.Flags(), "file", "out")
	return c
}
