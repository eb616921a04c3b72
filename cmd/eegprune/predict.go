package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"eegprune/data/ndarray"
	"eegprune/data/npy"
	"eegprune/internal/atomicfile"
	"eegprune/models"
	"eegprune/torch"
)

func (a *app) predictCommand() *cobra.Command {
	var dev deviceFlags
	var features, out, model string
	c := &cobra.Command{
		Use:   "predict CHECKPOINT",
		Short: "Classify clips whose features are in a file",
		Long: `predict runs a network over the array x [clips, ...] of an .npz file, or over an .npy
file, such as "data features --out" writes. To an .npz file it writes logits,
probability and class of each clip; to a .csv or .json file, or standard output, a row
for each clip, counted from 0 as NumPy does.

The checkpoint may be a safetensors or PyTorch file of another program, whole or pruned, with the
tensors of one of the networks under their PyTorch names.`,
		Example: `  eegprune data features recordings --out clips.npz
  eegprune predict recovered.safetensors --features clips.npz --out predictions.npz`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			write, err := a.predictionWriter(out)
			if err != nil {
				return err
			}
			if model != "" {
				if _, err := models.ByName(model); err != nil {
					return usageError{fmt.Errorf("--model: %w", err)}
				}
			}
			x, err := readFeatures(features)
			if err != nil {
				return err
			}
			device, err := dev.open()
			if err != nil {
				return err
			}
			n, origin, err := a.loadFor(args[0], models.OpenOptions{Device: device, Model: model, Input: clipOf(x)})
			if err != nil {
				return err
			}
			defer n.Free()
			p, err := predict(cmd.Context(), n, x)
			if err != nil {
				return fmt.Errorf("%s: %w", features, err)
			}
			if len(origin.Classes) == p.classes {
				p.names = origin.Classes
			}
			return write(p)
		},
	}
	dev.register(c.Flags())
	c.Flags().StringVar(&features, "features", "", "file of clips: .npz with an array x, or .npy")
	c.Flags().StringVar(&out, "out", "", "file for the predictions: .npz, .csv or .json (default: CSV to standard output)")
	c.Flags().StringVar(&model, "model", "", "network of a checkpoint that another program wrote (default: by the names of its tensors)")
	_ = c.MarkFlagRequired("features")
	return c
}

// featureArray is the array of an .npz file that holds clips.
const featureArray = "x"

// readFeatures reads an array of clips [clips, channels, height, width].
func readFeatures(path string) (*ndarray.Array, error) {
	read := func() (*ndarray.Array, error) {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return npy.Parse(b)
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npy":
	case ".npz":
		read = func() (*ndarray.Array, error) {
			f, err := os.Open(path)
			if err != nil {
				return nil, err
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				return nil, err
			}
			z, err := npy.OpenArchive(f, info.Size())
			if err != nil {
				return nil, err
			}
			return z.Array(featureArray)
		}
	default:
		return nil, usageError{fmt.Errorf("--features: %s: features are read from .npz and .npy files", path)}
	}
	x, err := read()
	if err != nil {
		return nil, fmt.Errorf("the features %s: %w", path, err)
	}
	return x, nil
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

// predictBatch bounds the memory of a prediction.
const predictBatch = 256

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
	for at := 0; at < clips; at += predictBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := p.add(n, x, at, min(at+predictBatch, clips)); err != nil {
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
	in, err := torch.Wrap(batch, to-from, channels, height, width)
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
		return fmt.Errorf("the network gives NaN for clip %d, counted from 0: its weights are damaged, or the clip's values too large", from+i/p.classes)
	}
	p.logits, p.probability = append(p.logits, l...), append(p.probability, q...)
	return nil
}

// predictionWriter returns what writes a prediction to a file of that name, or to
// standard output where it is empty or "-".
func (a *app) predictionWriter(out string) (func(*prediction) error, error) {
	write := (*prediction).csv
	switch strings.ToLower(filepath.Ext(out)) {
	case ".npz":
		write = (*prediction).npz
	case ".json":
		write = (*prediction).json
	case ".csv":
	default:
		if out != "" && out != "-" {
			return nil, usageError{fmt.Errorf("--out: %s: predictions are written to .npz, .csv and .json files", out)}
		}
		if a.json {
			write = (*prediction).json
		}
		return func(p *prediction) error { return write(p, a.stdout) }, nil
	}
	return func(p *prediction) error {
		if err := atomicfile.Write(out, func(w io.Writer) error { return write(p, w) }); err != nil {
			return err
		}
		counts := make([]int, p.classes)
		for clip := range p.clips() {
			counts[p.class(clip)]++
		}
		if a.json {
			return json.NewEncoder(a.stdout).Encode(map[string]any{"out": out, "clips": p.clips(), "counts": counts})
		}
		var parts []string
		for c, n := range counts {
			parts = append(parts, fmt.Sprintf("%d of class %s", n, p.name(c)))
		}
		_, err := fmt.Fprintf(a.stdout, "%s: %d clips, %s\n", out, p.clips(), strings.Join(parts, ", "))
		return err
	}, nil
}

func (p *prediction) npz(w io.Writer) error {
	class := make([]int64, p.clips())
	for i := range class {
		class[i] = int64(p.class(i))
	}
	shape := []int{p.clips(), p.classes}
	arrays := []npy.Named{{Name: "logits", Shape: shape, Values: p.logits}, {Name: "probability", Shape: shape, Values: p.probability}, {Name: "class", Values: class}}
	if p.names != nil {
		arrays = append(arrays, npy.Named{Name: "classes", Values: p.names})
	}
	return npy.WriteArchive(w, arrays)
}

func (p *prediction) csv(w io.Writer) error {
	c := csv.NewWriter(w)
	row := []string{"clip", "class"}
	for k := range p.classes {
		row = append(row, "p("+p.name(k)+")")
	}
	if err := c.Write(row); err != nil {
		return err
	}
	for clip := range p.clips() {
		row = append(row[:0], strconv.Itoa(clip), p.name(p.class(clip)))
		for _, v := range p.probability[clip*p.classes : (clip+1)*p.classes] {
			row = append(row, strconv.FormatFloat(float64(v), 'g', -1, 32))
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

func (p *prediction) json(w io.Writer) error {
	type row struct {
		Clip        int       `json:"clip"`
		Class       string    `json:"class"`
		Probability []float32 `json:"probability"` // of the classes in order
		Logits      []float32 `json:"logits"`
	}
	rows := make([]row, p.clips())
	for i := range rows {
		from, to := i*p.classes, (i+1)*p.classes
		rows[i] = row{i, p.name(p.class(i)), p.probability[from:to], p.logits[from:to]}
	}
	return json.NewEncoder(w).Encode(rows)
}
