package op

// Mul multiplies two values, element by element; one with itself is its square.
const Mul = "aten.mul.Tensor"

func mul() Op {
	return Op{
		Schema:      "mul.Tensor(Tensor self, Tensor other) -> Tensor",
		Shape:       func(c *Call) ([]int, error) { return broadcast(c, "self", "other") },
		Tie:         func(t *Ties) { t.Elementwise("self", "other") },
		ONNX:        arithmeticONNX,
		Python:      func(c *Call, in func(string) string) string { return in("self") + " * " + in("other") },
		Elementwise: true,
	}
}

// Mul multiplies two values.
func (n *Net) Mul(name string) Layer { return n.pair(name, Mul) }

// Square multiplies a value with itself.
func (n *Net) Square(name string) Layer {
	mul := n.Mul(name)
	return func(x ...string) string { return mul(append(x, x...)...) }
}
