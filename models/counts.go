package models

import "github.com/eegprune/eegprune/models/op"

// Counts are a network's costs, by the rules of Facebook's fvcore, which the field
// quotes: one multiply-accumulate (MAC) counts 1, biases and activations nothing, a
// BatchNorm 2 for each element.
type Counts struct {
	Parameters    int64 `json:"parameters"`
	ConvMACs      int64 `json:"conv_macs"`
	BatchNormMACs int64 `json:"batch_norm_macs"` // and those of other normalisations
	LinearMACs    int64 `json:"linear_macs"`
	OtherMACs     int64 `json:"other_macs,omitempty"` // of averages over whole maps and of interpolation
}

// MACs is the sum over all layers, for one clip.
func (c Counts) MACs() int64 { return c.ConvMACs + c.BatchNormMACs + c.LinearMACs + c.OtherMACs }

func (c *Counts) of(k op.Kind) *int64 {
	switch k {
	case op.Conv:
		return &c.ConvMACs
	case op.Norm:
		return &c.BatchNormMACs
	case op.Dense:
		return &c.LinearMACs
	}
	return &c.OtherMACs
}

// Count counts the parameters of the architecture and the MACs of one clip.
func (a *Arch) Count() (Counts, error) { return a.CountMasked(nil) }

// CountMasked counts the architecture without the weights that masks leave out: the cost on
// hardware that skips zeros.
func (a *Arch) CountMasked(masks Masks) (Counts, error) {
	var c Counts
	for _, t := range a.Tensors {
		if !t.Buffer {
			c.Parameters += int64(t.Len())
		}
	}
	for _, mask := range masks {
		c.Parameters -= int64(mask.Len() - mask.Count())
	}
	err := a.Walk(func(call *op.Call) {
		o := call.Operation()
		if o.MACs == nil {
			return
		}
		macs := o.MACs(call)
		if mask := masks[call.Ref("weight")]; mask != nil && mask.Len() > 0 {
			macs -= macs / int64(mask.Len()) * int64(mask.Len()-mask.Count())
		}
		*c.of(o.Weighs) += macs
	})
	return c, err
}
