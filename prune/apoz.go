package prune

import (
	"fmt"
	"slices"

	"github.com/eegprune/eegprune/internal/cite"
	"github.com/eegprune/eegprune/models"
	"github.com/eegprune/eegprune/models/op"
	"github.com/eegprune/eegprune/torch"
)

// APoZ goes by the average percentage of zeros (Hu et al., "Network Trimming: A Data-Driven
// Neuron Pruning Approach towards Efficient Deep Architectures", 2016): in each layer the filters
// go after whose ReLU most numbers are zero on training clips.
func apoz() Method {
	return Method{
		Name: "apoz",
		Doc:  "average percentage of zeros: in each layer the filters whose ReLU is most often zero on training clips (Hu 2016)",
		Cite: cite.Paper{
			Key:     "hu2016",
			Authors: []string{"Hu, Hengyuan", "Peng, Rui", "Tai, Yu-Wing", "Tang, Chi-Keung"},
			Title:   "Network Trimming: A Data-Driven Neuron Pruning Approach towards Efficient Deep Architectures",
			Year:    2016, ArXiv: "1607.03250",
		},
		Score: shareAlive,
		Needs: Activations,
		Check: func(a *models.Arch) error {
			for i := range a.Groups {
				if g := &a.Groups[i]; !a.Linear(g) && len(rectified(a, g)) > 0 {
					return nil
				}
			}
			return fmt.Errorf("%s has no ReLU after a convolution that can be pruned, whose zeros this method counts: use another method, such as lfp", a.Model)
		},
	}
}

// rectified are the ReLUs that come after the layers that produce a group's channels, with
// nothing but a BatchNorm between, by the names of their nodes.
func rectified(a *models.Arch, g *models.Group) []string {
	var relus []string
	for _, p := range g.Of(op.Filter) {
		owner, _ := a.Owner(p.Tensor)
		at := owner.Name
		for {
			i := slices.IndexFunc(a.Nodes, func(n op.Node) bool { return slices.Contains(n.Inputs(), at) })
			if i < 0 || a.Nodes[i].Op != op.ReLU && a.Nodes[i].Op != op.BatchNorm {
				break
			}
			at = a.Nodes[i].Name
			if a.Nodes[i].Op == op.ReLU {
				relus = append(relus, at)
				break
			}
		}
	}
	return relus
}

// shareAlive scores a channel by the share of numbers above zero after its ReLUs, over the
// clips and places of all batches. Groups without a ReLU stay whole.
func shareAlive(n *models.Network, e Evidence) (Score, error) {
	alive, seen := map[string][]float64{}, map[string]float64{} // by ReLU: numbers of each channel, of how many
	wanted := map[string]bool{}
	for i := range n.Arch.Groups {
		for _, relu := range rectified(n.Arch, &n.Arch.Groups[i]) {
			wanted[relu] = true
		}
	}
	err := e.Activations(func(node *op.Node, out *torch.Tensor) error {
		if !wanted[node.Name] {
			return nil
		}
		v, err := torch.ToSlice[float32](out)
		if err != nil {
			return err
		}
		shape := out.Shape()
		places := len(v) / (shape[0] * shape[1])
		if alive[node.Name] == nil {
			alive[node.Name] = make([]float64, shape[1])
		}
		for i, x := range v {
			if x > 0 {
				alive[node.Name][i/places%shape[1]]++
			}
		}
		seen[node.Name] += float64(shape[0] * places)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("activations for apoz: %w", err)
	}
	return func(c *Candidate) ([]float64, error) {
		relus := rectified(n.Arch, c.Group)
		if len(relus) == 0 {
			return nil, nil
		}
		scores := make([]float64, c.Size)
		for _, relu := range relus {
			each := len(alive[relu]) / c.Size // of a depthwise layer a channel has several
			for i, count := range alive[relu] {
				scores[i/each] += count / seen[relu] / float64(each*len(relus))
			}
		}
		return scores, nil
	}, nil
}
