package op

// reductionRules are those of what makes one number of a dimension's, or moves along it: it stays
// whole, and the others pass.
func reductionRules() []rule {
	return []rule{
		{ops: "amax amin all any argmax argmin logsumexp max.dim min.dim median.dim nansum norm.ScalarOpt_dim norm.ScalarOpt_dim_dtype " +
			"linalg_vector_norm prod.dim_int std std.correction std.dim std_mean std_mean.correction sum.dim_IntList var var.correction var.dim " +
			"var_mean var_mean.correction var_mean.dim std_mean.dim nanmean frobenius_norm.dim quantile quantile.scalar",
			Op: Op{Tie: func(t *Ties) { t.over(t.Name + " makes one of it") }}},
		{ops: "softmax log_softmax _softmax _log_softmax cumsum cumprod logcumsumexp cummax cummin sort flip roll topk fft_fft fft_ifft fft_rfft " +
			"fft_irfft fft_hfft fft_ihfft fft_fftshift fft_ifftshift _fft_r2c _fft_c2r _fft_c2c diff kthvalue",
			Op: Op{Tie: func(t *Ties) { t.along(t.Name + " goes over it") }}},
		// Each row by its norm: a column that is zero adds nothing to it.
		{ops: "renorm", Op: Op{Tie: func(t *Ties) { t.Pass(t.Ref("self"), t.Values()[0]) }}},
		{ops: "_weight_norm", Op: Op{Tie: func(t *Ties) {
			t.Pass(t.Ref("v"), t.Values()[0])
			for d := range t.Shape("g") {
				if g := t.In("g", d); g.size == t.Out(d).size {
					t.Same(g, t.Out(d))
				}
			}
		}}},
	}
}

// overDims are the dimensions that an operation is about, by its argument dim or dims: all where
// that names none.
func (c *Call) overDims() map[int]bool {
	dims, over := len(c.Shape(c.first())), map[int]bool{}
	named := append(c.Ints("dim"), c.Ints("dims")...)
	if len(named) == 0 && (c.value("dim") == nil || c.value("dims") != nil) {
		for d := range dims {
			named = append(named, d)
		}
	}
	for _, d := range named {
		over[dimension(d, dims)] = true
	}
	return over
}

// first is the argument of the first tensor that the node takes.
func (c *Call) first() string {
	for _, p := range c.op.params {
		if c.Given(p.name) {
			return p.name
		}
	}
	return ""
}

// over has the dimensions that an operation makes one number of whole, and the others pass.
func (t *Ties) over(why string) {
	in, gone := t.first(), t.overDims()
	for _, v := range t.Values() {
		at := 0
		kept := len(t.shapes[v]) == len(t.Shape(in))
		for d := range t.Shape(in) {
			switch {
			case gone[d]:
				t.Whole(t.In(in, d), why)
			default:
				t.Same(t.In(in, d), t.of(v, at))
			}
			if !gone[d] || kept {
				at++
			}
		}
	}
}

// along has the dimensions that an operation goes over whole, and the others pass.
func (t *Ties) along(why string) {
	in, whole := t.first(), t.overDims()
	for _, v := range t.Values() {
		for d := range t.shapes[v] {
			if whole[d] || t.In(in, d).size != t.of(v, d).size {
				t.Whole(t.In(in, d), why)
				t.Whole(t.of(v, d), why)
				continue
			}
			t.Same(t.In(in, d), t.of(v, d))
		}
	}
}
