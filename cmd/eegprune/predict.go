package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/eegprune/eegprune/internal/note"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/predict"
)

// stdinName stands for standard input, and for standard output.
const stdinName = "-"

// A predictor is the command predict with its flags.
type predictor struct {
	dev                       deviceFlags
	source                    sourceFlags
	foreign                   foreignFlags
	features, recordings, out string
}

func (a *app) predictCommand() *cobra.Command {
	var p predictor
	c := &cobra.Command{
		Use:   "predict CHECKPOINT [RECORDINGS|CLIPS|-]",
		Short: "Classify recordings, or clips whose features are in a file or a stream",
		Long: `predict classifies clips. It writes a row for each clip, with its class and the probability of
each class, counted from 0 as NumPy does, to a .csv or .json file or standard output. An .npz
file gets arrays of logits, probability and class. Clips come from one of

  recordings   (--data) a directory as "run" reads it, or a single file, which is taken
               whole. Preprocessing and features are the network's own. Each row has the
               second at which its clip begins
  features     (--features) the array x [clips, ...] of an .npz file, or an .npy file, such
               as "data features --out" writes
  -            a stream on standard input of clips of the network's input size: float32,
               little-endian, in the order [channels, height, width], or .npy arrays one
               after another. Each row is written when its clip has come; --json writes
               one object a line

The checkpoint may be a safetensors or PyTorch file of another program, whole or pruned,
if it has the tensors of a network of eegprune under their PyTorch names.`,
		Example: `  eegprune predict recovered.safetensors recordings/s01.edf
  eegprune predict recovered.safetensors --features clips.npz --out predictions.npz
  recorder | eegprune predict recovered.safetensors -`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := p.settle(args); err != nil {
				return err
			}
			return p.run(cmd.Context(), a, args[0])
		},
	}
	p.dev.register(c.Flags())
	p.source.register(c.Flags())
	c.Flags().StringVar(&p.features, "features", "", "file of clips: .npz with an array x, or .npy; - for standard input")
	c.Flags().StringVar(&p.recordings, "data", "", "recordings: a file, or a directory of them")
	group(c.Flags(), ofData)
	takes(c.Flags(), "path", "data")
	takes(c.Flags(), "file", "features")
	c.Flags().StringVar(&p.out, "out", "", "file for the predictions: .npz, .csv or .json (default: CSV to standard output)")
	group(c.Flags(), ofOutput)
	takes(c.Flags(), "file", "out")
	p.foreign.registerNames(c.Flags())
	return c
}

// settle finds the source of the clips.
func (p *predictor) settle(args []string) error {
	if len(args) == 2 {
		if p.features != "" || p.recordings != "" {
			return usageError{fmt.Errorf("the clips are named twice, by %s and a flag: give one of them", args[1])}
		}
		switch extension := strings.ToLower(filepath.Ext(args[1])); {
		case args[1] == stdinName, extension == ".npy", extension == ".npz":
			p.features = args[1]
		default:
			p.recordings = args[1]
		}
	}
	if p.out == stdinName {
		p.out = ""
	}
	switch {
	case p.features == "" && p.recordings == "":
		return usageError{fmt.Errorf("no clips were named: give recordings (--data) or features (--features)")}
	case p.features != "" && p.recordings != "":
		return usageError{fmt.Errorf("--features and --data both name clips: give one of them")}
	case p.features == stdinName && p.out != "":
		return usageError{fmt.Errorf("--out: %s: the classes of a stream are written to standard output as it comes: redirect that", p.out)}
	}
	if _, err := predict.FormatOf(p.out); p.out != "" && err != nil {
		return usageError{fmt.Errorf("--out: %w", err)}
	}
	return p.foreign.check()
}

func (p *predictor) run(ctx context.Context, a *app, checkpoint string) error {
	var x *predict.Features
	var clip [3]int
	if p.features != "" && p.features != stdinName {
		var err error
		if x, err = predict.OpenFeatures(p.features); errors.Is(err, predict.ErrName) {
			return usageError{fmt.Errorf("--features: %w", err)}
		} else if err != nil {
			return err
		}
		defer x.Close()
		clip = x.Input()
	}
	device, err := p.dev.open()
	if err != nil {
		return err
	}
	n, err := a.openCheckpoint(checkpoint, models.OpenOptions{Device: device, Model: p.foreign.model, Weights: p.foreign.weights, Input: clip}, p.source.strict)
	if err != nil {
		return err
	}
	defer n.Close()
	network := predict.New(n)
	format := predict.CSV
	if a.json {
		format = predict.JSON
	}
	var made *predict.Prediction
	switch {
	case x != nil:
		if made, err = network.Features(ctx, x); err != nil {
			return err
		}
	case p.recordings != "":
		if made, err = p.classifyRecordings(ctx, a, network); err != nil {
			return err
		}
	default:
		write, err := network.Lines(a.stdout, format)
		if err != nil {
			return err
		}
		return network.Stream(ctx, "standard input", a.stdin, write)
	}
	if p.out == "" {
		return made.Write(a.stdout, format)
	}
	if err := made.WriteFile(p.out); err != nil {
		return err
	}
	made.Notes = slices.Concat(n.Notes, made.Notes)
	return a.sayPredicted(p.out, made)
}

func (p *predictor) classifyRecordings(ctx context.Context, a *app, network *predict.Predictor) (*predict.Prediction, error) {
	manifest, err := chooseManifest(p.source.manifest, p.source.format)
	if err != nil {
		return nil, err
	}
	reading, err := p.source.reading()
	if err != nil {
		return nil, err
	}
	progress := a.progress()
	defer progress.Close()
	r := predict.Recordings{Path: p.recordings, Manifest: manifest, Reading: reading, SkipBad: p.source.skipBad, Strict: p.source.strict, Progress: progress.Reading}
	if !a.quiet {
		r.Assumed = func(what string) { fmt.Fprintln(a.stderr, what) }
	}
	made, err := network.Recordings(ctx, r)
	if err != nil || a.quiet {
		return made, err
	}
	return made, writeNotes(a.stderr, made.Notes)
}

// sayPredicted summarises a file that was written.
func (a *app) sayPredicted(out string, p *predict.Prediction) error {
	counts := p.Counts()
	if a.json {
		return json.NewEncoder(a.stdout).Encode(struct {
			Out    string    `json:"out"`
			Clips  int       `json:"clips"`
			Counts []int     `json:"counts"`
			Notes  note.List `json:"notes,omitempty"`
		}{out, p.Clips(), counts, p.Notes})
	}
	var parts []string
	for class, n := range counts {
		parts = append(parts, fmt.Sprintf("%d of class %s", n, p.Name(class)))
	}
	_, err := fmt.Fprintf(a.stdout, "%s: %d clips, %s\n", out, p.Clips(), strings.Join(parts, ", "))
	return err
}
