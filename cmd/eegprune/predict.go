package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"eegprune/data/ndarray"
	"eegprune/data/npy"
	"eegprune/experiment"
	"eegprune/internal/mapped"
	"eegprune/internal/note"
	"eegprune/models"
	"eegprune/torch"
	"eegprune/train"
)

// A predictor is what predict does with its flags.
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
		Long: `predict says the class of clips and the probability of each, a row for each clip, counted
from 0 as NumPy does: to a .csv or .json file, or standard output. An .npz file gets
arrays of logits, probability and class. Clips are one of

  recordings   (--data) a directory of them as "run" reads it, or a single file, which is
               taken whole: the features are those that the network was trained on, and
               each row has the second at which its clip begins
  features     (--features) the array x [clips, ...] of an .npz file, or an .npy file, such
               as "data features --out" writes
  -            a stream on standard input of clips of the network's input size: numbers of
               4 bytes (float32, little-endian) in the order [channels, height, width], or
               .npy arrays of them one after another; each row is written when its clip has
               come, with --json as one object a line

The checkpoint may be a safetensors or PyTorch file of another program, whole or pruned,
with the tensors of one of the networks under their PyTorch names.`,
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
	c.Flags().StringVar(&p.out, "out", "", "file for the predictions: .npz, .csv or .json (default: CSV to standard output)")
	p.foreign.registerNames(c.Flags())
	return c
}

// settle finds out what the clips are.
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
	switch {
	case p.features == "" && p.recordings == "":
		return usageError{fmt.Errorf("no clips were named: give recordings (--data) or features (--features)")}
	case p.features != "" && p.recordings != "":
		return usageError{fmt.Errorf("--features and --data both name clips: give one of them")}
	}
	return p.foreign.check()
}

func (p *predictor) run(ctx context.Context, a *app, checkpoint string) error {
	if p.features == stdinName {
		return p.stream(ctx, a, checkpoint)
	}
	write, err := a.predictionWriter(p.out)
	if err != nil {
		return err
	}
	var x *ndarray.Array
	var file *mapped.File
	var clip [3]int
	if p.features != "" {
		if x, file, err = readFeatures(p.features); err != nil {
			return err
		}
		defer file.Close()
		clip = clipOf(x)
	}
	n, origin, err := p.open(a, checkpoint, clip)
	if err != nil {
		return err
	}
	defer n.Free()
	var made *prediction
	if x != nil {
		made, err = predict(ctx, n, x)
		if err = cmp.Or(file.Err(), err); err != nil {
			return fmt.Errorf("%s: %w", p.features, err)
		}
	} else if made, err = p.predictRecordings(ctx, a, n, origin); err != nil {
		return err
	}
	made.names = namesOf(n, origin)
	made.notes = slices.Concat(origin.Notes, made.notes)
	return write(made)
}

// open opens the network for clips of which something may be known.
func (p *predictor) open(a *app, checkpoint string, clip [3]int) (*models.Network, experiment.Provenance, error) {
	device, err := p.dev.open()
	if err != nil {
		return nil, experiment.Provenance{}, err
	}
	return a.loadFor(checkpoint, models.OpenOptions{Device: device, Model: p.foreign.model, Weights: p.foreign.weights, Input: clip}, p.source.strict)
}

// namesOf are the names of the classes, nil where they are not known.
func namesOf(n *models.Network, origin experiment.Provenance) []string {
	if len(origin.Classes) == n.Arch.Classes {
		return origin.Classes
	}
	return nil
}

// featureArray is the array of an .npz file that holds clips.
const featureArray = "x"

// readFeatures reads an array of clips [clips, channels, height, width], which lasts as long
// as the file that the caller closes.
func readFeatures(path string) (*ndarray.Array, *mapped.File, error) {
	parse := npy.Parse
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npy":
	case ".npz":
		parse = func(b []byte) (*ndarray.Array, error) {
			z, err := npy.OpenArchive(b)
			if err != nil {
				return nil, err
			}
			return z.Array(featureArray)
		}
	default:
		return nil, nil, usageError{fmt.Errorf("--features: %s: features are read from .npz and .npy files", path)}
	}
	file, err := mapped.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("the features %s: %w", path, err)
	}
	x, err := parse(file.Bytes())
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("the features %s: %w", path, err), file.Close())
	}
	return x, file, nil
}

// clipOf is the shape of one clip, zeros where x is no array of clips.
func clipOf(x *ndarray.Array) (clip [3]int) {
	if len(x.Shape) == 4 {
		copy(clip[:], x.Shape[1:])
	}
	return clip
}

// A prediction is what a network says of clips.
type prediction struct {
	classes             int
	names               []string  // of the classes; nil where they are not known
	logits, probability []float32 // [clips, classes]
	notes               note.List // of the checkpoint and the recordings
	// origin says where clips of recordings come from.
	origin []origin
}

// An origin is where a clip comes from.
type origin struct {
	File  string  `json:"file"`
	Trial int     `json:"trial"`
	Start float64 `json:"start"` // seconds from the beginning of the file, or of the trial in a file of trials
}

func (p *prediction) clips() int { return len(p.logits) / p.classes }

// class is the index of the largest logit of a clip, the first of equals.
func (p *prediction) class(clip int) int {
	row := p.logits[clip*p.classes : (clip+1)*p.classes]
	return slices.Index(row, slices.Max(row))
}

// name is what a class is called.
func (p *prediction) name(class int) string {
	if p.names != nil {
		return p.names[class]
	}
	return strconv.Itoa(class)
}

// predict runs the network over clips.
func predict(ctx context.Context, n *models.Network, x *ndarray.Array) (*prediction, error) {
	if len(x.Shape) != 4 || clipOf(x) != n.Arch.Input {
		return nil, fmt.Errorf("the features have shape %v, the network %s takes clips of %v: give an array of shape [clips, %d, %d, %d]", x.Shape,
			n.Arch.Model, n.Arch.Input, n.Arch.Input[0], n.Arch.Input[1], n.Arch.Input[2])
	}
	clips := x.Shape[0]
	if clips == 0 {
		return nil, fmt.Errorf("there are no clips in it")
	}
	p := &prediction{classes: n.Arch.Classes}
	for at := 0; at < clips; at += train.EvalBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := p.add(n, x, at, min(at+train.EvalBatch, clips)); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add predicts clips [from, to).
func (p *prediction) add(n *models.Network, x *ndarray.Array, from, to int) error {
	channels, height, width := x.Shape[1], x.Shape[2], x.Shape[3]
	batch := make([]float32, 0, (to-from)*channels*height*width)
	line := make([]float64, width)
	for clip := from; clip < to; clip++ {
		for row := range channels * height {
			if err := x.Line(line, clip, row/height, row%height); err != nil {
				return err
			}
			for i, v := range line {
				f := float32(v)
				if f-f != 0 { // NaN or infinite
					return fmt.Errorf("clip %d, counted from 0, has the value %g at %v: features must be finite numbers; leave the clip out, or mend it", clip, v,
						[]int{row / height, row % height, i})
				}
				batch = append(batch, f)
			}
		}
	}
	return p.forward(n, batch)
}

// forward predicts clips of numbers that are all finite.
func (p *prediction) forward(n *models.Network, batch []float32) error {
	shape := n.Arch.Input
	clips := len(batch) / (shape[0] * shape[1] * shape[2])
	in, err := torch.Wrap(batch, clips, shape[0], shape[1], shape[2])
	if err != nil {
		return err
	}
	defer in.Free()
	s := torch.NewScope(torch.NoGrad)
	defer s.Close()
	logits := n.Forward(s, s.To(in, torch.Float32, n.Device()), models.Pass{})
	probability := s.Softmax(logits, 1)
	if err := s.Err(); err != nil {
		return err
	}
	l, err := torch.ToSlice[float32](logits)
	if err != nil {
		return err
	}
	q, err := torch.ToSlice[float32](probability)
	if err != nil {
		return err
	}
	if i := slices.IndexFunc(l, func(v float32) bool { return math.IsNaN(float64(v)) }); i >= 0 {
		return fmt.Errorf("the network gives NaN for clip %d, counted from 0: its weights are damaged, or the clip's values too large", p.clips()+i/p.classes)
	}
	p.logits, p.probability = append(p.logits, l...), append(p.probability, q...)
	return nil
}
