package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"eegprune/data"
	"eegprune/data/npy"
	"eegprune/experiment"
	"eegprune/models"
	"eegprune/train"
)

// predictRecordings makes the features that the network was trained on.
func (p *predictor) predictRecordings(ctx context.Context, a *app, n *models.Network, from experiment.Provenance) (*prediction, error) {
	manifest, err := chooseManifest(p.source.manifest, p.source.format)
	if err != nil {
		return nil, err
	}
	source, err := data.OpenUnlabelled(p.recordings, manifest)
	if err != nil {
		return nil, err
	}
	if err := p.source.use(source); err != nil {
		return nil, err
	}
	o := from.Config.Data.Features
	if o.Seconds == 0 { // another program's
		m, err := models.ByName(n.Arch.Model)
		if err != nil {
			return nil, err
		}
		if o = data.SignalOptions(); m.Grid {
			o = data.GridOptions()
		}
		if !a.quiet {
			fmt.Fprintf(a.stderr, "what clips %s was trained on is not known; they are taken to be of %g s, with the features of a study of %s\n", n.Arch.Model, o.Seconds, n.Arch.Model)
		}
	}
	o.SkipBad, o.Strict = p.source.skipBad, p.source.strict
	progress := a.progress()
	defer progress.close()
	o.Progress = progress.reading
	set, rate, err := data.UnlabelledFeatures(ctx, source, o)
	if len(from.Channels) > 0 && (err != nil || !slices.Equal(set.Channels, from.Channels)) {
		_ = set.Close() // it was not even read
		source.Pick(from.Channels)
		all := err // of all channels, of which some may have no place
		if set, rate, err = data.UnlabelledFeatures(ctx, source, o); err != nil {
			err = cmp.Or(all, fmt.Errorf("%w; those are the electrodes that the network was trained on", err))
		}
	}
	if err != nil {
		return nil, err
	}
	defer set.Close()
	if !slices.Equal(set.Shape, n.Arch.Input[:]) {
		return nil, fmt.Errorf("%s: its clips have the shape %v at %g samples a second of %d electrodes, and %s takes %v: the network was trained on recordings of other electrodes or another rate",
			p.recordings, set.Shape, rate, len(set.Channels), n.Arch.Model, n.Arch.Input)
	}
	made := &prediction{classes: n.Arch.Classes, notes: set.Notes}
	size := len(set.X) / set.Len()
	for at := 0; at < set.Len(); at += train.EvalBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := made.forward(n, set.X[at*size:min(at+train.EvalBatch, set.Len())*size]); err != nil {
			return nil, fmt.Errorf("%s: %w", p.recordings, err)
		}
	}
	if err := set.Err(); err != nil {
		return nil, err
	}
	for _, c := range set.Clips {
		made.origin = append(made.origin, origin{c.File, c.Trial, float64(c.Start) / rate})
	}
	if a.quiet {
		return made, nil
	}
	return made, writeNotes(a.stderr, set.Notes)
}

// stdinName stands for standard input.
const stdinName = "-"

// stream classifies clips of standard input as they come.
func (p *predictor) stream(ctx context.Context, a *app, checkpoint string) error {
	if p.out != "" && p.out != stdinName {
		return usageError{fmt.Errorf("--out: %s: the classes of a stream are written to standard output as it comes: redirect that", p.out)}
	}
	n, from, err := p.open(a, checkpoint, [3]int{})
	if err != nil {
		return err
	}
	defer n.Free()
	// A read of standard input can't be interrupted; one of a pipe can.
	in, feed := io.Pipe()
	go func() {
		_, err := io.Copy(feed, a.stdin)
		feed.CloseWithError(err)
	}()
	defer context.AfterFunc(ctx, func() { feed.CloseWithError(ctx.Err()) })()
	clips := &clipStream{r: bufio.NewReaderSize(in, 1<<16), shape: n.Arch.Input}
	lines, objects := csv.NewWriter(a.stdout), json.NewEncoder(a.stdout)
	made := &prediction{classes: n.Arch.Classes, names: namesOf(n, from)}
	if !a.json {
		if err := lines.Write(made.heading()); err != nil {
			return err
		}
		lines.Flush()
	}
	for done := 0; ; {
		x, err := clips.next(train.EvalBatch)
		if errors.Is(err, io.EOF) && done > 0 {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("there are no clips on standard input: %s takes float32 numbers of shape %v, or .npy arrays of them", n.Arch.Model, n.Arch.Input)
		}
		made.logits, made.probability = made.logits[:0], made.probability[:0]
		if err == nil {
			err = made.forward(n, x)
		}
		if err != nil {
			return fmt.Errorf("standard input, after %d clips: %w", done, err)
		}
		for i := range made.clips() {
			if a.json {
				err = objects.Encode(made.row(i, done+i))
			} else {
				err = lines.Write(made.line(i, done+i))
			}
			if err != nil {
				return err
			}
		}
		lines.Flush()
		if err := lines.Error(); err != nil {
			return err
		}
		done += made.clips()
	}
}

// A clipStream reads clips of one shape: float32 numbers, little-endian, or .npy arrays.
type clipStream struct {
	r     *bufio.Reader
	shape [3]int

	begun, arrays, wide bool
	left                int64 // clips of the array that is being read
	broken              error // what ended it after clips that are whole
}

// next returns one clip, and those after it that have come already, up to most. The end
// is io.EOF.
func (c *clipStream) next(most int) ([]float32, error) {
	if c.broken != nil {
		return nil, c.broken
	}
	if !c.begun {
		start, err := c.r.Peek(6)
		if err != nil && len(start) == 0 {
			return nil, err
		}
		c.begun, c.arrays = true, npy.Is(start)
	}
	for c.arrays && c.left == 0 {
		if err := c.nextArray(); err != nil {
			return nil, err
		}
	}
	values, width := c.shape[0]*c.shape[1]*c.shape[2], 4
	if c.wide {
		width = 8
	}
	x, err := c.clip(nil, values, width)
	if err != nil {
		return nil, err
	}
	for n := 1; n < most && c.r.Buffered() >= values*width && (!c.arrays || c.left > 0); n++ {
		more, err := c.clip(x, values, width)
		if err != nil {
			c.broken = err
			break
		}
		x = more
	}
	return x, nil
}

// nextArray reads the header of an array.
func (c *clipStream) nextArray() error {
	if _, err := c.r.Peek(1); err != nil {
		return err
	}
	h, err := npy.ReadHeader(c.r)
	if err != nil {
		return err
	}
	shape := h.Shape
	if len(shape) == 3 { // a single clip
		shape = append([]int64{1}, shape...)
	}
	if len(shape) != 4 || [3]int{int(shape[1]), int(shape[2]), int(shape[3])} != c.shape {
		return fmt.Errorf("an array has shape %v and the network takes clips of %v", h.Shape, c.shape)
	}
	if c.wide = h.Type == "f8"; !c.wide && h.Type != "f4" || h.Swapped || h.Fortran {
		return fmt.Errorf("an array is of type %s, or in another order than C's and little-endian: give float32 in C's order (numpy.ascontiguousarray(x, \"<f4\"))", h.Type)
	}
	c.left = shape[0]
	return nil
}

// clip reads one.
func (c *clipStream) clip(x []float32, values, width int) ([]float32, error) {
	raw := make([]byte, values*width)
	if got, err := io.ReadFull(c.r, raw); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) && c.arrays {
			return nil, fmt.Errorf("it ends %d bytes into a clip of %d", got, len(raw))
		}
		return nil, err
	}
	c.left--
	for i := range values {
		v := float64(math.Float32frombits(binary.LittleEndian.Uint32(raw[i*width:])))
		if c.wide {
			v = math.Float64frombits(binary.LittleEndian.Uint64(raw[i*width:]))
		}
		f := float32(v)
		if f-f != 0 { // NaN or infinite
			return nil, fmt.Errorf("the next has the value %g: features must be finite numbers", v)
		}
		x = append(x, f)
	}
	return x, nil
}
