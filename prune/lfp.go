package prune

// LFP is layer-wise filter pruning (Li et al., "Pruning Filters for Efficient
// ConvNets", 2017): in each layer the filters of smallest L1 norm go.
func lfp() Method {
	return Method{
		Name:     "lfp",
		Doc:      "layer-wise filter pruning: the filters of smallest L1 norm in each layer (Li 2017)",
		Channels: always(FilterNorm{P: 1}),
	}
}
