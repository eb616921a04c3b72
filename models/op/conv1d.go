package op

// Conv1d is a convolution of rows [channels, length].
const Conv1d = "aten.conv1d.default"

func conv1d() Op {
	return Op{
		Schema:     "conv1d(Tensor input, Tensor weight, Tensor? bias=None, int[1] stride=1, int[1] padding=0, int[1] dilation=1, int groups=1) -> Tensor",
		Weighs:     Conv,
		Shape:      func(c *Call) ([]int, error) { return convolved(c, 1) },
		Fit:        fitConvolution,
		Draw:       byFanIn,
		Tie:        tieConvolution,
		MACs:       convolutionMACs,
		ONNX:       convolutionONNX,
		Module:     func(c *Call) string { return convolutionModule(c, "nn.Conv1d") },
		Rewritable: true,
		EachRow:    true,
	}
}

// Conv1d adds a [Conv1d] with a weight [out, in/groups, length]; of the options the second numbers
// are used.
func (n *Net) Conv1d(name string, in, out, kernel int, o ConvOptions) Layer {
	args := Args{"stride": []int{max(o.Stride[1], 1)}, "padding": []int{o.Padding[1]}}
	if o.Groups != 0 {
		args["groups"] = o.Groups
	}
	return n.weighs(name, Conv1d, args, !o.NoBias, out, in/max(o.Groups, 1), kernel)
}
