package op

import "fmt"

// MaxPool2d takes the largest of windows; one that does not fit at the end is left out.
const MaxPool2d = "aten.max_pool2d.default"

func maxPool2d() Op {
	return Op{
		Schema: "max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> Tensor",
		Shape: func(c *Call) ([]int, error) {
			if p, d := c.Ints("padding"), c.Ints("dilation"); p[0] != 0 || p[1] != 0 || d[0] != 1 || d[1] != 1 || c.Bool("ceil_mode") {
				return nil, fmt.Errorf("a pool that goes beyond the map's edge, or leaves out points, is not known")
			}
			return pooled(c, "pool", 2)
		},
		Tie:    overWindows,
		ONNX:   windowONNX,
		Module: func(c *Call) string { return "nn.MaxPool2d(" + windows(c) + ")" },
		Python: func(c *Call, in func(string) string) string {
			return "F.max_pool2d(" + in("self") + ", " + windows(c) + ")"
		},
		EachChannel: true,
		EachRow:     true,
	}
}

// MaxPool2d adds a [MaxPool2d]. A stride of zero is the kernel.
func (n *Net) MaxPool2d(name string, kernel, stride [2]int) Layer {
	args := Args{"kernel_size": kernel[:]}
	if stride != [2]int{} {
		args["stride"] = stride[:]
	}
	return n.layer(name, MaxPool2d, "self", args)
}
