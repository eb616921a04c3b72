package train

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strings"
	"time"

	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/torch"
)

// Snapshots keep in a file all that a training needs to go on with the same numbers after
// it was ended at any moment: weights, those of the best epoch, the optimizer's
// state, generators and history. The zero value keeps nothing.
type Snapshots struct {
	Path string
	// Every is after how many epochs the file is written; with 0 it is when half a
	// minute has passed.
	Every int
}

// often is how long a training may be lost where no number of epochs is said.
const often = 30 * time.Second

// due reports whether it is time to write after an epoch, counted from 1.
func (s Snapshots) due(epoch int, since time.Time) bool {
	switch {
	case s.Path == "":
		return false
	case s.Every > 0:
		return epoch%s.Every == 0
	}
	return time.Since(since) >= often
}

// snapshotKey is where the file describes itself.
const snapshotKey = "eegprune_training"

// Groups of tensors in the file.
const (
	ofNetwork   = "network."
	ofBest      = "best."
	ofOptimizer = "optimizer."
	shuffles    = "generator.shuffles"
	dropouts    = "generator.dropout"
)

// save writes the state after the epochs that history holds.
func (t *trainer) save(h History) error {
	about, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("describing the training: %w", err)
	}
	var all []torch.Named
	var owned []*torch.Tensor
	defer func() {
		for _, x := range owned {
			x.Free()
		}
	}()
	add := func(name string, x *torch.Tensor) { all = append(all, torch.Named{Name: name, Tensor: x}) }
	for _, p := range t.Network.State() {
		add(ofNetwork+p.Name, p.Tensor)
	}
	for _, p := range t.best.State() {
		add(ofBest+p.Name, p.Tensor)
	}
	state, err := t.opt.State()
	if err != nil {
		return err
	}
	for name, x := range state {
		owned = append(owned, x)
		add(ofOptimizer+name, x)
	}
	for name, g := range map[string]*torch.Generator{shuffles: t.Generator, dropouts: t.dropout} {
		x, err := g.State()
		if err != nil {
			return err
		}
		owned = append(owned, x)
		add(name, x)
	}
	return torch.SaveSafetensors(t.Snapshots.Path, all, map[string]string{snapshotKey: string(about)})
}

// resume takes up the state in the file, if there is one, and returns the history so far.
// A file that is damaged, or of another training, is as none: it costs time only.
func (t *trainer) resume() (History, error) {
	var h History
	if t.Snapshots.Path == "" {
		return h, nil
	}
	if _, err := os.Stat(t.Snapshots.Path); errors.Is(err, fs.ErrNotExist) {
		return h, nil
	}
	tensors, metadata, err := torch.LoadSafetensors(t.Snapshots.Path)
	if err != nil {
		return h, nil
	}
	defer torch.FreeAll(tensors)
	if json.Unmarshal([]byte(metadata[snapshotKey]), &h) != nil || h.Best >= len(h.Epochs) || len(h.Epochs) > t.Options.Epochs || !t.fits(tensors) {
		return History{}, nil
	}
	for prefix, n := range map[string]*models.Network{ofNetwork: t.Network, ofBest: t.best} {
		if err := torch.LoadState(n.State(), under(prefix, tensors)); err != nil {
			return h, fmt.Errorf("going on with the training in %s: %w", t.Snapshots.Path, err)
		}
	}
	err = errors.Join(t.opt.SetState(under(ofOptimizer, tensors)),
		t.Generator.SetState(tensors[shuffles]), t.dropout.SetState(tensors[dropouts]))
	if err != nil {
		return h, fmt.Errorf("going on with the training in %s: %w", t.Snapshots.Path, err)
	}
	return h, nil
}

// fits reports whether the tensors have the names and sizes of this training's.
func (t *trainer) fits(tensors map[string]*torch.Tensor) bool {
	for _, p := range t.Network.State() {
		for _, prefix := range []string{ofNetwork, ofBest} {
			if x := tensors[prefix+p.Name]; x == nil || x.Len() != p.Tensor.Len() {
				return false
			}
		}
	}
	return tensors[shuffles] != nil && tensors[dropouts] != nil
}

// under returns the tensors whose names have a prefix, without it.
func under(prefix string, tensors map[string]*torch.Tensor) map[string]*torch.Tensor {
	part := map[string]*torch.Tensor{}
	for name, x := range tensors {
		if rest, ok := strings.CutPrefix(name, prefix); ok {
			part[rest] = x
		}
	}
	return part
}

// finite reports whether a loss is a number.
func finite(loss float64) bool { return !math.IsNaN(loss) && !math.IsInf(loss, 0) }
