package op

// elementwiseRules are those of functions of each element alone: channels stay what they are.
func elementwiseRules() []rule {
	return []rule{
		{ops: "abs acos acosh alias alpha_dropout arccos arcsin arctan asin asinh atan atanh ceil celu clamp clamp_max clamp_min clip clone " +
			"conj contiguous cos cosh deg2rad detach dropout elu erf erfc exp exp2 expm1 fill floor frac gelu hardshrink hardsigmoid hardswish " +
			"hardtanh imag isfinite isinf isnan leaky_relu lgamma log log10 log1p log2 log_sigmoid logical_not logit mish nan_to_num neg " +
			"negative ones_like positive rad2deg real reciprocal relu relu6 resolve_conj resolve_neg round rrelu rsqrt selu sigmoid sign " +
			"silu sin sinc sinh softplus softshrink sqrt square tan tanh threshold to trunc zeros_like full_like zero _to_copy _conj angle " +
			"bitwise_not sgn special_erf special_expit rand_like randn_like feature_dropout bernoulli lift_fresh_copy native_dropout",
			Op: Op{Tie: broadcasts}},
		{ops: "add sub subtract rsub mul multiply div divide true_divide floor_divide remainder fmod pow float_power atan2 maximum minimum fmax " +
			"fmin addcmul addcdiv lerp where eq ne lt le gt ge greater less logical_and logical_or logical_xor __and__ __or__ __xor__ " +
			"bitwise_and bitwise_or bitwise_xor masked_fill copy copysign hypot xlogy logaddexp heaviside complex polar type_as",
			Op: Op{Tie: broadcasts}},
		// Of a channel with its twin in the other half.
		{ops: "glu", Op: Op{Tie: func(t *Ties) {
			dim := dimension(t.Int("dim"), len(t.Call.Out))
			for d := range t.Call.Out {
				in, out := t.In("self", d), t.Out(d)
				if d != dim {
					t.Same(in, out)
					continue
				}
				t.Part(out, in, 0)
				t.Part(out, in, out.size)
			}
		}}},
		{ops: "prelu", Op: Op{Tie: func(t *Ties) {
			t.Pass(t.Ref("self"), t.Values()[0])
			if slope := t.In("weight", 0); slope.size > 1 {
				t.Same(t.In("self", 1), t.Tensor("weight", 0, Scale))
			} else {
				t.touched[slope] = true
			}
		}}},
	}
}
